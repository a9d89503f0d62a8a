/** The Registry as a process of its own, as a plane runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { createTestKeys, type TestKeys } from "@sextant/testkit";

/** A process that can be killed and started again, always at the same address. */
export class RegistryProcess {
  readonly keys: TestKeys = createTestKeys();
  readonly url: string;
  /** Everything that the current process has written. */
  output = "";
  readonly #environment: Readonly<Record<string, string>>;
  readonly #directory: string;
  readonly #opsURL: string;
  #child: ChildProcess | undefined;

  private constructor(ports: readonly number[], environment: Readonly<Record<string, string>>) {
    const [port, opsPort] = ports;
    this.#directory = mkdtempSync(join(tmpdir(), "sextant-registry-"));
    this.keys.write(this.#directory, "registry");
    writeFileSync(join(this.#directory, "database-password"), "only-for-tests");
    this.url = `http://127.0.0.1:${port}`;
    this.#opsURL = `http://127.0.0.1:${opsPort}`;
    this.#environment = {
      SEXTANT_LISTEN: `127.0.0.1:${port}`,
      SEXTANT_OPS_LISTEN: `127.0.0.1:${opsPort}`,
      SEXTANT_KEYS_DIR: this.#directory,
      ...environment,
    };
  }

  static async create(environment: Readonly<Record<string, string>>): Promise<RegistryProcess> {
    return new RegistryProcess([await freePort(), await freePort()], environment);
  }

  start(): void {
    this.output = "";
    const main = join(import.meta.dirname, "../src/main.ts");
    this.#child = spawn(process.execPath, [main], {
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    }
  }

  /** Undefined when the process serves, else why not. */
  async unready(): Promise<string | undefined> {
    try {
      const answer = await fetch(`${this.#opsURL}/readyz`);
      const body = (await answer.json()) as { reason?: string };
      return answer.status === 200 ? undefined : (body.reason ?? String(answer.status));
    } catch {
      return "it does not answer";
    }
  }

  async ready(within = 30_000): Promise<void> {
    const until = Date.now() + within;
    for (;;) {
      const reason = await this.unready();
      if (reason === undefined) return;
      if (Date.now() > until)
        throw new Error(`the registry is not ready: ${reason}\n${this.output}`);
      await pause(25);
    }
  }

  /** Sends a signal and waits for the end; answers with the exit code. */
  async end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await new Promise((resolve) => child.once("exit", resolve));
    }
    return child.exitCode;
  }

  /** Waits for a process that ends by itself. */
  async ended(): Promise<number | null> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
    return child?.exitCode ?? null;
  }

  async close(): Promise<void> {
    await this.end("SIGKILL");
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A port that is free now. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}
