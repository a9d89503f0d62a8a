import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../libs/logging/src/index.ts";
import { embeddedPostgres, freePorts } from "../deploy/local/src/index.ts";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A PostgreSQL server for this run, as a superuser; each test file makes its own database there. */
    TEST_DATABASE_URL: string;
  }
}

/** A server of tests may lose everything, and need not wait for a disk. */
const FORGETFUL = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  max_connections: "300",
  autovacuum: "off",
};

/**
 * Starts one PostgreSQL for a run of tests; `TEST_DATABASE_URL` leads to it, by `inject` and by the environment. One that is in
 * the environment already is used instead.
 */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given !== undefined && given !== "") {
    project.provide("TEST_DATABASE_URL", given);
    return undefined;
  }
  const directory = await mkdtemp(join(tmpdir(), "sextant-test-postgres-"));
  const [port = 0] = await freePorts(1);
  const server = await embeddedPostgres({
    directory,
    port,
    log: silentLogger,
    settings: FORGETFUL,
  });
  await server.process.start();
  process.env["TEST_DATABASE_URL"] = server.superuserURL;
  project.provide("TEST_DATABASE_URL", server.superuserURL);
  return async () => {
    delete process.env["TEST_DATABASE_URL"];
    server.process.kill();
    await server.process.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
