/** A clock for the processes of a plane that can be put forward and back, by libfaketime. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../story/until.ts";

/** For programs with threads: without its lock a thread may see the time that the machine has. */
const LIBRARY = "libfaketimeMT.so.1";
const PLACES = [
  "/usr/lib/x86_64-linux-gnu/faketime",
  "/usr/lib/aarch64-linux-gnu/faketime",
  "/usr/lib64/faketime",
  "/usr/lib/faketime",
  "/usr/local/lib/faketime",
];

/** What a machine's timers saw of the time by which its clock is put forward. */
export type Timers =
  /** Nothing: the machine was asleep, or its clock was wrong. */
  | "stand still"
  /** All of it: its processes were paused, and every timer is due at once. */
  | "go on";

/** A clock. */
export interface ShiftedClock {
  /** What the first process needs to see it; it passes that on to its children. */
  environment(timers: Timers): Readonly<Record<string, string>>;
  /** The time that those processes see, in milliseconds since 1970. */
  now(): number;
  /**
   * Stops these processes and their descendants, puts the clock forward, or back by less than nothing, and lets them go on. No two of
   * them ever see different times.
   */
  shift(milliseconds: number, roots: readonly number[]): Promise<void>;
  remove(): void;
}

/** Makes a clock that shows the time as it is. */
export function createShiftedClock(): ShiftedClock {
  const library = PLACES.map((place) => join(place, LIBRARY)).find((path) => existsSync(path));
  if (library === undefined)
    throw new Error(
      "libfaketime is not installed: this test puts the plane's clock forward by it. Run: apt-get install faketime",
    );
  const directory = mkdtempSync(join(tmpdir(), "sextant-clock-"));
  // PostgreSQL reads the file as another user.
  chmodSync(directory, 0o755);
  const file = join(directory, "offset");
  const seen = new Set<number>();
  let offset = 0;
  const write = (): void => {
    writeFileSync(`${file}.new`, `+${offset / 1_000}\n`, { mode: 0o644 });
    renameSync(`${file}.new`, file);
  };
  write();
  return {
    environment: (timers) => ({
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      // Else a process looks into the file every ten seconds only.
      FAKETIME_NO_CACHE: "1",
      // Times of files stay as they are.
      NO_FAKE_STAT: "1",
      ...(timers === "stand still" ? { FAKETIME_DONT_FAKE_MONOTONIC: "1" } : {}),
      NODE_OPTIONS: `--import=${join(import.meta.dirname, "pass-on.ts")}`,
    }),
    now: () => Date.now() + offset,
    async shift(milliseconds, roots) {
      const stopped = await stop(roots);
      for (const pid of stopped) seen.add(pid);
      offset += milliseconds;
      write();
      for (const pid of stopped) signal(pid, "SIGCONT");
    },
    remove() {
      rmSync(directory, { recursive: true, force: true });
      // What the library leaves of a process that was killed would be in the way of a later one with the same id.
      for (const pid of seen)
        for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
          rmSync(join("/dev/shm", name), { force: true });
    },
  };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** State and parent of every process. */
function processes(): Map<number, { readonly state: string; readonly parent: number }> {
  const found = new Map<number, { state: string; parent: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // The name in parentheses may hold anything; what follows the last one does not.
      const [state = "", parent] =
        readFileSync(`/proc/${name}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
      found.set(Number(name), { state, parent: Number(parent) });
    } catch {
      // It has ended meanwhile.
    }
  }
  return found;
}

/** Stops processes and their descendants; answers with all of them. */
async function stop(roots: readonly number[]): Promise<readonly number[]> {
  const stopped = new Set<number>();
  const stand = (): boolean => {
    const all = processes();
    const isOurs = (pid: number): boolean =>
      roots.includes(pid) || (pid > 1 && isOurs(all.get(pid)?.parent ?? 0));
    const ours = [...all].filter(([pid, { state }]) => state !== "Z" && isOurs(pid));
    for (const [pid] of ours) {
      if (stopped.has(pid)) continue;
      signal(pid, "SIGSTOP");
      stopped.add(pid);
    }
    // None of them runs, so none has begun another one since they were listed.
    return ours.every(([, { state }]) => state === "T");
  };
  await until("the processes stand still", stand, 10_000, 1);
  return [...stopped];
}
