import type { ServiceName } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import {
  type Condition,
  create,
  createIDSource,
  type Kind,
  kinds,
  readList,
  readOne,
  type Step,
  tableName,
} from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database, type Scope } from "../src/database/database.ts";
import { verifyServiceRole } from "../src/database/service-role.ts";
import { ACCESS } from "../src/access.ts";
import { createRegistry, type RegistryCore } from "../src/registry.ts";

const at = "2026-01-02T03:04:05Z";
const newID = createIDSource(Date.now);
const hash = (digit: string): string => digit.repeat(64);
const everything: Condition = { op: "all", of: [] };

let test: TestDatabase;
let service: Database;
let [mine, theirs] = ["", ""];

/** One object of nearly every kind, in one tenant. `digit` makes its secrets its own. */
async function fill(core: RegistryCore, tenant: string, digit: string): Promise<void> {
  const director = core.registryFor("director");
  const connector = core.registryFor("connector");
  const provisioner = core.registryFor("runtime-provisioner");
  const [application, runtime, bundle, webhook, api, system] = Array.from({ length: 6 }, newID) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const owner = { applicationID: application, bundleID: bundle };
  const status = { statusCondition: "INITIAL", statusTimestamp: at };
  const work = { attempts: 0, nextAttemptAt: at };
  const text = "text";
  const contentHash = "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1";
  const commit = async (
    by: "director" | "connector" | "runtime-provisioner",
    steps: Step[],
  ): Promise<void> => {
    const registry = { director, connector, "runtime-provisioner": provisioner }[by];
    const actor = { type: "SERVICE", id: "test" };
    const answer = await registry.commit({
      id: newID(),
      tenant,
      actor,
      action: "fill",
      steps,
      params: { webhook },
    });
    if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
  };
  await commit("director", [
    create("tenant", tenant, { externalID: tenant, name: digit }),
    create("apiToken", newID(), {
      name: "t",
      hash: hash(digit),
      scopes: [],
      tenants: [],
      tenantExternalIDs: [],
    }),
    create("application", application, { name: "application", ...status }),
    { op: "label", kind: "application", id: application, key: "group", value: '["g"]' },
    create("runtime", runtime, { name: "runtime", ...status }),
    { op: "label", kind: "runtime", id: runtime, key: "group", value: '["g"]' },
    create("syncState", runtime, {
      desiredRevision: 1,
      appliedRevision: 0,
      applied: false,
      ready: false,
    }),
    create("plan", newID(), {
      runtimeID: runtime,
      planRevision: 1,
      hash: "h",
      content: "sealed",
      cause: "c",
    }),
    { op: "stale", runtimes: everything, cause: "c" },
    create("webhook", webhook, {
      applicationID: application,
      type: "CONFIGURATION_CHANGED",
      signingSecret: "sealed",
    }),
    { op: "deliver", webhooks: everything, type: "t", body: "{}" },
    create("bundle", bundle, { applicationID: application, name: "b" }),
    { op: "content", hash: contentHash, text },
    create("apiDefinition", api, {
      ...owner,
      name: "a",
      targetURL: "https://example.com",
      specContent: contentHash,
    }),
    create("eventDefinition", newID(), { ...owner, name: "e" }),
    create("document", newID(), {
      ...owner,
      title: "t",
      displayName: "d",
      description: "",
      format: "MARKDOWN",
    }),
    create("runtimeContext", newID(), { runtimeID: runtime, key: "k", value: "v" }),
    create("labelDefinition", newID(), { key: "k" }),
    create("automaticGroupAssignment", newID(), {
      groupName: "g",
      selectorKey: "k",
      selectorValue: "v",
    }),
    create("fetchRequest", newID(), {
      applicationID: application,
      apiDefinitionID: api,
      url: "https://example.com",
      mode: "SINGLE",
      statusCondition: "INITIAL",
      statusTimestamp: at,
      ...work,
    }),
    create("integrationSystem", system, { name: "s" }),
    create("tenantGrant", newID(), { homeTenantID: tenant, integrationSystemID: system }),
    create("systemAuth", newID(), {
      applicationID: application,
      hash: hash(digit),
      auth: "sealed",
    }),
    create("applicationTemplate", newID(), {
      name: "t",
      applicationInput: "sealed",
      placeholders: "[]",
      accessLevel: "GLOBAL",
    }),
    create("healthCheck", newID(), {
      type: "RUNTIME_HEALTHCHECK",
      condition: "SUCCEEDED",
      origin: runtime,
      timestamp: at,
      latest: true,
    }),
    create("idempotencyKey", newID(), { request: hash(digit), reveal: false }),
    create("healthProbe", application, { url: "https://example.com", failures: 0, ...work }),
    create("bundleInstanceAuth", newID(), {
      ...owner,
      runtimeID: runtime,
      statusCondition: "PENDING",
      statusTimestamp: at,
      statusMessage: "",
      statusReason: "",
    }),
    { op: "event", type: "plan.changed", id: runtime, data: {} },
  ]);
  await commit("connector", [
    create("oneTimeToken", newID(), {
      hash: hash(digit),
      purpose: "PAIRING",
      consumerType: "RUNTIME",
      consumerID: runtime,
      expiresAt: at,
    }),
    create("certificateKey", newID(), {
      hash: hash(digit),
      consumerType: "RUNTIME",
      consumerID: runtime,
    }),
    create("certificate", newID(), {
      hash: hash(digit),
      serialNumber: digit,
      consumerType: "RUNTIME",
      consumerID: runtime,
      subject: "CN=x",
      publicKeyHash: hash(digit),
      notBefore: at,
      notAfter: "2027-01-01T00:00:00Z",
      tbs: "t",
      signature: "s",
      issuerKeyID: hash(digit).slice(0, 40),
    }),
  ]);
  await commit("runtime-provisioner", [
    create("operation", newID(), {
      type: "Provision",
      state: "Pending",
      stage: "s",
      message: "",
      input: "{}",
      progress: "{}",
      ...work,
    }),
    create("provisionedRuntime", newID(), {
      name: "r",
      driver: "local",
      parameters: "{}",
      removed: false,
      lastOperationID: newID(),
    }),
  ]);
}

