/** Files that change while a service runs: what is new is in use seconds later, and what cannot be used changes nothing but the log. */
import { statSync } from "node:fs";
import type { Logger } from "@sextant/logging";

/** What files hold, kept up to date. */
export type FollowedFiles<Value> = {
  current(): Value;
  /** Calls `use` with what comes after `known`: at once when that is old already, and each time. */
  onChange(known: Value, use: (value: Value) => void): void;
  /** Whether what is on disk is in use. */
  isCurrent(): boolean;
  close(): void;
};

/** Milliseconds between two looks. Looking needs no notifications, which volumes of a cluster do not give. */
const EVERY = 1_000;

/** Changes when the file does, also when it is replaced by another of the same size within a second. */
function versionOf(path: string): string {
  try {
    const found = statSync(path, { bigint: true });
    return `${found.ino} ${found.size} ${found.mtimeNs} ${found.ctimeNs}`;
  } catch (error) {
    // What cannot be looked at cannot be read either: reading says why.
    return String((error as NodeJS.ErrnoException).code);
  }
}

/**
 * Reads what `paths` (files or directories) hold, at once and whenever one of them has changed. `read` throws when they cannot be
 * used: the first time that is thrown on, later it is logged and the last good value stays in use. `what` names it in the log.
 */
export function followFiles<Value>(options: {
  readonly what: string;
  readonly paths: readonly string[];
  readonly read: () => Value;
  readonly log: Logger;
}): FollowedFiles<Value> {
  const { what, paths, read, log } = options;
  const users: ((value: Value) => void)[] = [];
  // Asked first: a file that changes while it is read is read again.
  const versions = (): string => paths.map(versionOf).join();
  let version = versions();
  let value = read();
  let isCurrent = true;

  const look = (): void => {
    const found = versions();
    if (found === version) return;
    version = found;
    try {
      value = read();
      for (const use of users) use(value);
      isCurrent = true;
      log.info({ what }, "changed files are in use");
    } catch (error) {
      isCurrent = false;
      const reason = (error as Error).message;
      log.error({ what, reason }, "changed files cannot be used: the last good ones stay in use");
    }
  };
  const timer = setInterval(look, EVERY).unref();
  return {
    current: () => value,
    onChange(known, use) {
      users.push(use);
      if (value !== known) use(value);
    },
    isCurrent: () => isCurrent,
    close: () => clearInterval(timer),
  };
}
