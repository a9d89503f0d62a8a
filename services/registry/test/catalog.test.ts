import {
  columnName,
  fieldsOf,
  type FieldType,
  type Kind,
  kinds,
  tableName,
} from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const columnTypes: Readonly<Record<FieldType, string>> = {
  uuid: "uuid",
  text: "text",
  int: "integer",
  bool: "boolean",
  timestamp: "timestamp with time zone",
  json: "text",
  secret: "text",
  texts: "ARRAY",
};

let database: TestDatabase;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new Client({ connectionString: database.superuserURL });
  await client.connect();
});
afterAll(async () => {
  await client?.end();
  await database?.close();
});

async function all<Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query<Row>(sql, values)).rows;
}

describe("the migrated database", () => {
  it("has for every kind a table with exactly the columns of the catalog, of their types", async () => {
    for (const kind of Object.keys(kinds) as Kind[]) {
      const columns = await all<{ column_name: string; data_type: string; is_nullable: string }>(
        "select column_name, data_type, is_nullable from information_schema.columns where table_name = $1",
        [tableName(kind)],
      );
      const stored = Object.fromEntries(
        columns.map((one) => [one.column_name, `${one.data_type} ${one.is_nullable}`]),
      );
      const declared = Object.fromEntries(
        Object.entries(fieldsOf(kind)).map(([name, { type, optional }]) => [
          columnName(name),
          `${columnTypes[type]} ${optional ? "YES" : "NO"}`,
        ]),
      );
      if (!kinds[kind].tenantless) declared["tenant_id"] = "uuid NO";
      expect(stored).toEqual(declared);
    }
  });

  it("checks that what the catalog calls JSON is JSON", async () => {
    const checks = await all<{ name: string }>(
      "select conname as name from pg_constraint where contype = 'c'",
    );
    const names = new Set(checks.map(({ name }) => name));
    for (const [kind, { fields }] of Object.entries(kinds)) {
      for (const [name, { type }] of Object.entries(fields)) {
        if (type === "json")
          expect(names).toContain(`${columnName(kind)}_${columnName(name)}_json`);
      }
    }
  });

  it("forces row-level security on every table that has a tenant", async () => {
    const tables = await all<{
      relname: string;
      relrowsecurity: boolean;
      relforcerowsecurity: boolean;
    }>(
      `select relname, relrowsecurity, relforcerowsecurity from pg_class
       join pg_attribute on attrelid = pg_class.oid and attname = 'tenant_id'
       where relnamespace = 'public'::regnamespace and relkind = 'r'`,
    );
    expect(tables.length).toBeGreaterThan(20);
    for (const table of tables)
      expect(table).toMatchObject({ relrowsecurity: true, relforcerowsecurity: true });
  });

  it("finds the tenant of a statement once, not once for each scan of a table", async () => {
    const policies = await all<{ name: string; using: string }>(
      `select policyname as name, qual as using from pg_policies where qual like '%app.tenant%'`,
    );
    expect(policies.length).toBeGreaterThan(30);
    for (const policy of policies)
      expect(policy).toMatchObject({ using: expect.stringMatching(/= \( SELECT .*app\.tenant/) });
  });

  it("begins every key with the tenant, and every reference includes it", async () => {
    const keys = await all<{
      table: string;
      name: string;
      type: string;
      columns: string[];
      target: string;
    }>(
      `select conrelid::regclass::text as table, conname as name, contype::text as type, coalesce(confrelid::regclass::text, '') as target,
         array(select attname::text from unnest(conkey) with ordinality as key (number, place)
               join pg_attribute on attrelid = conrelid and attnum = number order by place) as columns
       from pg_constraint where connamespace = 'public'::regnamespace and contype in ('p', 'f')`,
    );
    for (const { table, name, columns, target } of keys) {
      if (["tenant", "event", "feed", "audit_unchained", "sextant_migration"].includes(table))
        continue;
      // A grant leads from one tenant to another: that is what it is.
      if (name === "tenant_grant_integration_system_fkey") continue;
      expect({ name, first: columns[0] }).toEqual({ name, first: "tenant_id" });
      if (target === "tenant") expect(columns).toEqual(["tenant_id"]);
    }
  });

  it("has an index for every reference, so that a removal finds what it takes along", async () => {
    const references = await all<{ name: string; columns: string[]; indexes: string[] }>(
      `select conname as name,
         array(select attname::text from unnest(conkey) with ordinality as key (number, place)
               join pg_attribute on attrelid = conrelid and attnum = number order by place) as columns,
         -- The columns by which an index can find the rows: as many of the first as the reference has. It may leave out rows that
         -- refer to nothing.
         array(select string_agg(attname::text, ',' order by place)
               from pg_index
               cross join lateral unnest(indkey::int2[]) with ordinality as column_of_index (number, place)
               join pg_attribute on attrelid = indrelid and attnum = number
               where indrelid = conrelid and indisvalid
                 and (indpred is null or pg_get_expr(indpred, indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
               group by indexrelid) as indexes
       from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`,
    );
    expect(references.length).toBeGreaterThan(25);
    const missing = references.filter(({ columns, indexes }) => {
      // After the tenant comes what is referred to: then few rows are left, whatever else the reference names.
      const beginnings =
        columns.length === 1 ? columns : columns.slice(1).map((one) => `${columns[0]},${one}`);
      return !indexes.some((index) =>
        beginnings.some((beginning) => `${index},`.startsWith(`${beginning},`)),
      );
    });
    expect(missing).toEqual([]);
  });

  it("has constraints that were named by hand", async () => {
    const names = await all<{ conname: string }>(
      `select conname from pg_constraint
       where connamespace = 'public'::regnamespace and contype in ('c', 'u', 'f') and conname ~ '(_check\\d*|_fkey\\d+|_key\\d+)$'`,
    );
    expect(names).toEqual([]);
  });
});
