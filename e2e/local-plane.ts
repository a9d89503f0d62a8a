/** A plane by `npm start`, as a child process in a directory of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readPlane, type StoryPlane } from "./story/plane.ts";
import { until } from "./story/until.ts";

const ROOT = dirname(import.meta.dirname);
const START_WITHIN = 120_000;

/** What a plane file has beside what a story needs. */
export type LocalPlaneFile = StoryPlane & {
  readonly services: Readonly<Record<string, { readonly pid: number; readonly opsURL: string }>>;
};

/** A plane that was started. */
export interface LocalPlane {
  readonly home: string;
  /** Its public port; the next one is for mTLS. */
  readonly port: number;
  /** What `plane.json` says now. */
  file(): LocalPlaneFile;
  /** Everything that it has printed. */
  output(): string;
  /** The processes that have ended while the plane ran, each with its signal or exit code: `connector SIGKILL`. */
  ended(): readonly string[];
  /** What is to be known when something went wrong: who ended, and what each process said last. */
  account(): string;
  /** Process id of PostgreSQL. */
  postgres(): number;
  /** Process id of the supervisor. */
  supervisor(): number;
  /** Sends a signal to `npm start` and waits for its end. */
  end(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
  /** Kills the supervisor. */
  kill(): Promise<void>;
}

/** Two free ports, one after the other. */
export async function freePortPair(): Promise<number> {
  for (;;) {
    const port = 10_500 + Math.floor(Math.random() * 20_000);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => {
      const address = server.address() as AddressInfo;
      server.close(() => resolve(address.port === port));
    });
  });
}

/** Kills a process of a plane. Without an id it throws: 0 would be this process with all that belongs to it. */
export function killProcess(pid: number | undefined): void {
  if (pid === undefined || !(pid > 0))
    throw new Error("the process that is to be killed is not there");
  process.kill(pid, "SIGKILL");
}

/** Every process that has to do with a directory, whoever its parent is. */
export function processesOf(directory: string): number[] {
  const mentions = (file: string): boolean => {
    try {
      return readFileSync(file, "utf8").includes(directory);
    } catch {
      // It has ended meanwhile.
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => mentions(`/proc/${pid}/cmdline`) || mentions(`/proc/${pid}/environ`))
    .map(Number);
}

/** Lines of each process that an account has. */
const LAST_LINES = 25;

function endedIn(output: string): readonly string[] {
  const ends = /^\S+ warn +supervisor +ended unexpectedly process=(\S+) code=(\S+) signal=(\S+)/gm;
  return [...output.matchAll(ends)].map(
    ([, name, code, signal]) => `${name} ${signal === "null" ? code : signal}`,
  );
}

function accountOf(output: string): string {
  const lines = new Map<string, string[]>();
  let process = "";
  for (const line of output.split("\n")) {
    // A line without a time goes on with what the one before it began, such as a stack.
    process = /^\d\d:\d\d:\d\d\.\d{3} \w+ +(\S+)/.exec(line)?.[1] ?? process;
    const those = lines.get(process) ?? [];
    lines.set(process, those);
    those.push(line);
    if (process !== "supervisor" && those.length > LAST_LINES) those.shift();
  }
  return [...lines].map(([name, last]) => `--- ${name}\n${last.join("\n")}`).join("\n");
}

const started = new Set<ChildProcess>();
const homes = new Set<string>();

/** A directory for a plane; `endPlanes` removes it. */
export function newHome(): string {
  const home = mkdtempSync(join(tmpdir(), "sextant-e2e-"));
  homes.add(home);
  return home;
}

/** Ends what a failed test has left, and removes the directories. */
export async function endPlanes(): Promise<void> {
  for (const child of started) child.kill("SIGTERM");
  for (const home of homes) {
    await until("processes end", () => processesOf(home).length === 0, 20_000).catch(() => {
      for (const pid of processesOf(home)) process.kill(pid, "SIGKILL");
    });
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
  homes.clear();
}

/** Starts a plane and waits until it is ready. Throws with what it printed when it does not start. */
export async function startPlane(
  options: {
    readonly home?: string;
    /** Left out: a free one. */
    readonly port?: number;
    readonly environment?: Readonly<Record<string, string>>;
    /** Words of the command line. Left out: `npm start`. */
    readonly command?: readonly [string, ...string[]];
  } = {},
): Promise<LocalPlane> {
  const home = options.home ?? newHome();
  const port = options.port ?? (await freePortPair());
  const [program, ...words] = options.command ?? ["npm", "start"];
  // Nothing of the environment but what any shell has: a setting of whoever runs the tests must not change them.
  const child = spawn(program, words, {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      npm_config_update_notifier: "false",
      SEXTANT_HOME: home,
      SEXTANT_PORT: String(port),
      ...options.environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => {
      started.delete(child);
      resolve(code ?? signal ?? 1);
    });
  });
  const file = join(home, "plane.json");
  await until(
    "the plane is ready",
    () => {
      if (!started.has(child)) throw new Error(`the plane has ended:\n${output}`);
      return output.includes("Sextant is ready") && existsSync(file);
    },
    START_WITHIN,
  ).catch((error: Error) => {
    throw new Error(`${error.message}\n${output}`);
  });
  const supervisor = (): number => Number(/kill (\d+)/.exec(output)?.[1]);
  return {
    home,
    port,
    supervisor,
    file: () => readPlane(home) as LocalPlaneFile,
    output: () => output,
    ended: () => endedIn(output),
    account: () => accountOf(output),
    postgres: () =>
      Number(readFileSync(join(home, "postgres", "data", "postmaster.pid"), "utf8").split("\n")[0]),
    end(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
    async kill() {
      process.kill(supervisor(), "SIGKILL");
      await ended;
    },
  };
}
