import type { Logger } from "@sextant/logging";

/** What PostgreSQL says all the time while it starts and stops, and to which nobody can do anything. */
const PASSING =
  /the database system is (?:starting up|shutting down|not yet accepting)|terminating connection due to/;

const LEVELS: Readonly<Record<string, "debug" | "info" | "warn" | "error">> = {
  LOG: "debug",
  WARNING: "warn",
  ERROR: "warn",
  FATAL: "warn",
  PANIC: "error",
};

/** Logs a line of PostgreSQL's own log at the level that it has for the reader of a plane's log. */
export function logPostgresLine(log: Logger, line: string): void {
  const text = line.trim();
  if (text === "") return;
  const [, severity = "LOG", message = text] = /^([A-Z]+[0-9]?): {2}(.*)$/.exec(text) ?? [];
  log[PASSING.test(message) ? "debug" : (LEVELS[severity] ?? "debug")](
    { detail: message },
    "server log",
  );
}
