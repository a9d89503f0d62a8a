import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { Fault, systemCode } from "./fault.ts";
import { type Lock, takeLock } from "./lock.ts";

/** The directory of one plane, held by this process alone. */
export interface Home {
  readonly path: string;
  /** Whether the process that held it last did not end in order. */
  readonly afterCrash: boolean;
  /** Path of a file in it. */
  file(name: string): string;
  /** Writes a file for this user's eyes only; whoever reads it sees the old or the new content, never a part. */
  write(name: string, content: string): void;
  remove(name: string): void;
  /** Marks the data as this version's: older ones refuse it from now on. */
  claim(): void;
  /** Lets another process have it. */
  release(): void;
}

const VERSION_FILE = "version";

/** Makes the directory where there is none, takes it for this process, and checks that its data is not from the future. */
export function openHome(path: string, version: string): Home {
  const made = makeDirectory(path);
  let lock: Lock;
  try {
    lock = takeLock(join(path, "lock"), (pid) => {
      throw new Fault(
        `a plane is running in ${path} already (process ${pid}).`,
        `Stop it with "kill ${pid}", or start a second one beside it with another SEXTANT_HOME and SEXTANT_PORT.`,
      );
    });
  } catch (error) {
    throw explain(error, path);
  }
  const write = (name: string, content: string): void => {
    const target = join(path, name);
    const unfinished = `${target}.unfinished`;
    rmSync(unfinished, { force: true });
    writeFileSync(unfinished, content, { mode: 0o600, flush: true });
    renameSync(unfinished, target);
  };
  const release = (): void => {
    lock.release();
    try {
      // A start that was refused leaves nothing behind: this works on an empty directory only.
      if (made) rmdirSync(path);
    } catch {
      // Not empty: it holds a plane.
    }
  };
  try {
    checkVersion(join(path, VERSION_FILE), version);
  } catch (error) {
    release();
    throw explain(error, path);
  }
  return {
    path,
    afterCrash: lock.wasHeldByTheDead,
    file: (name) => join(path, name),
    write,
    claim: () => write(VERSION_FILE, `${version}\n`),
    remove: (name) => rmSync(join(path, name), { force: true }),
    release,
  };
}

function makeDirectory(path: string): boolean {
  try {
    const made = mkdirSync(path, { recursive: true, mode: 0o700 }) !== undefined;
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return made;
  } catch (error) {
    throw explain(error, path);
  }
}

function explain(error: unknown, path: string): unknown {
  const remedy =
    "Let the user that runs this own it, or choose another directory with SEXTANT_HOME=<path>.";
  switch (systemCode(error)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new Fault(`the directory ${path} is not writable for this user.`, remedy, {
        cause: error,
      });
    case "EEXIST":
    case "ENOTDIR":
      return new Fault(`${path} is not a directory.`, remedy, { cause: error });
    case "ENOSPC":
      return new Fault(
        `the disk of ${path} is full.`,
        "Make room, or choose another directory with SEXTANT_HOME=<path>.",
      );
    case undefined:
    default:
      return error;
  }
}

function checkVersion(file: string, version: string): void {
  let found: string;
  try {
    found = readFileSync(file, "utf8").trim();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  if (compareReleases(found, version) <= 0) return;
  throw new Fault(
    `the data in ${file.slice(0, -VERSION_FILE.length - 1)} was made by Sextant ${found}, which is newer than this one (${version}).`,
    `Start it with Sextant ${found} or later, or choose another directory with SEXTANT_HOME=<path>.`,
  );
}

/** Compares what may change the data: patch releases do not. */
function compareReleases(one: string, other: string): number {
  const [a, b] = [one, other].map((version) =>
    version.split(".").map((part) => Number.parseInt(part, 10) || 0),
  );
  const major = (a?.[0] ?? 0) - (b?.[0] ?? 0);
  return major === 0 ? (a?.[1] ?? 0) - (b?.[1] ?? 0) : major;
}
