/** Gives audit entries their places in the chains of their tenants, soon after they were written: several processes may do so. */
import type { Logger } from "@sextant/logging";
import type { AuditRepository, Chained } from "./audit.repository.ts";

/** Milliseconds between two looks. */
const EVERY = 1_000;

/** Rounds in a row in which another was faster, after which that cannot be the reason. */
const STUCK = 30;

/** Starts it; gives what ends it. */
export function startChain(options: {
  readonly repository: Pick<AuditRepository, "chainSome">;
  readonly log: Logger;
  readonly every?: number;
}): { close(): Promise<void> } {
  const { repository, log } = options;
  let closed = false;
  let waits = false;
  let second = 0;
  let timer: NodeJS.Timeout | undefined;
  const work = async (): Promise<void> => {
    try {
      let chained: Chained = "some";
      while (!closed && chained === "some") chained = await repository.chainSome();
      waits = false;
      second = chained === "second" ? second + 1 : 0;
      if (second === STUCK) log.error("the audit chain does not go on: verify it");
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      if (!waits) log.warn({ reason }, "the audit chain waits for the database");
      waits = true;
    }
  };
  let round: Promise<void> = Promise.resolve();
  const next = (): void => {
    round = work().then(() => {
      // Processes that come at the same moment do not meet again at the next.
      if (!closed) timer = setTimeout(next, (options.every ?? EVERY) * (0.5 + Math.random()));
    });
  };
  next();
  return {
    async close() {
      closed = true;
      clearTimeout(timer);
      await round;
    },
  };
}
