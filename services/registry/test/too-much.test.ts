/** A request that is too much for the database is refused with what to do, and leaves nothing behind. */
import { silentLogger } from "@sextant/logging";
import { create, createIDSource, type ReadPlan, type Registry } from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Database } from "../src/database/database.ts";
import { createRegistry } from "../src/registry.ts";

const newID = createIDSource(Date.now);
const tenant = newID();
const application = newID();
const status = { statusCondition: "INITIAL", statusTimestamp: "2026-01-02T03:04:05Z" };
const actor = { type: "USER", id: "u" };

let test: TestDatabase;
let database: Database;
let registry: Registry;

beforeAll(async () => {
  test = await createTestDatabase();
  database = new Database({
    url: test.serviceURL,
    log: silentLogger,
    connections: 2,
    statementTimeout: 4_000,
  });
  registry = createRegistry({ database, log: silentLogger }).registryFor("director");
  const made = await registry.commit({
    id: newID(),
    tenant,
    actor,
    action: "fill",
    params: {},
    steps: [
      create("tenant", tenant, { externalID: tenant, name: "t" }),
      create("application", application, { name: "a", ...status }),
      {
        op: "label",
        kind: "application",
        id: application,
        key: "large",
        value: JSON.stringify("x".repeat(200_000)),
      },
    ],
  });
  if (!made.ok) throw new Error(JSON.stringify(made.failure));
});
afterAll(async () => {
  await database.close();
  await test.close();
});

const itself = { op: "equals", field: "id", value: { param: "id" } } as const;
const times = (count: number): ReadPlan => ({
  select: [
    {
      as: "x",
      read: {
        one: "application",
        where: itself,
        select: Array.from({ length: count }, (_, index) => ({
          as: `l${index}`,
          labels: { key: { param: "key" } },
        })),
      },
    },
  ],
});
const params = { id: application, key: "large" };

it("an answer of more than 64 MiB is refused, and one below is given", async () => {
  const { text } = await registry.read({ tenant, plan: times(200), params });
  expect(text.length).toBeGreaterThan(40_000_000);
  await expect(registry.read({ tenant, plan: times(400), params })).rejects.toMatchObject({
    code: "INVALID_OPERATION",
    message:
      "the answer would have more than 64 MiB: ask for fewer objects or fields, in smaller pages",
  });
});

it("a change whose answer would be too large is not made", async () => {
  const commit = (plan: ReadPlan) =>
    registry.commit({
      id: newID(),
      tenant,
      actor,
      action: "rename",
      params: {},
      steps: [{ op: "update", kind: "application", id: application, values: { name: "renamed" } }],
      after: { plan, params },
    });
  await expect(commit(times(400))).rejects.toMatchObject({ code: "INVALID_OPERATION" });
  const name: ReadPlan = {
    select: [
      {
        as: "x",
        read: { one: "application", where: itself, select: [{ as: "n", field: "name" }] },
      },
    ],
  };
  expect((await registry.read({ tenant, plan: name, params })).text).toBe('{"x":{"n":"a"}}');
});

it("a read that takes longer than a statement may is refused as such, and the next one is served", async () => {
  const other = new Client({ connectionString: test.superuserURL });
  await other.connect();
  await other.query("begin");
  await other.query("lock table application in access exclusive mode");
  await expect(registry.read({ tenant, plan: times(1), params })).rejects.toMatchObject({
    code: "INVALID_OPERATION",
    message:
      "the operation takes longer than the database may work on it: ask for fewer objects, in smaller pages",
  });
  await other.query("rollback");
  await other.end();
  await expect(registry.read({ tenant, plan: times(1), params })).resolves.toBeDefined();
});
