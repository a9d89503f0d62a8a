import { dirname, join } from "node:path";
import { ConfigError } from "@sextant/config";
import { createLogger } from "@sextant/logging";
import manifest from "../package.json" with { type: "json" };
import { HELP, type LocalSettings, readSettings } from "./config.ts";
import { Fault, systemCode } from "./fault.ts";
import { createOutput } from "./output.ts";
import { Plane, type PlaneParts, type ReadyPlane } from "./plane.ts";
import { readyMessage } from "./ready-message.ts";
import type { ServiceName } from "./topology.ts";

const ROOT = dirname(dirname(dirname(import.meta.dirname)));
const PARENT_WATCH = 500;
/** npm passes on the Ctrl-C that the terminal has sent to this process too: one wish, two signals. */
const SAME_WISH = 500;

function serviceEntry(name: ServiceName): string {
  return join(ROOT, "services", name, "src", "main.ts");
}

/** The command `npm start`: answers with the exit code once everything has ended. */
export async function run(
  words: readonly string[],
  entryOf: PlaneParts["entryOf"] = serviceEntry,
): Promise<number> {
  if (words.includes("--help") || words.includes("-h")) {
    process.stdout.write(HELP);
    return 0;
  }
  try {
    if (words.length > 0)
      throw new Fault(
        `"${words.join(" ")}" is not understood.`,
        "npm start -- --help shows the settings.",
      );
    return await keepPlane(readSettings(), entryOf);
  } catch (error) {
    if (!(error instanceof Fault || error instanceof ConfigError)) throw error;
    const remedy =
      error instanceof Fault ? error.remedy : "npm start -- --help shows what each may be.";
    process.stderr.write(`\nsextant: ${error.message}\n         ${remedy}\n\n`);
    return 1;
  }
}

async function keepPlane(settings: LocalSettings, entryOf: PlaneParts["entryOf"]): Promise<number> {
  const reader = { isThere: true };
  const write = (text: string): void => {
    if (reader.isThere) process.stdout.write(text);
  };
  const output = createOutput({
    format: settings.logFormat,
    colour: settings.colour,
    write,
    now: () => new Date(),
  });
  const logger = (service: string) =>
    createLogger(
      { service, level: settings.logLevel, format: "json" },
      { write: (text: string) => output.line(service, text.trimEnd()) },
    );
  const log = logger("supervisor");
  const plane = new Plane({
    settings,
    output,
    log,
    databaseLog: logger("postgres"),
    version: manifest.version,
    entryOf,
    now: () => new Date(),
  });

  const told = Promise.withResolvers<string>();
  let toldAt: number | undefined;
  const stop = (cause: string): void => {
    if (toldAt !== undefined) {
      if (performance.now() - toldAt < SAME_WISH) return;
      log.warn({ cause }, "ending at once");
      plane.kill();
      return;
    }
    toldAt = performance.now();
    log.info({ cause }, "stopping in order");
    told.resolve(cause);
    void plane.stop();
  };
  const unwatch = watchForTheEnd(settings, reader, stop, (error) => {
    log.fatal({ err: error }, "unexpected fault of the supervisor");
    plane.kill();
    process.exit(1);
  });

  try {
    const ready = await plane.start();
    announce(settings, ready, write, log);
    await told.promise;
    await plane.stop();
    log.info("stopped");
    return 0;
  } catch (error) {
    // A start that was broken off by a signal has done as it was told.
    if (toldAt !== undefined && error instanceof Fault) return 0;
    throw error;
  } finally {
    unwatch();
  }
}

function announce(
  settings: LocalSettings,
  ready: ReadyPlane,
  write: (text: string) => void,
  log: ReturnType<typeof createLogger>,
): void {
  const { publicURL, mtlsURL } = ready.topology;
  const after = process.uptime();
  const tokenFile = join(settings.home, "admin-token");
  if (settings.logFormat === "json") {
    // A log may be kept and sent on: the token itself is in its file.
    const { caFile, caFingerprint, tenant } = ready;
    log.info({ publicURL, mtlsURL, tenant, caFile, caFingerprint, tokenFile, after }, "ready");
    return;
  }
  write(readyMessage({ ...ready, publicURL, mtlsURL, tokenFile, after }, process.cwd()));
}

/**
 * Calls `stop` for every way in which a plane is told to end, and `onFault` for a fault that nobody caught. Takes note of it when
 * the reader of standard output has gone.
 */
function watchForTheEnd(
  settings: LocalSettings,
  reader: { isThere: boolean },
  stop: (cause: string) => void,
  onFault: (error: unknown) => void,
): () => void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => stop(signal));
  process.stdout.on("error", (error) => {
    // There is nobody left to show anything to, and to tell of it would only be the next such error.
    if (systemCode(error) !== "EPIPE" || !reader.isThere) return;
    reader.isThere = false;
    stop("standard output was closed");
  });
  process.on("uncaughtException", onFault);
  process.on("unhandledRejection", onFault);
  const parent = process.ppid;
  const watch = setInterval(() => {
    // npm that is killed takes no child with it; that this process got another parent is all there is to see.
    if (settings.endsWithParent && process.ppid !== parent) {
      clearInterval(watch);
      stop("npm is gone");
    }
  }, PARENT_WATCH);
  return () => clearInterval(watch);
}
