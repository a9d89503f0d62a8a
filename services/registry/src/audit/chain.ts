/** Gives audit entries their places in the chains of their tenants, soon after they were written: several processes may do so. */
import type { Logger } from "@sextant/logging";
import type { AuditRepository } from "./audit.repository.ts";

/** Milliseconds between two looks. */
const EVERY = 1_000;

/** Starts it; gives what ends it. */
export function startChain(options: {
  readonly repository: Pick<AuditRepository, "chainSome">;
  readonly log: Logger;
  readonly every?: number;
}): { close(): Promise<void> } {
  let closed = false;
  let waits = false;
  let timer: NodeJS.Timeout | undefined;
  const work = async (): Promise<void> => {
    try {
      while (!closed && (await options.repository.chainSome()));
      waits = false;
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      if (!waits) options.log.warn({ reason }, "the audit chain waits for the database");
      waits = true;
    }
  };
  let round: Promise<void> = Promise.resolve();
  const next = (): void => {
    round = work().then(() => {
      if (!closed) timer = setTimeout(next, options.every ?? EVERY);
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
