/** Removes now and then what is over: several processes may do so at once. */
import type { Logger } from "@sextant/logging";
import type { CleanUpRepository } from "./clean-up.repository.ts";

const EVERY = 60_000;
/** Rounds between two looks at what nothing of a tenant refers to, of all tenants. */
const UNREFERENCED_EVERY = 60;

/** Starts cleaning up; gives what ends it. */
export function startCleanUp(options: {
  readonly repository: Pick<CleanUpRepository, "removeSome" | "tenants" | "removeUnreferenced">;
  readonly log: Logger;
  /** Milliseconds between two rounds. */
  readonly every?: number;
}): { close(): Promise<void> } {
  let closed = false;
  let round: Promise<void> = Promise.resolve();
  let rounds = 0;
  const removeUnreferenced = async (): Promise<void> => {
    let after: string | null = null;
    do {
      const page = await options.repository.tenants(after);
      for (const tenant of page)
        while (!closed && (await options.repository.removeUnreferenced(tenant)));
      after = page.at(-1) ?? null;
    } while (after !== null && !closed);
  };
  const work = async (): Promise<void> => {
    try {
      while (!closed && (await options.repository.removeSome()));
      if (!closed && rounds % UNREFERENCED_EVERY === 0) await removeUnreferenced();
      rounds += 1;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      options.log.warn({ reason }, "cleaning up waits for the database");
    }
  };
  const timer = setInterval(() => {
    round = round.then(work);
  }, options.every ?? EVERY);
  return {
    async close() {
      closed = true;
      clearInterval(timer);
      await round;
    },
  };
}
