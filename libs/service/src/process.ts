/** The life of a service's process: starts, becomes ready, serves, drains, ends. */
import { ConfigError, type ListenAddress } from "@sextant/config";
import { createLogger, type Logger } from "@sextant/logging";
import { json, type Route } from "./dispatcher.ts";
import { listen, requestListener } from "./http-server.ts";
import { createMetrics, type MetricsRegistry } from "./metrics.ts";

/** What a service's `app.ts` gives to its process. */
export type App = {
  /** What is served to operators beside health and metrics. */
  readonly opsRoutes?: readonly Route[];
  /** Undefined when the service can serve; else why not, for `/readyz` and the log. */
  readiness(): string | undefined | Promise<string | undefined>;
  /** Serves on for a while after the service has said that it is not ready, when it is to end. */
  drain?(): Promise<void>;
  /** Stops taking new work, ends what is open, closes connections. */
  close(): Promise<void>;
};

/** What a service needs from its process. */
export type ProcessContext = { readonly log: Logger; readonly metrics: MetricsRegistry };

/** The settings that the process itself reads. */
type ProcessSettings = {
  readonly SEXTANT_OPS_LISTEN: ListenAddress;
  readonly LOG_LEVEL: string;
  readonly LOG_FORMAT: "json" | "text";
};

/** Longest time a service takes to end before it is ended, in milliseconds. */
const END_AT_LATEST = 15_000;

/**
 * Runs a service until it is told to end: by SIGTERM or SIGINT, or by the end of the process that forked it. Wrong settings
 * are written to standard error and end the process with 1; so does a start that fails.
 */
export async function runService<Settings extends ProcessSettings>(
  name: string,
  readSettings: () => Settings,
  start: (settings: Settings, context: ProcessContext) => Promise<App>,
): Promise<void> {
  let settings: Settings;
  try {
    settings = readSettings();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
  const log = createLogger({
    service: name,
    level: settings.LOG_LEVEL,
    format: settings.LOG_FORMAT,
  });
  const metrics = createMetrics(name);
  let app: App | undefined;
  let state: "starting" | "serving" | "ending" = "starting";
  const unready = async (): Promise<string | undefined> =>
    state === "serving" ? app?.readiness() : `the service is ${state}`;

  const opsRoutes: Route[] = [
    { path: "/healthz", methods: { GET: () => json({ status: "ok" }) } },
    {
      path: "/readyz",
      methods: {
        GET: async () => {
          const reason = await unready();
          return reason === undefined
            ? json({ status: "ready" })
            : json({ status: "not ready", reason }, 503);
        },
      },
    },
    {
      path: "/metrics",
      methods: {
        GET: async () => ({
          status: 200,
          headers: { "content-type": metrics.contentType },
          body: await metrics.metrics(),
        }),
      },
    },
  ];

  const end = async (cause: string): Promise<void> => {
    if (state === "ending") return;
    state = "ending";
    log.info({ cause }, "ending");
    await app?.drain?.();
    setTimeout(() => {
      log.error("took too long to end");
      process.exit(1);
    }, END_AT_LATEST).unref();
    try {
      await app?.close();
      log.info("ended");
      process.exit(0);
    } catch (error) {
      log.error({ err: error }, "did not end in order");
      process.exit(1);
    }
  };
  process.once("SIGTERM", () => void end("SIGTERM"));
  process.once("SIGINT", () => void end("SIGINT"));
  process.once("disconnect", () => void end("the supervisor is gone"));
  for (const fault of ["uncaughtException", "unhandledRejection"] as const)
    process.on(fault, (error: unknown) => {
      log.fatal({ err: error, fault }, error instanceof Error ? error.message : String(error));
      process.exit(1);
    });

  try {
    let listener = requestListener(opsRoutes, log);
    const ops = await listen({
      address: settings.SEXTANT_OPS_LISTEN,
      listener: (request, response) => listener(request, response),
      log,
    });
    log.debug({ port: ops.port }, "health and metrics are served");
    app = await start(settings, { log, metrics });
    listener = requestListener([...opsRoutes, ...(app.opsRoutes ?? [])], log);
    if (state === "starting") state = "serving";
  } catch (error) {
    log.fatal({ err: error }, error instanceof Error ? error.message : "could not start");
    process.exit(1);
  }
}
