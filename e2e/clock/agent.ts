/** An agent that its operator starts by hand, and switches off. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = dirname(dirname(import.meta.dirname));

/** An agent's own files, as far as they are looked at here. */
export interface AgentIdentity {
  readonly privateKey: string;
  readonly chain: string;
}

/** An agent that runs. */
export interface HandMadeAgent {
  readonly pid: number;
  readonly directory: string;
  /** Its log lines. */
  lines(): readonly { readonly level: number; readonly msg: string; readonly why?: string }[];
  identity(): AgentIdentity;
  end(): Promise<void>;
}

/** Starts one. Left out what to pair by: it has paired before. */
export function startAgent(options: {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly pairing?: {
    readonly CONNECTOR_URL: string;
    readonly TOKEN: string;
    readonly CA_PIN: string;
  };
}): HandMadeAgent {
  const { directory } = options;
  mkdirSync(directory, { recursive: true });
  const child: ChildProcess = spawn(process.execPath, ["agents/runtime-agent/src/main.ts"], {
    cwd: ROOT,
    env: { ...options.environment, ...options.pairing, AGENT_DIR: directory, LOG_FORMAT: "json" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid ?? 0,
    directory,
    lines: () =>
      output
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as { level: number; msg: string; why?: string }),
    identity: () =>
      JSON.parse(readFileSync(join(directory, "identity.json"), "utf8")) as AgentIdentity,
    end() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}
