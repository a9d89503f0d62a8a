import { silentLogger } from "@sextant/logging";
import { expect, it } from "vitest";
import type { Claimed, ClaimRequest, SettleRequest } from "./contract.ts";
import { startWorker } from "./worker.ts";

type Delivery = Claimed<"delivery">;
type Item = SettleRequest["items"][number];

/** A queue in memory: gives out what is there, and keeps what was settled. */
function queueOf(ids: readonly string[]) {
  const waiting = [...ids];
  const settled: Item[] = [];
  const claims: ClaimRequest[] = [];
  const idle = (signal: AbortSignal | undefined) =>
    new Promise<never[]>((resolve) => {
      const timer = setTimeout(() => resolve([]), 20);
      signal?.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve([]);
      });
    });
  return {
    settled,
    claims,
    registry: {
      claim: async (request: ClaimRequest, signal?: AbortSignal) => {
        claims.push(request);
        if (waiting.length === 0) return idle(signal);
        return waiting
          .splice(0, request.max)
          .map((id) => ({ id, tenant: "t", leaseToken: `lease-${id}`, attempts: 1 })) as never;
      },
      settle: async ({ items }: SettleRequest) => void settled.push(...items),
    },
  };
}

const worker = (
  queue: ReturnType<typeof queueOf>,
  concurrency: number,
  handle: (work: Delivery) => Promise<{ done: boolean; values: Record<string, never> }>,
) =>
  startWorker({
    registry: queue.registry,
    queue: "delivery",
    concurrency,
    leaseSeconds: 10,
    handle,
    log: silentLogger,
  });

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
};
const done = { done: true, values: {} };

it("one slow piece of work does not hold up the others", async () => {
  const queue = queueOf(["slow", "a", "b", "c", "d"]);
  let release: () => void = () => undefined;
  const slow = new Promise<void>((resolve) => (release = resolve));
  const running = worker(queue, 2, async ({ id }) => {
    if (id === "slow") await slow;
    return done;
  });
  await until(() => queue.settled.length === 4);
  expect(queue.settled.map(({ id }) => id)).toEqual(["a", "b", "c", "d"]);
  release();
  await until(() => queue.settled.length === 5);
  await running.close();
});

it("never has more in hand than it may", async () => {
  const queue = queueOf(Array.from({ length: 20 }, (_, index) => `w${index}`));
  let inHand = 0;
  let most = 0;
  const running = worker(queue, 3, async () => {
    most = Math.max(most, (inHand += 1));
    await new Promise((resolve) => setTimeout(resolve, 1));
    inHand -= 1;
    return done;
  });
  await until(() => queue.settled.length === 20);
  await running.close();
  expect(most).toBe(3);
});

it("tries again later what failed, under the same lease", async () => {
  const queue = queueOf(["a"]);
  const running = worker(queue, 1, () => Promise.reject(new Error("not today")));
  await until(() => queue.settled.length === 1);
  await running.close();
  expect(queue.settled[0]).toMatchObject({ id: "a", leaseToken: "lease-a", done: false });
  expect(Date.parse(String(queue.settled[0]?.nextAttemptAt))).toBeGreaterThan(Date.now() - 1000);
});

it("ends without what is still in hand, and claims nothing more", async () => {
  const queue = queueOf(["endless"]);
  const running = worker(queue, 1, () => new Promise(() => undefined));
  await until(() => queue.claims.length === 1);
  const begun = performance.now();
  const closing = running.close();
  await closing;
  expect(performance.now() - begun).toBeLessThan(10_000);
  expect(queue.settled).toEqual([]);
});
