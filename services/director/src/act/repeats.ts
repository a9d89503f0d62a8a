import { equals, type Repeated, type Repeats } from "@sextant/graphql";
import { readOne } from "@sextant/registry-client";
import type { Context } from "./act.ts";

/** Finds what repeated requests were answered. It is kept for a day; values are sealed, and read texts hold secrets sealed. */
export function createRepeats(context: Pick<Context, "registry" | "sealer">): Repeats {
  return {
    async find({ tenant }, { id }): Promise<Repeated | undefined> {
      if (tenant === undefined) return undefined;
      const fields = ["request", "answer", "value", "reveal"] as const;
      const isIt = equals("id", { param: "id" });
      const kept = await readOne(context.registry, tenant, "idempotencyKey", isIt, fields, { id });
      if (kept === undefined) return undefined;
      const { request, answer, value, reveal } = kept;
      if (answer !== null) return { request, answer, reveal };
      const json = value === null ? "null" : context.sealer.open(tenant, "answer", value);
      return { request, value: JSON.parse(json) as unknown };
    },
  };
}
