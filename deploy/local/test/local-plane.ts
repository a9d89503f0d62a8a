import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const PROGRAM = join(import.meta.dirname, "stand-ins", "plane.ts");
/** Each test has a home of its own; what they run is the same. */
const COMPILE_CACHE = join(import.meta.dirname, "../../../node_modules/.cache/compiled");
const isRoot = process.getuid?.() === 0;

/** What tools read of a running plane. */
export interface PlaneFile {
  readonly publicURL: string;
  readonly mtlsURL: string;
  readonly tenant: string;
  readonly adminToken: string;
  readonly caFile: string;
  readonly services: Readonly<Record<string, { pid: number; opsURL: string }>>;
}

/** A user that is in no user database. */
export const NAMELESS = { uid: 51_234, gid: 51_234 };

const directories: string[] = [];
const planes: ChildProcess[] = [];

/** A directory for one test, which `cleanUp` removes. */
export function temporaryDirectory(owner?: { uid: number; gid: number }, below = tmpdir()): string {
  const directory = mkdtempSync(join(below, "sextant-plane-"));
  if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
  chmodSync(directory, 0o700);
  directories.push(directory);
  return directory;
}

/** Ends what a failed test left, and removes the directories. */
export async function cleanUp(): Promise<void> {
  for (const child of planes.splice(0)) {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  }
  for (const directory of directories.splice(0)) {
    await until("processes end", () => processesOf(directory).length === 0).catch(() => undefined);
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Waits for something to become true. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false,
  within = 20_000,
): Promise<T> {
  const end = Date.now() + within;
  for (;;) {
    const answer = ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${within} ms in vain: ${what}`);
    await sleep(20);
  }
}

/** Kills a process of a plane. Without an id it throws: 0 would be this process with all that belongs to it. */
export function killProcess(pid: number | undefined): void {
  if (pid === undefined || !(pid > 0))
    throw new Error("the process that is to be killed is not there");
  process.kill(pid, "SIGKILL");
}

/** Every process that has to do with a directory, whoever its parent is. */
export function processesOf(directory: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      ["cmdline", "environ"].some((file) => read(`/proc/${pid}/${file}`).includes(directory)),
    )
    .map(Number);
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** A plane with stand-ins for its services, as a process of its own. */
export class LocalPlane {
  readonly home: string;
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  readonly #exited: Promise<number | string>;

  constructor(options: {
    home: string;
    environment?: Record<string, string>;
    as?: { uid: number; gid: number };
    /** Started through a shell that stays between, as npm does. */
    throughShell?: boolean;
  }) {
    this.home = options.home;
    const [program, words] = options.throughShell
      ? ["/bin/sh", ["-c", '"$@"; exit', "npm", process.execPath, PROGRAM]]
      : [process.execPath, [PROGRAM]];
    this.child = spawn(program, words, {
      env: {
        PATH: process.env["PATH"],
        SEXTANT_HOME: options.home,
        SEXTANT_PORT: "0",
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...options.environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
      ...(isRoot ? options.as : {}),
    });
    planes.push(this.child);
    this.child.stdout?.on("data", (chunk) => void (this.stdout += String(chunk)));
    this.child.stderr?.on("data", (chunk) => void (this.stderr += String(chunk)));
    this.#exited = new Promise((resolve) => {
      this.child.once("close", (code, signal) => resolve(code ?? signal ?? "?"));
    });
  }

  /** Its exit code, or the signal that ended it. */
  exit(): Promise<number | string> {
    return this.#exited;
  }

  /** Waits until it says that it is ready. */
  async ready(): Promise<PlaneFile> {
    const isReady = (): boolean =>
      this.stdout.includes("Sextant is ready") || this.stdout.includes('"msg":"ready"');
    const hasEnded = (): boolean => this.child.exitCode !== null || this.child.signalCode !== null;
    await until("the plane is ready", () => isReady() || hasEnded(), 60_000);
    if (!isReady()) throw new Error(`the plane ended:\n${this.stdout}\n${this.stderr}`);
    return this.file();
  }

  file(): PlaneFile {
    return JSON.parse(readFileSync(join(this.home, "plane.json"), "utf8")) as PlaneFile;
  }

  /** What the stand-ins wrote down. */
  events(): string[] {
    return existsSync(join(this.home, "events"))
      ? read(join(this.home, "events")).trim().split("\n")
      : [];
  }

  /** Its PostgreSQL's address for its superuser. */
  superuserURL(): string {
    const [, , , port] = read(join(this.home, "postgres", "data", "postmaster.pid")).split("\n");
    const password = read(join(this.home, "postgres", "superuser-password")).trim();
    return `postgresql://postgres:${password}@127.0.0.1:${port}/postgres`;
  }

  /** What the process of a service was given, a line for each setting. */
  environmentOf(service: string): string {
    return read(`/proc/${this.file().services[service]?.pid}/environ`).replaceAll("\0", "\n");
  }

  /** The process id of its PostgreSQL. */
  postgres(): number {
    return Number(read(join(this.home, "postgres", "data", "postmaster.pid")).split("\n")[0]);
  }

  async stop(): Promise<number | string> {
    this.child.kill("SIGTERM");
    return this.exit();
  }
}
