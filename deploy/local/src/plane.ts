import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@sextant/logging";
import { setUp, SetUpError, type SetUpResult } from "@sextant/set-up";
import type { LocalSettings } from "./config.ts";
import { Fault } from "./fault.ts";
import { type Home, openHome } from "./home.ts";
import { KeptProcess, type Patience, PATIENCE } from "./kept-process.ts";
import type { Output } from "./output.ts";
import { checkPort } from "./ports.ts";
import { openForPassage } from "./postgres/ownership.ts";
import { type EmbeddedPostgres, embeddedPostgres } from "./postgres/postgres.ts";
import { servicePlan } from "./service.ts";
import {
  chooseTopology,
  type ServiceName,
  serviceProcesses,
  STOP_ORDER,
  type Topology,
} from "./topology.ts";

const TENANT = { externalID: "default", name: "Default" };
/** How long the listeners of a plane that was killed may take to close. */
const AFTERMATH = 5_000;

/** What a plane is made of. */
export interface PlaneParts {
  readonly settings: LocalSettings;
  readonly output: Output;
  readonly log: Logger;
  /** For what PostgreSQL itself says. */
  readonly databaseLog: Logger;
  readonly version: string;
  /** The file that Node runs for a service. */
  entryOf(name: ServiceName): string;
  now(): Date;
  readonly patience?: Patience;
}

/** A plane that serves. */
export interface ReadyPlane extends Pick<SetUpResult, "adminToken" | "caFile" | "caFingerprint"> {
  readonly topology: Topology;
  readonly tenant: string;
}

/** All the processes of one plane, started together and stopped in order. */
export class Plane {
  readonly #parts: PlaneParts;
  #home: Home | undefined;
  #services: KeptProcess[] = [];
  #postgres: KeptProcess | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: PlaneParts) {
    this.#parts = parts;
  }

  /** Starts everything; resolves when all of it serves. When it throws, nothing is left running. */
  async start(): Promise<ReadyPlane> {
    try {
      return await this.#start();
    } catch (error) {
      await this.stop();
      throw error instanceof SetUpError
        ? new Fault(
            `the plane's keys could not be made: ${error.message}`,
            "Mend that and start again.",
            { cause: error },
          )
        : error;
    }
  }

  /** Stops everything in order: the door first, so that what is under way ends well, the database last. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Ends everything at once. */
  kill(): void {
    for (const kept of this.#processes()) kept.kill();
  }

  async #start(): Promise<ReadyPlane> {
    const { settings, version, log, now } = this.#parts;
    const home = openHome(settings.home, version);
    this.#home = home;
    home.remove("plane.json");
    await this.#checkPorts(home);
    home.claim();
    log.info({ home: home.path, version }, "starting");
    const topology = await chooseTopology(settings);
    this.#throwIfStopped();

    // Everything at once: what needs something else waits for it by itself.
    const database = this.#prepareDatabase(home, topology);
    const keys = setUp({
      home: home.path,
      publicHosts: settings.publicHosts,
      ...(settings.ownAuthority === undefined ? {} : { ownAuthority: settings.ownAuthority }),
      tenant: TENANT,
      now: now(),
    });
    await this.#untilAllSettled([database, keys]);
    const [postgres, made] = [await database, await keys];
    this.#throwIfStopped();
    const databaseURL = settings.databaseURL ?? postgres?.ownerURL ?? "";
    this.#services = this.#makeServices(topology, databaseURL);
    await this.#untilAllSettled(this.#processes().map((kept) => kept.start()));
    this.#throwIfStopped();

    const ready: ReadyPlane = { ...made, topology, tenant: TENANT.externalID };
    this.#publish(home, ready);
    for (const kept of this.#services) kept.onServing(() => this.#publish(home, ready));
    return ready;
  }

  async #checkPorts(home: Home): Promise<void> {
    const { host, port, mtlsPort } = this.#parts.settings;
    const check = async (): Promise<void> => {
      await checkPort("SEXTANT_PORT", host, port);
      await checkPort("SEXTANT_MTLS_PORT", host, mtlsPort);
    };
    const until = Date.now() + AFTERMATH;
    for (;;) {
      try {
        await check();
        return;
      } catch (error) {
        // The gateway of a plane that was killed is on its way out.
        if (!home.afterCrash || Date.now() > until) throw error;
        await sleep(100);
      }
    }
  }

  async #prepareDatabase(
    home: Home,
    { postgresPort }: Topology,
  ): Promise<EmbeddedPostgres | undefined> {
    const { settings, log, databaseLog, patience } = this.#parts;
    if (settings.databaseURL !== undefined) {
      // Loaded only where it is needed: the supervisor stays in memory as long as the plane.
      const { checkDatabase } = await import("./database.ts");
      await checkDatabase(settings.databaseURL);
      return undefined;
    }
    // PostgreSQL runs as another user than root, and its files are inside.
    if (process.getuid?.() === 0) openForPassage(home.path);
    const postgres = await embeddedPostgres({
      directory: home.file("postgres"),
      port: postgresPort,
      log,
      serverLog: databaseLog,
      ...(patience === undefined ? {} : { patience }),
    });
    this.#postgres = postgres.process;
    return postgres;
  }

  #makeServices(topology: Topology, databaseURL: string): KeptProcess[] {
    const { settings, output, log, entryOf, patience = PATIENCE } = this.#parts;
    return serviceProcesses({ settings, topology, databaseURL, entryOf }).map(
      (service) => new KeptProcess(servicePlan(service, output), log, patience),
    );
  }

  #processes(): KeptProcess[] {
    return this.#postgres === undefined ? this.#services : [...this.#services, this.#postgres];
  }

  /** What tools read to find the plane; a service that was started again has another process id. */
  #publish(home: Home, { topology, tenant, adminToken, caFile }: ReadyPlane): void {
    if (this.#stopped !== undefined) return;
    const pids = new Map(this.#services.map((kept) => [kept.name, kept.pid]));
    const services = Object.fromEntries(
      STOP_ORDER.map((name) => [name, { pid: pids.get(name), opsURL: topology.opsURL[name] }]),
    );
    const { publicURL, mtlsURL } = topology;
    const content = { publicURL, mtlsURL, tenant, adminToken, caFile, services };
    home.write("plane.json", `${JSON.stringify(content, undefined, 2)}\n`);
  }

  async #stop(): Promise<void> {
    const { log } = this.#parts;
    this.#home?.remove("plane.json");
    for (const kept of this.#processes()) {
      await kept.stop();
      log.debug({ process: kept.name }, "stopped");
    }
    this.#home?.release();
  }

  #throwIfStopped(): void {
    if (this.#stopped !== undefined) throw new Fault("the start was broken off.", "Start again.");
  }

  /** Waits for every task even when one fails, so that nothing goes on behind the back of what stops the rest. */
  async #untilAllSettled(tasks: readonly Promise<unknown>[]): Promise<void> {
    try {
      await Promise.all(tasks);
    } catch (error) {
      for (const kept of this.#processes()) kept.giveUp();
      await Promise.allSettled(tasks);
      throw error;
    }
  }
}
