import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Logger } from "@sextant/logging";
import { Fault } from "../fault.ts";
import type { ProcessPlan } from "../kept-process.ts";
import type { Binaries } from "./binaries.ts";
import { type Cluster, socketDirectory } from "./cluster.ts";
import { type Confinement, confine, ENVIRONMENT } from "./confinement.ts";
import { logPostgresLine } from "./log-lines.ts";

/** Settings for one plane on a machine that has other work too. Durability is not among them: it stays on. */
export const PLANE_SETTINGS: Readonly<Record<string, string>> = {
  shared_buffers: "64MB",
  max_connections: "100",
  // One process less each for what a plane's short statements do not need.
  io_method: "sync",
  max_logical_replication_workers: "0",
  jit: "off",
  max_wal_size: "512MB",
  log_checkpoints: "off",
  // The text of an error holds the row that it is about: no message below LOG, no statement, no detail.
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_line_prefix: "",
  log_timezone: "UTC",
};

/** What a server that has just died leaves behind for some seconds; the next one succeeds when it is gone. */
const PASSES_BY_ITSELF =
  /already exists|still in use|Address already in use|could not create any TCP\/IP sockets/;

/**
 * Runs the server and ends it in order when standard input closes, which the end of this process does too, however it
 * comes. Both are children of one shell, so that nothing is ever left without its keeper.
 */
const KEEPER = `
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
{ read -r _ <&3; kill -INT "$server"; } 2>/dev/null &
keeper=$!
exec 3<&-
wait "$server"
code=$?
kill "$keeper" 2>/dev/null
exit "$code"`;

/** The plan by which the server is kept: see KeptProcess. */
export function postgresPlan(options: {
  readonly binaries: Binaries;
  readonly cluster: Cluster;
  readonly confinement: Confinement;
  readonly port: number;
  readonly settings: Readonly<Record<string, string>>;
  readonly log: Logger;
}): ProcessPlan {
  const { binaries, cluster, confinement, port, settings, log } = options;
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: socketDirectory(cluster, port) ?? "",
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  let lastLines: string[] = [];
  return {
    name: "postgres",
    spawn() {
      endOrphan(cluster);
      lastLines = [];
      const program = [
        "-c",
        KEEPER,
        "sextant-postgres",
        binaries.postgres,
        "-D",
        cluster.data,
        ...flags,
      ];
      const { command, words, options: as } = confine(confinement, "/bin/sh", program);
      const child = spawn(command, words, {
        ...as,
        cwd: "/",
        // Away from the terminal, whose Ctrl-C is for the supervisor alone.
        detached: true,
        stdio: ["pipe", "ignore", "pipe"],
        env: ENVIRONMENT,
      });
      child.stdin?.on("error", () => undefined);
      if (child.stderr !== null) {
        createInterface({ input: child.stderr }).on("line", (line) => {
          lastLines = [...lastLines.slice(-9), line];
          logPostgresLine(log, line);
        });
      }
      return child;
    },
    async unready(child) {
      const { pid, status } = readPostmaster(cluster) ?? {};
      if (pid === undefined || parentOf(pid) !== child.pid) return "the server has not started yet";
      return status === "ready" ? undefined : "the server is recovering its data";
    },
    end(child) {
      child.stdin?.end();
    },
    kill(child) {
      const { pid } = readPostmaster(cluster) ?? {};
      if (pid !== undefined && parentOf(pid) === child.pid) signal(pid, "SIGQUIT");
      else if (child.pid !== undefined) signal(-child.pid, "SIGKILL");
    },
    hopeless(code) {
      const words = lastLines.join("\n");
      if (code === null || code > 128 || PASSES_BY_ITSELF.test(words)) return undefined;
      return new Fault(
        `PostgreSQL cannot start from ${cluster.data}:\n${words}`,
        "Its own message above says what to mend; or choose another SEXTANT_HOME.",
      );
    },
  };
}

/** The server's own file about itself: who it is and whether it takes connections. */
function readPostmaster({ data }: Cluster): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(data, "postmaster.pid"), "utf8").split("\n");
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? "" };
  } catch {
    return undefined;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    // The name in parentheses may hold anything; what follows the last one does not.
    const [, parent] =
      readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return Number(parent);
  } catch {
    return undefined;
  }
}

/** A server whose keeper was killed: ours, because this process holds the lock on its home. */
function endOrphan(cluster: Cluster): void {
  const { pid } = readPostmaster(cluster) ?? {};
  if (pid === undefined) return;
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (words.includes(cluster.data)) signal(pid, "SIGINT");
  } catch {
    // No such process any more.
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended by itself.
  }
}
