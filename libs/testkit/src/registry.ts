/** A real Registry on a real database, inside the test's process. */
import { randomBytes } from "node:crypto";
import type { ServiceName } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { createRegistry, Database, type RegistryCore } from "@sextant/registry";
import { create, createIDSource, type Registry } from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** One statement with its values in text form. */
export type Statement = { readonly text: string; readonly values: readonly (string | null)[] };

type Scope = Parameters<Database["run"]>[0];

/** A Registry with its database. */
export type TestRegistry = {
  /** As the service that the test is about sees it. */
  readonly registry: Registry;
  registryFor(service: ServiceName): Registry;
  readonly core: RegistryCore;
  readonly database: TestDatabase;
  /** Ids as the services make them. */
  readonly newID: () => string;
  /** What is sent to the database while something is done: each transaction as its statements, without those that open it. */
  statementsOf(action: () => Promise<unknown>): Promise<readonly (readonly Statement[])[]>;
  /** Makes a tenant of its own for a test; answers with its id. */
  seedTenant(name?: string): Promise<string>;
  close(): Promise<void>;
};

/** Makes a Registry with a database of its own. Close it at the end. */
export async function createTestRegistry(service: ServiceName): Promise<TestRegistry> {
  const database = await createTestDatabase();
  const pool = new Database({ url: database.serviceURL, log: silentLogger, connections: 8 });
  const listeners = new Set<(statements: readonly Statement[]) => void>();
  const [run, runShort] = [pool.run.bind(pool), pool.runShort.bind(pool)];
  const tell = (scope: Scope, calls: readonly Statement[]): void => {
    // The feed and the queues look for work on their own.
    const isAsked = scope === "tenantless" || "tenant" in scope;
    if (isAsked) for (const listener of listeners) listener(calls);
  };
  pool.run = (scope, calls) => {
    tell(scope, calls);
    return run(scope, calls);
  };
  pool.runShort = (scope, call) => {
    tell(scope, [call]);
    return runShort(scope, call);
  };
  const core = createRegistry({ database: pool, log: silentLogger });
  await core.feed.start();
  const newID = createIDSource(Date.now);
  return {
    registry: core.registryFor(service),
    registryFor: (name) => core.registryFor(name),
    core,
    database,
    newID,
    statementsOf: async (action) => {
      const seen: (readonly Statement[])[] = [];
      const listener = (statements: readonly Statement[]) => void seen.push(statements);
      listeners.add(listener);
      try {
        await action();
      } finally {
        listeners.delete(listener);
      }
      return seen;
    },
    seedTenant: (name) => seedTenant(core.registryFor("director"), newID(), name),
    close: async () => {
      await core.close();
      await pool.close();
      await database.close();
    },
  };
}

/** Stores a tenant under this id. */
async function seedTenant(director: Registry, id: string, name = "a tenant"): Promise<string> {
  const answer = await director.commit({
    id,
    tenant: id,
    actor: { type: "SERVICE", id: "test" },
    action: "registerTenant",
    steps: [create("tenant", id, { externalID: `tenant-${randomBytes(6).toString("hex")}`, name })],
    params: {},
  });
  if (!answer.ok) throw new Error(`no tenant was made: ${answer.failure.reason}`);
  return id;
}
