/** A PostgreSQL server of a test's own, for tests that break it. Other tests share one: see database.ts. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedPostgres, freePorts } from "@sextant/local-plane";
import { silentLogger } from "@sextant/logging";

/** A durable server that comes back by itself. */
export type BreakableServer = {
  /** Of the plane's database, as its owner. */
  readonly ownerURL: string;
  /** Ends the server as a power failure would. It is started again at once. */
  crash(): Promise<void>;
  stop(): Promise<void>;
};

/** Starts one. Stop it at the end. */
export async function startBreakableServer(): Promise<BreakableServer> {
  const directory = await mkdtemp(join(tmpdir(), "sextant-breakable-"));
  const [port = 0] = await freePorts(1);
  const server = await embeddedPostgres({ directory, port, log: silentLogger });
  await server.process.start();
  return {
    ownerURL: server.ownerURL,
    crash: async () => {
      const [pid] = (await readFile(join(directory, "data", "postmaster.pid"), "utf8")).split("\n");
      process.kill(Number(pid), "SIGKILL");
    },
    stop: async () => {
      await server.process.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
