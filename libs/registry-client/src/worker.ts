/** Claims leased work and carries it out, piece by piece, until it is told to end. */
import type { Logger } from "@sextant/logging";
import type { Claimed, Queue, Registry, SettleRequest } from "./contract.ts";

/** What became of a piece of work. Not `done`: it is tried again at `nextAttemptAt`. */
export type Outcome = Pick<SettleRequest["items"][number], "done" | "values" | "nextAttemptAt">;

/** A running worker. */
export type Worker = { close(): Promise<void> };

const WAIT_SECONDS = 20;
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/** Starts a worker. `handle` must be idempotent: work whose lease has passed is handed out again. */
export function startWorker<Q extends Queue>(options: {
  readonly registry: Pick<Registry, "claim" | "settle">;
  readonly queue: Q;
  readonly concurrency: number;
  /**
   * Longer than the handling takes. When this process dies, what it had claimed waits so long before another takes it.
   */
  readonly leaseSeconds: number;
  readonly handle: (work: Claimed<Q>, signal: AbortSignal) => Promise<Outcome>;
  readonly log: Logger;
}): Worker {
  const { registry, queue, concurrency, leaseSeconds, handle, log } = options;
  const ending = new AbortController();

  const carryOut = async (
    work: Claimed<Q>,
  ): Promise<SettleRequest["items"][number] | undefined> => {
    const id = work.id as string;
    const leaseToken = work.leaseToken as string;
    const version = "version" in work ? { version: work.version as number } : {};
    try {
      const outcome = await handle(work, ending.signal);
      return { tenant: work.tenant, id, leaseToken, ...version, ...outcome };
    } catch (error) {
      if (ending.signal.aborted) return undefined;
      const attempts = Number(work.attempts);
      const pause = Math.min(2 ** attempts * FIRST_PAUSE, 60_000);
      log.warn({ queue, id, attempts, err: error }, "work failed");
      const nextAttemptAt = new Date(Date.now() + pause).toISOString();
      return {
        tenant: work.tenant,
        id,
        leaseToken,
        ...version,
        done: false,
        values: {},
        nextAttemptAt,
      };
    }
  };

  const run = async (): Promise<void> => {
    let pause = FIRST_PAUSE;
    while (!ending.signal.aborted) {
      try {
        const request = {
          queue,
          max: concurrency,
          leaseSeconds,
          waitSeconds: WAIT_SECONDS,
        };
        const claimed = await registry.claim(request, ending.signal);
        const items = (await Promise.all(claimed.map(carryOut))).filter(
          (item) => item !== undefined,
        );
        if (items.length > 0) await registry.settle({ queue, items });
        pause = FIRST_PAUSE;
      } catch (error) {
        if (ending.signal.aborted) return;
        log.warn({ queue, err: error }, "no work can be claimed");
        await new Promise((resolve) => setTimeout(resolve, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE);
      }
    }
  };

  const running = run();
  return {
    close: () => {
      ending.abort();
      return running;
    },
  };
}
