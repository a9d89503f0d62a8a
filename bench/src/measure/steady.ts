/** A generator that does something over and over in its own process: warms up, counts, and tells the bench. */
import type { LoadResult } from "./load.ts";

/** How long, and how many at a time. */
export type Steady = {
  readonly clients: number;
  readonly warmupSeconds: number;
  readonly seconds: number;
};

/** Does it; `work` says how many bytes came of it. `own`: this process's CPU is what it costs. */
export async function steadily(
  { clients, warmupSeconds, seconds }: Steady,
  work: () => Promise<number>,
  own: boolean,
): Promise<void> {
  const latencies: number[] = [];
  let [counting, ending, bytes] = [false, false, 0];
  const client = async (): Promise<void> => {
    while (!ending) {
      const begun = performance.now();
      bytes = await work();
      if (counting) latencies.push(performance.now() - begun);
      // Work that never waits would else keep the timers from their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const working = Promise.all(Array.from({ length: clients }, client));
  const wait = (time: number) => new Promise((resolve) => setTimeout(resolve, time * 1_000));
  await Promise.race([wait(warmupSeconds), working]);
  counting = true;
  process.send?.("counting");
  const [cpu, begun] = [process.cpuUsage(), performance.now()];
  await Promise.race([wait(seconds), working]);
  ending = true;
  const took = (performance.now() - begun) / 1_000;
  const used = process.cpuUsage(cpu);
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? 0;
  const result: LoadResult = {
    ...{ perSecond: sorted.length / took, p50: at(0.5), p99: at(0.99), bytes },
    ...(own ? { cpu: (((used.user + used.system) / 1e6) * seconds) / took } : {}),
  };
  process.send?.(result, undefined, undefined, () => process.exit(0));
}
