/** Claims leased work and carries it out, piece by piece, until it is told to end. */
import { setImmediate as nextTurn, setTimeout as wait } from "node:timers/promises";
import type { Logger } from "@sextant/logging";
import type { Claimed, Queue, Registry, SettleRequest } from "./contract.ts";

/** What became of a piece of work. Not `done`: it is tried again at `nextAttemptAt`. */
export type Outcome = Pick<SettleRequest["items"][number], "done" | "values" | "nextAttemptAt">;

/** A running worker. */
export type Worker = { close(): Promise<void> };

type Item = SettleRequest["items"][number];

const WAIT_SECONDS = 20;
/** Milliseconds. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
const LONGEST_BACKOFF = 60_000;
const GRACE = 3_000;
const MAX_SETTLED = 500;

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
  const told = new Promise<void>((resolve) => {
    ending.signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const active = new Set<Promise<void>>();
  const ended: Item[] = [];
  let settling: Promise<void> | undefined;

  const outcomeOf = async (work: Claimed<Q>): Promise<Item | undefined> => {
    const claim = {
      tenant: work.tenant,
      id: work.id as string,
      leaseToken: work.leaseToken as string,
      ...("version" in work ? { version: work.version as number } : {}),
    };
    try {
      return { ...claim, ...(await handle(work, ending.signal)) };
    } catch (error) {
      if (ending.signal.aborted) return undefined;
      const attempts = Number(work.attempts);
      log.warn({ queue, id: claim.id, attempts, err: error }, "work failed");
      const pause = Math.min(2 ** attempts * FIRST_PAUSE, LONGEST_BACKOFF);
      const nextAttemptAt = new Date(Date.now() + pause).toISOString();
      return { ...claim, done: false, values: {}, nextAttemptAt };
    }
  };

  const settleEnded = async (): Promise<void> => {
    try {
      while (ended.length > 0)
        await registry.settle({ queue, items: ended.splice(0, MAX_SETTLED) });
    } catch (error) {
      log.warn(
        { queue, err: error },
        "work cannot be settled: it is done again when its lease is over",
      );
    } finally {
      settling = undefined;
    }
  };

  /** One piece of work from its claim to its end. What ends while others are settled is settled together after them. */
  const carryOut = async (work: Claimed<Q>): Promise<void> => {
    const item = await outcomeOf(work);
    if (item === undefined) return;
    ended.push(item);
    await (settling ??= settleEnded());
  };

  const run = async (): Promise<void> => {
    let pause = FIRST_PAUSE;
    while (!ending.signal.aborted) {
      // A slow piece of work takes its own place only. Those that end together are replaced together.
      if (active.size >= concurrency) {
        await Promise.race([told, ...active]);
        await nextTurn();
        continue;
      }
      try {
        const max = concurrency - active.size;
        const request = { queue, max, leaseSeconds, waitSeconds: WAIT_SECONDS };
        for (const work of await registry.claim(request, ending.signal)) {
          const task: Promise<void> = carryOut(work).finally(() => active.delete(task));
          active.add(task);
        }
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
    async close() {
      ending.abort();
      await running;
      // What does not end in time is handed out again when its lease is over.
      await Promise.race([Promise.all(active), wait(GRACE)]);
    },
  };
}
