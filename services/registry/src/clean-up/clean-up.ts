/** Removes now and then what is over: several processes may do so at once. */
import type { Logger } from "@sextant/logging";
import type { CleanUpRepository } from "./clean-up.repository.ts";

const EVERY = 60_000;

/** Starts cleaning up; gives what ends it. */
export function startCleanUp(options: {
  readonly repository: Pick<CleanUpRepository, "removeSome">;
  readonly log: Logger;
  /** Milliseconds between two rounds. */
  readonly every?: number;
}): { close(): Promise<void> } {
  let closed = false;
  let round: Promise<void> = Promise.resolve();
  const work = async (): Promise<void> => {
    try {
      while (!closed && (await options.repository.removeSome()));
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
