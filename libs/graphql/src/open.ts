import type { Identity } from "@sextant/identity";
import type { Walk } from "./collect.ts";
import type { Opening } from "./compile.ts";
import { project } from "./project.ts";

/** Opens what came sealed, in place, and keeps of it what the operation selects. Lists on the way are walked through. */
export function openAnswer(
  data: Record<string, unknown>,
  openings: readonly Opening[],
  walk: Walk,
  identity: Identity,
  reveal: boolean,
): void {
  for (const opening of openings) {
    const last = opening.path.at(-1) as string;
    for (const holder of holders(data, opening.path.slice(0, -1))) {
      const sealed = holder[last];
      if (sealed === null || sealed === undefined) continue;
      holder[last] =
        opening.once && !reveal
          ? null
          : project(walk, opening.type, opening.nodes, opening.open(sealed, identity));
    }
  }
}

function holders(value: unknown, path: readonly string[]): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap((item) => holders(item, path));
  if (value === null || typeof value !== "object") return [];
  const record = value as Record<string, unknown>;
  const [next, ...rest] = path;
  return next === undefined ? [record] : holders(record[next], rest);
}
