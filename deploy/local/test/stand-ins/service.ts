// Stands in for every service of a plane: serves its health, and writes down what happens to it.
import { appendFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { listenAddress, loadConfig } from "@sextant/config";
import {
  type App,
  json,
  listen,
  type ProcessContext,
  requestListener,
  runService,
  serviceSettings,
} from "@sextant/service";
import pg from "pg";
import { z } from "zod";

const schema = serviceSettings.extend({
  SEXTANT_PUBLIC_LISTEN: listenAddress.optional(),
  DATABASE_URL: z.string().optional(),
  /** Names of the stand-ins that fail at start, or that do not end when they are told. */
  SEXTANT_STAND_IN_FAILS: z.string().default(""),
  SEXTANT_STAND_IN_STUBBORN: z.string().default(""),
});
type Settings = z.output<typeof schema>;

const keys = process.env["SEXTANT_KEYS_DIR"] ?? "";
const name = basename(keys);
const note = (event: string): void =>
  appendFileSync(join(dirname(dirname(keys)), "events"), `${name} ${event}\n`);

/** Writes a row at each start, over as many connections as it takes, and says how many there are. */
function database(url: string): { isReady(): boolean; close(): Promise<void> } {
  let client: pg.Client | undefined;
  let noted = false;
  const connect = async (): Promise<void> => {
    for (;;) {
      const next = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
      next.on("error", () => {
        client = undefined;
        void connect();
      });
      try {
        await next.connect();
        if (!noted) {
          await next.query("CREATE TABLE IF NOT EXISTS starts (at timestamptz DEFAULT now())");
          await next.query("INSERT INTO starts DEFAULT VALUES");
          const { rows } = await next.query<{ count: string }>("SELECT count(*) FROM starts");
          note(`starts ${rows[0]?.count}`);
          noted = true;
        }
        client = next;
        return;
      } catch {
        await sleep(50);
      }
    }
  };
  void connect();
  return { isReady: () => client !== undefined, close: async () => client?.end() };
}

async function start(settings: Settings, { log }: ProcessContext): Promise<App> {
  if (settings.SEXTANT_STAND_IN_FAILS === name) throw new Error("the stand-in was told to fail");
  note(`started database=${settings.DATABASE_URL !== undefined}`);
  const storage = settings.DATABASE_URL === undefined ? undefined : database(settings.DATABASE_URL);
  const address = settings.SEXTANT_PUBLIC_LISTEN ?? settings.SEXTANT_LISTEN;
  const routes = [{ path: "/", methods: { GET: () => json({ name }) } }];
  const server = await listen({ address, listener: requestListener(routes, log), log });
  log.info({ port: server.port }, "listening");
  return {
    readiness: () => (storage === undefined || storage.isReady() ? undefined : "no database yet"),
    async close() {
      if (settings.SEXTANT_STAND_IN_STUBBORN === name) await sleep(60_000);
      await storage?.close();
      note("ended");
    },
  };
}

await runService(name, () => loadConfig(schema, process.env), start);
