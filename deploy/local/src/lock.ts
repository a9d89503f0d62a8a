import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { systemCode } from "./fault.ts";

/** A file that says which process holds a directory. */
export interface Lock {
  /** Whether it was left over by a process that did not end in order. */
  readonly wasHeldByTheDead: boolean;
  release(): void;
}

/** A process, told apart from a later one that got the same id, also after the machine was started anew. */
interface Holder {
  readonly pid: number;
  readonly boot: string;
  readonly started: string;
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return otherwise;
  }
}

function identify(pid: number): Holder | undefined {
  // What follows the name in parentheses, which may hold anything: the state first, and 20th when the process started.
  const fields = readOr(`/proc/${pid}/stat`, "").split(") ").at(-1)?.split(" ") ?? [];
  const [state] = fields;
  const started = fields[19];
  // A process that nobody has buried yet is dead all the same.
  if (started === undefined || state === "Z" || state === "X") return undefined;
  return { pid, boot: readOr("/proc/sys/kernel/random/boot_id", "?"), started };
}

function holderOf(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

/** Takes the lock. Calls `onTaken` with the process that holds it, if that one lives. */
export function takeLock(file: string, onTaken: (pid: number) => never): Lock {
  const mine = JSON.stringify(identify(process.pid));
  const unfinished = `${file}.${process.pid}`;
  writeFileSync(unfinished, mine, { mode: 0o600 });
  let wasHeldByTheDead = false;
  try {
    for (;;) {
      try {
        // Unlike a rename, a link never replaces what is there, and the file appears with its content.
        linkSync(unfinished, file);
        break;
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
      }
      const holder = holderOf(file);
      const living = holder === undefined ? undefined : identify(holder.pid);
      if (
        holder !== undefined &&
        living !== undefined &&
        JSON.stringify(living) === JSON.stringify(holder)
      ) {
        onTaken(holder.pid);
      }
      wasHeldByTheDead = true;
      rmSync(file, { force: true });
    }
  } finally {
    rmSync(unfinished, { force: true });
  }
  return {
    wasHeldByTheDead,
    release() {
      if (readOr(file, "") === mine) rmSync(file, { force: true });
    },
  };
}
