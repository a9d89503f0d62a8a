/**
 * Refusals on their way into the audit log. The first of a kind is written at once, and what comes of it within a minute as one entry
 * more: a flood of refusals is a few entries.
 */
import type { Logger } from "@sextant/logging";
import type { Actor, Refusal } from "./actor.ts";
import type { Registry } from "./contract.ts";
import { recordRefusal } from "./refusal.ts";

/** One refusal. */
export type Refused = {
  /** Undefined: no tenant can be named for it. It belongs to the plane's own log. */
  readonly tenant: string | undefined;
  readonly actor: Actor;
  readonly action: string;
  readonly code: string;
  readonly objects?: Refusal["objects"];
};

/** See {@link createRefusalLog}. */
export type RefusalLog = {
  /** Takes note. It never fails and never waits. */
  record(refused: Refused): void;
  /** Writes what is left. */
  close(): Promise<void>;
};

/** The tenant of what no tenant can be named for. */
export const PLANE_TENANT = "00000000-0000-0000-0000-000000000000";

/** Milliseconds within which refusals of a kind are one entry, and between two looks at what is over. */
const WINDOW = 60_000;
const EVERY = 2_000;
/** Kinds of refusals of one tenant that are kept apart in a window. What is more is told without who and from where. */
const MOST_KINDS = 100;
const MANY: Actor = { type: "MANY", id: "" };

type Kind = { readonly refused: Refused; until: number; times: number };

/** Makes it. `now` is in milliseconds. */
export function createRefusalLog(options: {
  readonly registry: Pick<Registry, "commit">;
  readonly newID: () => string;
  readonly now: () => number;
  readonly log: Logger;
}): RefusalLog {
  const { now, log } = options;
  const kinds = new Map<string, Kind>();
  const perTenant = new Map<string, number>();
  let writing: Promise<void> = Promise.resolve();

  const write = ({ refused, until }: Kind, times: number, key: string): void => {
    const { tenant = PLANE_TENANT, actor, action, code, objects = [] } = refused;
    writing = writing.then(async () => {
      try {
        await recordRefusal(options, tenant, actor, action, { code, objects, times });
      } catch (error) {
        log.warn({ err: error, action, times }, "refusals could not be recorded");
        // They are told with the next.
        const kind = kinds.get(key);
        if (kind === undefined) add(key, { refused, until, times });
        else kind.times += times;
      }
    });
  };

  const add = (key: string, kind: Kind): void => {
    const tenant = kind.refused.tenant ?? PLANE_TENANT;
    kinds.set(key, kind);
    perTenant.set(tenant, (perTenant.get(tenant) ?? 0) + 1);
  };

  const writeOver = (isOver: (kind: Kind) => boolean): void => {
    for (const [key, kind] of kinds) {
      if (!isOver(kind)) continue;
      kinds.delete(key);
      const tenant = kind.refused.tenant ?? PLANE_TENANT;
      const left = (perTenant.get(tenant) ?? 1) - 1;
      if (left === 0) perTenant.delete(tenant);
      else perTenant.set(tenant, left);
      if (kind.times > 0) write(kind, kind.times, key);
    }
  };
  const timer = setInterval(() => writeOver(({ until }) => until <= now()), EVERY);
  timer.unref();

  const note = (refused: Refused): void => {
    const { tenant = PLANE_TENANT, actor, action, code } = refused;
    const key = JSON.stringify([tenant, actor.type, actor.id, actor.address, action, code]);
    const known = kinds.get(key);
    if (known !== undefined) {
      known.times += 1;
      return;
    }
    if (actor !== MANY && (perTenant.get(tenant) ?? 0) >= MOST_KINDS) {
      note({ tenant: refused.tenant, actor: MANY, action, code });
      return;
    }
    const kind = { refused, until: now() + WINDOW, times: 0 };
    add(key, kind);
    write(kind, 1, key);
  };

  return {
    record: note,
    async close() {
      clearInterval(timer);
      writeOver(() => true);
      await writing;
    },
  };
}
