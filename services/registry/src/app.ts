/** The object graph of the Registry's process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Logger } from "@sextant/logging";
import { createIDSource } from "@sextant/registry-client";
import {
  type App,
  Counter,
  Gauge,
  listenInternally,
  type ProcessContext,
  openTrust,
} from "@sextant/service";
import { ensureBootstrap, readBootstrap } from "./bootstrap.ts";
import { CleanUpRepository } from "./clean-up/clean-up.repository.ts";
import { AuditRepository } from "./audit/audit.repository.ts";
import { startChain } from "./audit/chain.ts";
import { startCleanUp } from "./clean-up/clean-up.ts";
import type { RegistrySettings } from "./config.ts";
import { Database } from "./database/database.ts";
import { isNotThereYet } from "./database/error.ts";
import { Listener } from "./database/listener.ts";
import { prepareDatabase } from "./database/prepare.ts";
import { ownerURL } from "./database/owner-url.ts";
import { FEED_CHANNEL } from "./feed/feed.repository.ts";
import { createRegistry } from "./registry.ts";
import { registryRoutes } from "./routes.ts";

const RETRY_AFTER = 250;
/** How long open calls may take to end. Held ones are answered at once. */
const DRAIN = 5_000;

/** Does something as soon as the database can be reached. What will not pass by waiting ends the process. */
async function onceReached<Result>(run: () => Promise<Result>, log: Logger): Promise<Result> {
  let told = false;
  for (;;) {
    try {
      return await run();
    } catch (error) {
      if (!isNotThereYet(error)) throw error;
      const reason = error instanceof Error ? error.message : "";
      if (!told) log.info({ reason }, "waiting for the database");
      told = true;
      await pause(RETRY_AFTER);
    }
  }
}

/** Starts the Registry. */
export async function start(
  settings: RegistrySettings,
  { log, metrics }: ProcessContext,
): Promise<App> {
  const { verifier, tls } = openTrust("registry", settings, log);
  const bootstrap =
    settings.SEXTANT_BOOTSTRAP_FILE === undefined
      ? undefined
      : readBootstrap(settings.SEXTANT_BOOTSTRAP_FILE);

  const databaseSettings = {
    ownerURL: ownerURL(settings),
    serviceURL: settings.DATABASE_SERVICE_URL,
    servicePassword: () =>
      readFileSync(join(settings.SEXTANT_KEYS_DIR, "database-password"), "utf8").trim(),
  };
  const url = await onceReached(() => prepareDatabase(databaseSettings, log), log);
  const database = new Database({ url, log, connections: settings.DATABASE_CONNECTIONS });
  const core = createRegistry({ database, log });
  const listener = new Listener(url, FEED_CHANNEL, (payload) => core.feed.hint(payload), log);
  await onceReached(() => core.feed.start(), log);
  listener.start();
  const chain = startChain({ repository: new AuditRepository(database), log });
  const cleanUp = startCleanUp({ repository: new CleanUpRepository(database), log });
  if (bootstrap !== undefined) {
    const registries = {
      director: core.registryFor("director"),
      gateway: core.registryFor("api-gateway"),
    };
    const newID = createIDSource(Date.now);
    await onceReached(() => ensureBootstrap(bootstrap, registries, newID, log), log);
  }

  const calls = new Counter({
    name: "sextant_registry_calls_total",
    help: "Calls of the Registry's verbs",
    labelNames: ["verb", "caller"],
    registers: [metrics],
  });
  new Gauge({
    name: "sextant_registry_database_connections",
    help: "Connections to the database, and calls that wait for one",
    labelNames: ["state"],
    registers: [metrics],
    collect() {
      this.set({ state: "open" }, database.load.connections);
      this.set({ state: "awaited" }, database.load.waiting);
    },
  });

  const routes = registryRoutes(core, verifier, (verb, caller) => calls.inc({ verb, caller }));
  const server = await listenInternally({
    address: settings.SEXTANT_LISTEN,
    routes,
    tls,
    log,
  });
  log.info({ at: server.at }, "listening");

  return {
    readiness: () => (core.feed.interrupted ? "the database cannot be reached" : undefined),
    close: async () => {
      await Promise.all([cleanUp.close(), chain.close()]);
      await core.close();
      await server.close(DRAIN);
      await listener.stop();
      await database.close();
    },
  };
}
