/** Measures several ways of doing the same in one run: in turns, three times each; the median counts. */
import { fork } from "node:child_process";
import { cpuOfEach, cpuTimes, sumOf } from "./cpu.ts";
import type { Load, LoadResult } from "./load.ts";

/** One way of doing it. `processes` are those whose CPU time counts. */
export type Contestant<Given = Load> = {
  readonly name: string;
  readonly load: Given;
  /** What makes the load, beside this file; left out: requests over TLS. */
  readonly generator?: string;
  readonly processes: () => readonly number[];
};

/** One whose generator is another: with what that is told, or what makes it before each round. */
export type AnyContestant = Contestant<Load | object | (() => Promise<object>)>;

/** What a contestant's rounds came to. CPU in milliseconds for one operation. */
export type Score = LoadResult & { readonly name: string; readonly cpuPerOperation: number };

/** One round, with what each process has used. */
export type Round = Score & { readonly cpuOfEach: ReadonlyMap<number, number> };

const ROUNDS = 3;

async function round({ name, load, generator: file, processes }: AnyContestant): Promise<Round> {
  const generator = fork(new URL(file ?? "load.ts", import.meta.url), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const given = typeof load === "function" ? await load() : load;
  generator.send(given);
  let before: ReadonlyMap<number, number> = new Map();
  const result = await new Promise<LoadResult>((resolve, reject) => {
    generator.on("message", (message) => {
      if (message === "counting") before = cpuTimes(processes());
      else resolve(message as LoadResult);
    });
    generator.once("exit", (code) => reject(new Error(`the load on ${name} ended with ${code}`)));
  });
  const used = cpuOfEach(before, cpuTimes(processes()));
  const { seconds } = given as Pick<Load, "seconds">;
  const perOperation = (cpu: number): number => (cpu * 1000) / (result.perSecond * seconds);
  return {
    ...{ ...result, name },
    cpuPerOperation: perOperation(result.cpu ?? sumOf(used, used.keys())),
    cpuOfEach: new Map([...used].map(([pid, cpu]) => [pid, perOperation(cpu)])),
  };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** The rounds of each that count, in turns. */
async function roundsOf(contestants: readonly AnyContestant[]): Promise<readonly Round[][]> {
  const rounds = contestants.map((): Round[] => []);
  for (let index = 0; index <= ROUNDS; index += 1) {
    for (const [place, contestant] of contestants.entries()) {
      const score = await round(contestant);
      // A round before the first lets everybody's code be compiled: what takes longest to warm up would lose by that otherwise.
      if (index > 0) rounds[place]?.push(score);
    }
  }
  return rounds;
}

const inTheMiddle = (rounds: readonly Round[]): Round =>
  rounds.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(rounds.length / 2)] as Round;

/**
 * Each figure of a contestant is the median of that figure in its rounds, behind one that does not count; what each process has used
 * is that of the median round.
 */
export async function measure(contestant: Contestant): Promise<Round> {
  const [scores = []] = await roundsOf([contestant]);
  const of = (figure: "perSecond" | "bytes" | "p50" | "p99" | "cpuPerOperation"): number =>
    median(scores.map((score) => score[figure]));
  return {
    ...inTheMiddle(scores),
    ...{ perSecond: of("perSecond"), bytes: of("bytes") },
    ...{ p50: of("p50"), p99: of("p99"), cpuPerOperation: of("cpuPerOperation") },
  };
}

/** The median rounds of all contestants, in their order. */
export async function compare(contestants: readonly AnyContestant[]): Promise<readonly Round[]> {
  return (await roundsOf(contestants)).map(inTheMiddle);
}

/** Prints scores as a table, with their ratio to the first. */
export function print(title: string, scores: readonly Score[], note: string): void {
  const [first] = scores;
  console.log(`\n${title}`);
  console.log(
    `  ${"".padEnd(34)}${"per s".padStart(8)}${"ratio".padStart(8)}${"p50 ms".padStart(9)}${"p99 ms".padStart(9)}${"CPU ms/op".padStart(11)}${"bytes".padStart(8)}`,
  );
  for (const score of scores) {
    const ratio = score.perSecond / (first?.perSecond ?? 1);
    const columns = [
      score.perSecond.toFixed(0).padStart(8),
      ratio.toFixed(2).padStart(8),
      score.p50.toFixed(2).padStart(9),
      score.p99.toFixed(2).padStart(9),
      score.cpuPerOperation.toFixed(3).padStart(11),
      String(score.bytes).padStart(8),
    ];
    console.log(`  ${score.name.padEnd(34)}${columns.join("")}`);
  }
  console.log(`  ${note}`);
}
