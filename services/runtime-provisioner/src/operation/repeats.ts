import { equals, type Repeated, type Repeats } from "@sextant/graphql";
import { readOne, type Registry } from "@sextant/registry-client";

/** Finds what repeated requests were answered. It is kept for a day. */
export function createRepeats(registry: Registry): Repeats {
  return {
    async find({ tenant }, { id }): Promise<Repeated | undefined> {
      if (tenant === undefined) return undefined;
      const isIt = equals("id", { param: "id" });
      const fields = ["request", "answer", "reveal"] as const;
      const kept = await readOne(registry, tenant, "idempotencyKey", isIt, fields, { id });
      if (kept === undefined) return undefined;
      const { request, answer, reveal } = kept;
      return answer === null ? { request, value: null } : { request, answer, reveal };
    },
  };
}
