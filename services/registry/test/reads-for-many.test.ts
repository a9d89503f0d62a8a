/** Reads of one turn with the same plan are answered by one statement: each still as if it had been alone. */
import { silentLogger } from "@sextant/logging";
import {
  type Condition,
  create,
  createIDSource,
  type ReadAnswer,
  type ReadPlan,
  type Registry,
} from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import fc from "fast-check";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database } from "../src/database/database.ts";
import { createRegistry } from "../src/registry.ts";

const newID = createIDSource(Date.now);
const itself: Condition = { op: "equals", field: "id", value: { param: "id" } };
const labelled: Condition = { op: "hasLabel", key: { param: "key" } };

const plan: ReadPlan = {
  select: [
    {
      as: "application",
      read: {
        one: "application",
        where: itself,
        select: [
          { as: "name", field: "name" },
          { as: "description", field: "description" },
          { as: "labels", labels: { key: { param: "key" } } },
          { as: "is", choose: [{ when: labelled, then: "true" }], otherwise: "false" },
        ],
      },
    },
  ],
  require: [
    { kind: "application", where: itself },
    { kind: "application", where: { op: "all", of: [itself, labelled] } },
  ],
};

/** More than a table is read whole for. */
const MANY = 20_000;

let test: TestDatabase;
let superuser: Client;
let database: Database;
let director: Registry;
const tenants = [newID(), newID()] as const;
/** Applications of each tenant: every second has a label and a description. */
const applications = tenants.map(() => Array.from({ length: 12 }, newID));

beforeAll(async () => {
  test = await createTestDatabase();
  superuser = new Client({ connectionString: test.superuserURL });
  await superuser.connect();
  database = new Database({ url: test.serviceURL, log: silentLogger, connections: 2 });
  director = createRegistry({ database, log: silentLogger }).registryFor("director");
  for (const [place, tenant] of tenants.entries()) {
    const steps = (applications[place] ?? []).flatMap((id, nr) => [
      create("application", id, {
        ...{ name: `${place} "${nr}"`, description: nr % 2 === 0 ? "described" : null },
        ...{ statusCondition: "INITIAL", statusTimestamp: "2026-01-02T03:04:05Z" },
      }),
      ...(nr % 2 === 0
        ? [{ op: "label", kind: "application", id, key: "k", value: `["v${nr}"]` } as const]
        : []),
    ]);
    const answer = await director.commit({
      ...{ id: newID(), tenant, actor: { type: "USER", id: "u" }, action: "fill", params: {} },
      steps: [create("tenant", tenant, { externalID: tenant, name: "t" }), ...steps],
    });
    if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
  }
  // References are not checked one by one.
  await superuser.query("set session_replication_role = replica");
  await superuser.query(
    `insert into application (tenant_id, id, name, status_condition, status_timestamp)
     select '${tenants[0]}', uuidv7(), 'n' || nr, 'INITIAL', now() from generate_series(1, ${MANY}) nr`,
  );
  await superuser.query(
    `insert into label (tenant_id, kind, object_id, key, value)
     select tenant_id, 'application', id, 'many', '"v"' from application where name like 'n%'`,
  );
  await superuser.query("vacuum analyze application, label");
}, 60_000);
afterAll(async () => {
  await database?.close();
  await superuser?.end();
  await test?.close();
});

type Asked = { readonly tenant: number; readonly id: string; readonly key: string | null };

function expected({ tenant, id, key: given }: Asked): ReadAnswer {
  // A text that cannot be stored is sent as null.
  const key = given?.includes("\0") === true ? null : given;
  const nr = applications[tenant]?.indexOf(id) ?? -1;
  if (nr < 0) return { text: '{"application":null}', missing: [0, 1] };
  const has = nr % 2 === 0;
  const isLabelled = has && key === "k";
  const label = `{"k":["v${nr}"]}`;
  const labels = key === null ? (has ? label : "{}") : isLabelled ? label : "null";
  const name = JSON.stringify(`${tenant} "${nr}"`);
  return {
    text: `{"application":{"name":${name},"description":${has ? '"described"' : "null"},"labels":${labels},"is":${isLabelled}}}`,
    missing: isLabelled ? [] : [1],
  };
}

const asked: fc.Arbitrary<Asked> = fc.record({
  tenant: fc.constantFrom(0, 1),
  id: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...applications.flat()) },
    fc.constantFrom(newID(), "", "none", "{}", '"', "a\0b", newID().toUpperCase()),
  ),
  key: fc.constantFrom("k", "other", "", '"', "\\", "{a,b}", "null", "a\0b", null),
});

describe("reads of one turn", () => {
  const areAnsweredBy = (registry: Registry) =>
    fc.assert(
      fc.asyncProperty(fc.array(asked, { maxLength: 40 }), async (all) => {
        const answers = await Promise.all(
          all.map(({ tenant, id, key }) =>
            registry.read({ tenant: tenants[tenant]!, plan, params: { id, key } }),
          ),
        );
        expect(answers).toEqual(all.map(expected));
      }),
      { numRuns: 60 },
    );

  it("answer who asked, of the own tenant alone, whichever ids and values they ask with", async () => {
    await areAnsweredBy(director);
  });

  it("stay in their tenant where row-level security does not hold", async () => {
    const passing = new Database({ url: test.superuserURL, log: silentLogger, connections: 2 });
    await areAnsweredBy(
      createRegistry({ database: passing, log: silentLogger }).registryFor("director"),
    );
    await passing.close();
  });

  it("find their rows by index, however many a tenant has", async () => {
    const seen = async () => {
      const flush = { text: "select pg_stat_force_next_flush()", values: [] };
      await Promise.all([1, 2].map(() => database.run("tenantless", [flush])));
      await superuser.query(flush.text);
      const { rows } = await superuser.query<{ scans: string; fetched: string }>(
        `select sum(seq_scan) as scans, sum(seq_tup_read + idx_tup_fetch) as fetched
         from pg_stat_user_tables where relname in ('application', 'label')`,
      );
      return { scans: Number(rows[0]?.scans), fetched: Number(rows[0]?.fetched) };
    };
    const before = await seen();
    const all = Array.from({ length: 160 }, (_, nr): Asked => {
      const id = applications[0]?.[nr % 12] ?? "";
      return { tenant: 0, id, key: nr % 3 === 0 ? null : "k" };
    });
    const answers = await Promise.all(
      all.map(({ id, key }) => director.read({ tenant: tenants[0], plan, params: { id, key } })),
    );
    expect(answers).toEqual(all.map(expected));
    const after = await seen();
    expect(after.scans).toBe(before.scans);
    // Three times the application, and its label as often.
    expect(after.fetched - before.fetched).toBeLessThanOrEqual(160 * 6);
  });
});
