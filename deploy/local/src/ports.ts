import { readFileSync } from "node:fs";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { Fault, systemCode } from "./fault.ts";

const LOWEST = 10_240;

/** Whether something can listen there, and why not. */
export function tryListen(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => resolve(error));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** The first port that the system gives to outgoing connections: one of those is free now and may be taken a second later. */
function firstEphemeral(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s/)[0]);
  } catch {
    return 32_768;
  }
}

/**
 * Free ports on the loopback address that stay free for a process that is started, or started again, later; none of `promised`, on
 * which nobody may listen yet.
 */
export async function freePorts(
  count: number,
  promised: readonly number[] = [],
  [start, end] = [LOWEST, Math.max(firstEphemeral(), LOWEST + 1_000)],
): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < 1_000; tries++) {
    const port = randomInt(start, end);
    if (promised.includes(port) || found.has(port)) continue;
    if ((await tryListen("127.0.0.1", port)) === undefined) found.add(port);
  }
  if (found.size < count) {
    throw new Fault(
      "no free ports are left on this machine.",
      "End some of the processes that listen.",
    );
  }
  return [...found];
}

/** Refuses, with the remedy, a public address that cannot be listened on. */
export async function checkPort(setting: string, host: string, port: number): Promise<void> {
  const error = await tryListen(host, port);
  if (error === undefined) return;
  switch (systemCode(error)) {
    case "EADDRINUSE":
      throw new Fault(
        `port ${port} on ${host} is taken by another process.`,
        `Choose another with ${setting}=<port>, or end that process (ss -ltnp "sport = :${port}" shows it).`,
      );
    case "EACCES":
      throw new Fault(
        `this user may not listen on port ${port}.`,
        `Choose a port from 1024 on with ${setting}=<port>.`,
      );
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EINVAL":
      throw new Fault(
        `${host} is no address of this machine.`,
        "Set SEXTANT_HOST to an address of this machine, such as 127.0.0.1 or 0.0.0.0.",
      );
    default:
      throw new Fault(
        `cannot listen on ${host}:${port}: ${error.message}.`,
        `Check SEXTANT_HOST and ${setting}.`,
      );
  }
}
