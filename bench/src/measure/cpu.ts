import { readdirSync, readFileSync } from "node:fs";

const TICKS = 100;

/** A process and all below it. */
export function processTree(root: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readProc(pid, "stat");
    const parent = Number(stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const tree = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(tree)];
  return tree(root);
}

/** CPU seconds that each of these processes has used so far. */
export function cpuTimes(pids: Iterable<number>): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const pid of pids) {
    const stat = readProc(pid, "stat");
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields !== undefined) times.set(pid, (Number(fields[11]) + Number(fields[12])) / TICKS);
  }
  return times;
}

/** CPU seconds of each process between two readings. Of one that came in between all of it counts; of one that went, nothing. */
export function cpuOfEach(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): ReadonlyMap<number, number> {
  return new Map([...after].map(([pid, time]) => [pid, time - (before.get(pid) ?? 0)]));
}

/** What these processes have used of that together. */
export function sumOf(times: ReadonlyMap<number, number>, pids: Iterable<number>): number {
  let seconds = 0;
  for (const pid of pids) seconds += times.get(pid) ?? 0;
  return seconds;
}

/** CPU seconds of all of them. */
export function cpuBetween(
  before: ReadonlyMap<number, number>,
  after: ReadonlyMap<number, number>,
): number {
  return sumOf(cpuOfEach(before, after), after.keys());
}

/** Proportional set size in MiB: shared pages count by their share. */
export function proportionalMemory(pids: Iterable<number>): number {
  let kibibytes = 0;
  for (const pid of pids)
    kibibytes += Number(/^Pss:\s+(\d+)/m.exec(readProc(pid, "smaps_rollup") ?? "")?.[1] ?? 0);
  return kibibytes / 1024;
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return undefined;
  }
}
