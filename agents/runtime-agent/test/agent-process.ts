/** The agent as a process, for tests. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";

/** One line of the agent's log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** A running agent. */
export type AgentProcess = {
  readonly child: ChildProcess;
  readonly log: readonly LogLine[];
  /** Everything that the process has written. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
};

const MAIN = join(import.meta.dirname, "../src/main.ts");

/** Starts the agent with these settings and no others. */
export function startAgent(env: Readonly<Record<string, string>>): AgentProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: { LOG_LEVEL: "debug", ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const log: LogLine[] = [];
  let output = "";
  let rest = "";
  child.stderr?.on("data", (chunk) => (output += String(chunk)));
  child.stdout?.on("data", (chunk) => {
    output += String(chunk);
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    log.push(...lines.map((line) => JSON.parse(line) as LogLine));
  });
  const streamsEnded = Promise.all(
    [child.stdout, child.stderr].map((stream) => once(stream as Readable, "close")),
  );
  // Not the child's own "close": it never comes after the parent's side of the channel was closed.
  const ended = once(child, "exit").then(async ([code, signal]: (number | string | null)[]) => {
    await streamsEnded;
    return code ?? signal ?? "unknown";
  });
  return { child, log, ended, output: () => output, kill: (signal) => void child.kill(signal) };
}

/** Waits until `condition` gives something, for ten seconds at most. */
export async function until<Value>(
  what: string,
  condition: () => Value | undefined | false,
): Promise<Value> {
  for (const end = Date.now() + 10_000; Date.now() < end;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    await delay(10);
  }
  throw new Error(`not within ten seconds: ${what}`);
}
