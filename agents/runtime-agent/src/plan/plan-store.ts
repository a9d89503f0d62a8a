/** Keeps the plan in the agent's directory, as it was sent. */
import { join } from "node:path";
import { readIfPresent, removeDurably, writeDurably } from "../storage/durable-file.ts";
import { readPlanHead, type PlanHead } from "./plan.ts";

/** A plan that is in place. */
export type StoredPlan = { readonly etag: string | undefined; readonly head: PlanHead };

/** The files `plan.json` and `plan.etag`. */
export type PlanStore = {
  load(): Promise<StoredPlan | undefined>;
  save(text: string, etag: string): Promise<void>;
  /** Makes the next poll fetch the plan again; the file itself stays. */
  forgetEtag(): Promise<void>;
};

/** Opens the store in `directory`. */
export function createPlanStore(directory: string): PlanStore {
  const planFile = join(directory, "plan.json");
  const etagFile = join(directory, "plan.etag");
  return {
    async load() {
      const [text, etag] = await Promise.all([readIfPresent(planFile), readIfPresent(etagFile)]);
      if (text === undefined) return undefined;
      try {
        return { etag: etag?.toString(), head: readPlanHead(text.toString()) };
      } catch {
        // Someone else wrote it: it is fetched again.
        return undefined;
      }
    },
    async save(text, etag) {
      // The plan first: when only this much was done, the old ETag makes the next poll fetch the plan once more.
      await writeDurably(planFile, text);
      await writeDurably(etagFile, etag);
    },
    forgetEtag: () => removeDurably(etagFile),
  };
}
