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

/** CPU seconds that processes have used so far. */
export function cpuSeconds(pids: Iterable<number>): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readProc(pid, "stat");
    const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0);
  }
  return ticks / TICKS;
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
