import { spawn } from "node:child_process";
import { get } from "node:http";
import { Fault } from "./fault.ts";
import type { ProcessPlan } from "./kept-process.ts";
import type { Output } from "./output.ts";

/** A service of the plane, as its process is started. */
export interface ServiceProcess {
  readonly name: string;
  /** The file that Node runs. */
  readonly entry: string;
  /** Where its `/readyz` is. */
  readonly opsURL: string;
  readonly environment: Readonly<Record<string, string>>;
}

const ASK_WITHIN = 2_000;
const FATAL = 60;

/** The plan by which a service is kept: see KeptProcess. */
export function servicePlan(
  { name, entry, opsURL, environment }: ServiceProcess,
  output: Output,
): ProcessPlan {
  let lastWords = "";
  output.watch((service, text) => {
    if (service !== name) return;
    const { level, msg } = JSON.parse(text) as { level: number; msg?: string };
    // What a service says before it gives up: its fatal log line, or the faults of its settings on standard error.
    if (level >= FATAL) lastWords = String(msg);
    else if (level === 50 && lastWords.length < 2_000)
      lastWords += `${lastWords === "" ? "" : "\n"}${String(msg)}`;
  });
  return {
    name,
    spawn() {
      lastWords = "";
      const child = spawn(process.execPath, [entry], {
        env: environment,
        // Away from the terminal, whose Ctrl-C is for the supervisor alone: the services end in its order.
        detached: true,
        // The channel is never written to; that it closes tells the service that the supervisor is gone.
        stdio: ["ignore", "pipe", "pipe", "ipc"],
      });
      output.follow(name, child.stdout, "info");
      output.follow(name, child.stderr, "error");
      return child;
    },
    unready: () => askReadiness(opsURL),
    end: (child) => void child.kill("SIGTERM"),
    kill: (child) => void child.kill("SIGKILL"),
    hopeless(code) {
      // A service waits for what it depends on; one that gives up during the first start cannot run as it is set.
      if (code === null || code === 0) return undefined;
      return new Fault(
        `${name} could not start: ${inShort(lastWords) || `exit code ${code}`}`,
        "Mend what it says and start again; the log lines above say more.",
      );
    },
  };
}

/** Undefined when the service serves, else why not. */
function askReadiness(opsURL: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const request = get(`${opsURL}/readyz`, { timeout: ASK_WITHIN, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => void (body += chunk));
      response.on("end", () => resolve(response.statusCode === 200 ? undefined : reasonIn(body)));
      response.on("error", () => resolve("its answer broke off"));
    });
    request.on("timeout", () => request.destroy(new Error("it does not answer")));
    request.on("error", () => resolve("it does not answer yet"));
  });
}

function reasonIn(body: string): string {
  try {
    return String((JSON.parse(body) as { reason?: unknown }).reason ?? body);
  } catch {
    return body;
  }
}

/** Of a crash's stack the one line that says what happened; of anything else all of it. */
function inShort(words: string): string {
  return /^(?:\w*Error\b.*|.*\[ERR_\w+\].*)$/m.exec(words)?.[0] ?? words;
}
