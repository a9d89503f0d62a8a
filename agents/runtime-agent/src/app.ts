/** Puts the agent together and runs it until its process is told to end. */
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { ConfigError } from "@sextant/config";
import { createLogger } from "@sextant/logging";
import { createAgent, type Agent } from "./agent/agent.ts";
import type { Settings } from "./config.ts";
import { connectFault } from "./health/reachability.ts";
import { serveHealth } from "./health/health-server.ts";
import { createIdentityStore } from "./identity/identity-store.ts";
import { createPlanStore } from "./plan/plan-store.ts";
import { createPlaneConnection } from "./plane/plane-connection.ts";
import { alwaysAt, findAuthority } from "./plane/trust.ts";
import { makeDirectory } from "./storage/durable-file.ts";

/** Longest time that the agent takes to end, in milliseconds. */
const END_AT_LATEST = 5_000;

/** Runs the agent. Comes back when the process is told to end: by a signal, or by the end of the process that forked it. */
export async function runAgent(settings: Settings): Promise<void> {
  const log = createLogger({
    service: "runtime-agent",
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
  });
  try {
    await makeDirectory(settings.AGENT_DIR);
  } catch (error) {
    const { code = "unknown fault" } = error as NodeJS.ErrnoException;
    throw new ConfigError([{ setting: "AGENT_DIR", message: `cannot be used: ${code}` }]);
  }
  const identityStore = createIdentityStore(settings.AGENT_DIR, Math.random);
  if ((await identityStore.load()) === undefined) checkPairing(settings);
  const lookup = settings.PLANE_HOST === undefined ? undefined : alwaysAt(settings.PLANE_HOST);
  const agent: Agent = createAgent({
    settings: {
      connectorUrl: settings.CONNECTOR_URL,
      token: settings.TOKEN,
      runtimeId: settings.RUNTIME_ID,
      reachIntervalMs: settings.REACH_INTERVAL * 1_000,
    },
    identityStore,
    planStore: createPlanStore(settings.AGENT_DIR),
    connect: (options) => createPlaneConnection({ ...options, lookup }),
    findAuthority: (url, signal) =>
      findAuthority(url, { caFile: settings.CA_FILE, caPin: settings.CA_PIN, lookup }, signal),
    now: () => new Date(),
    random: Math.random,
    sleep: (milliseconds, signal) =>
      delay(milliseconds, undefined, { signal }).catch(() => undefined),
    connectFault,
    log: log.child({ runtime: settings.RUNTIME_ID, tenant: settings.TENANT }),
  });
  const stop = new AbortController();
  const end = (cause: string): void => {
    if (stop.signal.aborted) return;
    log.info({ cause }, "ending");
    setTimeout(() => process.exit(1), END_AT_LATEST).unref();
    stop.abort();
  };
  process.once("SIGTERM", () => end("SIGTERM"));
  process.once("SIGINT", () => end("SIGINT"));
  process.once("disconnect", () => end("the parent process is gone"));
  const address = settings.SEXTANT_OPS_LISTEN;
  const health = address === undefined ? undefined : await serveHealth(address, agent.readiness);
  if (health !== undefined) log.info(health.address() as AddressInfo, "health is served");
  await agent.run(stop.signal);
  health?.close();
  log.info("ended");
}

// An agent that has its certificate needs none of these any more.
function checkPairing({ CONNECTOR_URL, TOKEN, CA_FILE, CA_PIN }: Settings): void {
  const faults = [
    ...(CONNECTOR_URL === undefined
      ? [{ setting: "CONNECTOR_URL", message: "is required to pair" }]
      : []),
    ...(TOKEN === undefined ? [{ setting: "TOKEN", message: "is required to pair" }] : []),
    ...(CA_FILE === undefined && CA_PIN === undefined
      ? [
          {
            setting: "CA_PIN",
            message: "or CA_FILE is required to pair: without one nothing proves who the plane is",
          },
        ]
      : []),
  ];
  if (faults.length > 0) throw new ConfigError(faults);
}