const walled = (Object.keys(kinds) as Kind[])
  .filter((kind) => !kinds[kind].tenantless)
  .map((kind) => tableName(kind));
const tables = [...walled, "label", "label_element", "event"];

beforeAll(async () => {
  test = await createTestDatabase();
  service = new Database({ url: test.serviceURL, log: silentLogger, connections: 2 });
  const core = createRegistry({ database: service, log: silentLogger });
  [mine, theirs] = [newID(), newID()];
  await fill(core, mine, "a");
  await fill(core, theirs, "b");
});
afterAll(async () => {
  await service?.close();
  await test?.close();
});

const count = async (scope: Scope, table: string, where = "true"): Promise<number> => {
  const [rows] = await service.run(scope, [
    { text: `select count(*) from ${table} where ${where}`, values: [] },
  ]);
  return Number(rows?.[0]?.[0]);
};

describe("the second wall, where a statement does not name the tenant", () => {
  it("shows a tenant its own rows of every table, and no other's", async () => {
    const client = new Client({ connectionString: test.superuserURL });
    await client.connect();
    for (const table of tables) {
      const stored = await client.query<{ tenants: string }>(
        `select count(distinct tenant_id) as tenants from ${table}`,
      );
      expect({ table, tenants: stored.rows[0]?.tenants }).toEqual({ table, tenants: "2" });
      const own = await count({ tenant: mine }, table);
      // The feed is behind a door of its own.
      expect({ table, some: own > 0 }).toEqual({ table, some: table !== "event" });
      expect(await count({ tenant: mine }, table, `tenant_id <> '${mine}'`)).toBe(0);
    }
    await client.end();
  });

  it("shows nothing when no tenant is set, also after a transaction that had set one", async () => {
    for (let round = 0; round < 5; round += 1) {
      await count({ tenant: theirs }, "application");
      for (const table of tables) expect(await count("tenantless", table)).toBe(0);
    }
  });

  it("keeps every one of many tenants apart on the same connections", async () => {
    const turns = Array.from({ length: 200 }, (_, turn) =>
      turn % 3 === 0 ? mine : turn % 3 === 1 ? theirs : newID(),
    );
    const seen = await Promise.all(
      turns.map(async (tenant) => {
        const text = "select tenant_id from application";
        const [rows] = await service.run({ tenant }, [{ text, values: [] }]);
        return (rows ?? []).map((row) => row[0]);
      }),
    );
    for (const [turn, tenant] of turns.entries()) {
      expect(seen[turn]).toEqual(tenant === mine || tenant === theirs ? [tenant] : []);
    }
  });

  it("lets no row be written for, moved to, changed in or removed from another tenant", async () => {
    const run = async (text: string) => {
      const [rows] = await service.run({ tenant: mine }, [{ text, values: [] }]);
      return rows;
    };
    const values = `'${newID()}', 'n', 'INITIAL', now()`;
    await expect(
      run(
        `insert into application (tenant_id, id, name, status_condition, status_timestamp) values ('${theirs}', ${values})`,
      ),
    ).rejects.toMatchObject({ sqlState: "42501" });
    await expect(run(`update label set tenant_id = '${theirs}'`)).rejects.toMatchObject({
      sqlState: "42501",
    });
    expect(
      await run(
        `update application set name = 'stolen' where tenant_id = '${theirs}' returning id`,
      ),
    ).toEqual([]);
    expect(await run(`delete from application where tenant_id = '${theirs}' returning id`)).toEqual(
      [],
    );
    expect(await count({ tenant: theirs }, "application", "name = 'application'")).toBe(1);
  });

  it("holds for the owner of the tables, too", async () => {
    const owner = new Client({ connectionString: test.ownerURL });
    await owner.connect();
    await owner.query("select set_config('app.tenant', $1, false)", [mine]);
    const found = await owner.query("select tenant_id from application");
    expect(found.rows).toEqual([{ tenant_id: mine }]);
    await owner.end();
  });

  it("leaves the service no right that it does not need", async () => {
    for (const text of [
      "update audit_entry set action = 'x'",
      "delete from audit_entry",
      "update audit_chain set hash = repeat('0', 64)",
      "delete from audit_chain",
      "update audit_object set object_id = entry_id",
      "delete from audit_object",
      "update audit_unchained set entry_id = tenant_id",
      "update content set text = 'x'",
      "update plan set revision = 7",
      "select * from sextant_migration",
      "drop table application",
      "alter table application disable row level security",
      "create table more (id uuid)",
      "set role sextant_test_owner",
    ]) {
      await expect(service.run({ tenant: mine }, [{ text, values: [] }])).rejects.toMatchObject({
        sqlState: "42501",
      });
    }
  });
});

describe("a door", () => {
  it("for a secret shows the one row with its hash, to be read and nothing else", async () => {
    for (const table of ["api_token", "one_time_token", "certificate"]) {
      const [rows] = await service.run({ secret: hash("b") }, [
        { text: `select tenant_id from ${table}`, values: [] },
      ]);
      expect(rows).toEqual([[theirs]]);
      const remove = { text: `delete from ${table} returning id`, values: [] };
      expect(await service.run({ secret: hash("b") }, [remove])).toEqual([[]]);
    }
    expect(await count({ secret: hash("b") }, "application")).toBe(0);
    expect(await count({ secret: "" }, "api_token")).toBe(0);
  });

  it("for a queue shows that queue of all tenants and no other table", async () => {
    const doors = {
      staleRuntime: "stale_runtime",
      delivery: "delivery",
      fetchRequest: "fetch_request",
      healthProbe: "health_probe",
      operation: "operation",
      feed: "event",
    } as const;
    for (const [queue, table] of Object.entries(doors)) {
      const scope = { queue: queue as keyof typeof doors };
      for (const other of tables) {
        expect({ queue, other, rows: await count(scope, other) }).toEqual({
          queue,
          other,
          rows: other === table ? 2 : 0,
        });
      }
    }
  });
});

describe("the first wall, where row-level security does not hold", () => {
  it("keeps every kind apart: none is listed, changed or removed from another tenant", async () => {
    const passing = new Database({ url: test.superuserURL, log: silentLogger, connections: 2 });
    const core = createRegistry({ database: passing, log: silentLogger });
    const idsOf = async (tenant: string, kind: Kind): Promise<readonly unknown[]> => {
      const text = `select id from ${tableName(kind)} where tenant_id = '${tenant}' order by id`;
      const [rows] = await passing.run("tenantless", [{ text, values: [] }]);
      return (rows ?? []).map(([id]) => id);
    };
    const tried = new Set<Kind>();
    for (const [name, access] of Object.entries(ACCESS)) {
      const registry = core.registryFor(name as ServiceName);
      const own = (kind: Kind): boolean => !kinds[kind].tenantless && kind !== "content";
      for (const kind of access.reads.filter(own)) {
        const found = await readList(registry, mine, kind, everything, ["id" as never], {}, 100);
        expect({
          kind,
          ids: found.map((row: Readonly<Record<string, unknown>>) => row["id"]),
        }).toEqual({
          kind,
          ids: await idsOf(mine, kind),
        });
        tried.add(kind);
      }
      for (const kind of access.writes.filter(own)) {
        const theirIDs = await idsOf(theirs, kind);
        expect({ kind, some: theirIDs.length > 0 }).toEqual({ kind, some: true });
        const id = String(theirIDs[0]);
        for (const step of [
          { op: "delete", kind, id },
          { op: "update", kind, id, values: {} },
        ] satisfies Step[]) {
          const commit = {
            id: newID(),
            tenant: mine,
            actor: { type: "USER", id: "u" },
            action: "t",
          };
          const answer = await registry
            .commit({ ...commit, steps: [step], params: {} })
            .catch((error: unknown) => ({ ok: false, error }));
          expect({ kind, op: step.op, ok: answer.ok }).toEqual({ kind, op: step.op, ok: false });
        }
        expect(await idsOf(theirs, kind)).toEqual(theirIDs);
      }
    }
    const all = (Object.keys(kinds) as Kind[]).filter((kind) => !kinds[kind].tenantless);
    expect(all.filter((kind) => !tried.has(kind))).toEqual(["content"]);
    await passing.close();
  });

  it("keeps tenants apart in every read and commit", async () => {
    const passing = new Database({ url: test.superuserURL, log: silentLogger, connections: 2 });
    const core = createRegistry({ database: passing, log: silentLogger });
    const director = core.registryFor("director");
    const of = async (
      kind: Kind & ("application" | "bundle" | "webhook"),
      where: Condition,
      params = {},
    ) => (await readList(director, mine, kind, where, ["id"], params, 100)).length;
    const [their] = await readList(director, theirs, "application", everything, ["id"], {}, 1);
    const [theirRuntime] = await readList(director, theirs, "runtime", everything, ["id"], {}, 1);
    const id = String(their?.id);
    const key = { param: "key" };
    expect(await of("application", everything)).toBe(1);
    expect(await of("bundle", everything)).toBe(1);
    expect(await of("application", { op: "hasLabel", key }, { key: "group" })).toBe(1);
    expect(
      await of(
        "application",
        { op: "labelIn", key, elements: { param: "e" } },
        { key: "group", e: ['"g"'] },
      ),
    ).toBe(1);
    expect(
      await of(
        "application",
        { op: "labelContains", key, json: { param: "j" } },
        { key: "group", j: '["g"]' },
      ),
    ).toBe(1);
    expect(
      await of(
        "application",
        {
          op: "exists",
          kind: "runtime",
          where: { op: "equals", field: "id", value: { param: "id" } },
        },
        { id: String(theirRuntime?.id) },
      ),
    ).toBe(0);
    expect(
      await of(
        "application",
        { op: "sharesLabel", key, kind: "runtime", id: { param: "id" } },
        { key: "group", id: String(theirRuntime?.id) },
      ),
    ).toBe(0);
    expect(
      await readOne(
        director,
        mine,
        "application",
        { op: "equals", field: "id", value: { param: "id" } },
        ["id"],
        { id },
      ),
    ).toBeUndefined();

    const commit = (steps: Step[]) =>
      director.commit({
        id: newID(),
        tenant: mine,
        actor: { type: "USER", id: "u" },
        action: "t",
        steps,
        params: { id },
      });
    for (const step of [
      { op: "update", kind: "application", id, values: { name: "stolen" } },
      { op: "delete", kind: "application", id },
      { op: "label", kind: "application", id, key: "k", value: "1" },
      create("bundle", newID(), { applicationID: id, name: "b" }),
    ] satisfies Step[]) {
      expect(await commit([step])).toMatchObject({ ok: false });
    }
    await commit([
      { op: "updateAll", kind: "application", where: everything, values: { description: "mine" } },
      { op: "deleteAll", kind: "application", where: everything },
      { op: "stale", runtimes: everything, cause: "mine" },
      { op: "deliver", webhooks: everything, type: "mine", body: "1" },
      { op: "label", kind: "application", id, key: "group", value: null },
    ]);
    const described = await readList(
      director,
      theirs,
      "application",
      everything,
      ["description", "revision"],
      {},
      10,
    );
    expect(described).toEqual([{ description: null, revision: 1 }]);
    expect(await readList(director, theirs, "staleRuntime", everything, ["cause"], {}, 10)).toEqual(
      [{ cause: "c" }],
    );
    expect(await readList(director, theirs, "delivery", everything, ["type"], {}, 10)).toEqual([
      { type: "t" },
    ]);
    const labelled: Condition = { op: "hasLabel", key };
    expect(
      await readList(director, theirs, "application", labelled, ["id"], { key: "group" }, 10),
    ).toHaveLength(1);
    await passing.close();
  });
});

describe("a role that could get around the wall", () => {
  it("is refused, with what to do", async () => {
    await expect(verifyServiceRole(test.superuserURL)).rejects.toThrow(
      "name a plain role in DATABASE_SERVICE_URL",
    );
    await expect(verifyServiceRole(test.ownerURL)).rejects.toThrow("owns the tables");
    await expect(verifyServiceRole(test.serviceURL)).resolves.toBeUndefined();
  });

  it("is refused when a table was opened", async () => {
    const client = new Client({ connectionString: test.superuserURL });
    await client.connect();
    await client.query("alter table bundle no force row level security");
    await expect(verifyServiceRole(test.serviceURL)).rejects.toThrow("not forced on bundle");
    await client.query("alter table bundle force row level security");
    await client.end();
  });
});
