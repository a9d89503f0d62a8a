import { tmpdir } from "node:os";
import { silentLogger } from "@sextant/logging";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database } from "../src/database/database.ts";
import { ConnectionLostError, isNotThereYet, StatementError } from "../src/database/error.ts";

let test: TestDatabase;
let database: Database;
let superuser: Client;

beforeAll(async () => {
  test = await createTestDatabase();
  superuser = new Client({ connectionString: test.superuserURL });
  await superuser.connect();
  database = new Database({
    url: test.serviceURL,
    log: silentLogger,
    connections: 1,
    statementTimeout: 1_000,
    connectTimeout: 1_000,
  });
});
afterAll(async () => {
  await database?.close();
  await superuser?.end();
  await test?.close();
});

const one = async (text: string, values: (string | null)[] = []) =>
  (await database.run("tenantless", [{ text, values }]))[0]?.[0]?.[0];

describe("a batch", () => {
  it("answers each statement with its rows, in text form", async () => {
    const results = await database.run({ tenant: "00000000-0000-7000-8000-000000000001" }, [
      { text: "select $1::text, $2::int", values: ["ü", null] },
      { text: "select generate_series(1, 3)", values: [] },
      { text: "select current_setting('app.tenant')", values: [] },
      { text: "select where false", values: [] },
    ]);
    expect(results).toEqual([
      [["ü", null]],
      [["1"], ["2"], ["3"]],
      [["00000000-0000-7000-8000-000000000001"]],
      [],
    ]);
  });

  it("is one transaction: what comes before a failure is undone, and the failed statement is named by its place", async () => {
    const insert = (name: string) => ({
      text: "insert into tenant (id, external_id, name) values (gen_random_uuid(), $1, $1)",
      values: [name],
    });
    const failed = database.run({ tenant: "00000000-0000-7000-8000-000000000001" }, [
      insert("once"),
      insert("twice"),
      insert("twice"),
      insert("thrice"),
    ]);
    await expect(failed).rejects.toMatchObject({
      sqlState: "23505",
      constraint: "tenant_external_id_key",
      statement: 2,
    });
    expect(await one("select count(*) from tenant")).toBe("0");
    await database.run("tenantless", [insert("twice"), insert("thrice")]);
    expect(await one("select count(*) from tenant")).toBe("2");
  });

  it("says nothing of the row in the error of a constraint or value", async () => {
    const refusals = await Promise.allSettled([
      one(
        "insert into tenant (id, external_id, name) values (gen_random_uuid(), 'secret', '') returning id",
      ),
      one("select $1::int", ["secret"]),
      one("select ($1::text)::uuid", ["secret"]),
    ]);
    for (const refusal of refusals) {
      expect(refusal.status).toBe("rejected");
      const { reason } = refusal as PromiseRejectedResult;
      expect(reason).toBeInstanceOf(StatementError);
      expect(
        JSON.stringify([String(reason), (reason as Error).stack, { ...(reason as object) }]),
      ).not.toContain("secret");
    }
  });

  it("resolves only when it is durable: a failure of the commit itself is an error of the batch", async () => {
    await superuser.query(
      `create function refuse_at_commit() returns trigger language plpgsql as 'begin raise exception ''late''; end';
       create constraint trigger late after insert on tenant deferrable initially deferred for each row
         when (new.name = 'late') execute function refuse_at_commit()`,
    );
    const text =
      "insert into tenant (id, external_id, name) values (gen_random_uuid(), 'l', 'late') returning name";
    await expect(one(text)).rejects.toMatchObject({ sqlState: "P0001", statement: 1 });
    expect(await one("select count(*) from tenant where name = 'late'")).toBe("0");
  });

  it("prepares more statements than a connection keeps, in one batch and over many", async () => {
    const calls = Array.from({ length: 600 }, (_, place) => ({
      text: `select ${place} + $1::int`,
      values: ["1"],
    }));
    for (let round = 0; round < 2; round += 1) {
      const results = await database.run("tenantless", calls);
      expect(results.map((rows) => rows[0]?.[0])).toEqual(
        calls.map((_, place) => String(place + 1)),
      );
    }
    expect(Number(await one("select count(*) from pg_prepared_statements"))).toBeLessThanOrEqual(
      251,
    );
  });

  it("goes on after a failure with statements that were to be prepared behind it", async () => {
    const fresh = [1, 2, 3].map((place) => ({ text: `select 'fresh ${place}'`, values: [] }));
    const failing = { text: "select 1 / $1::int", values: ["0"] };
    await expect(
      database.run("tenantless", [fresh[0]!, failing, fresh[1]!, fresh[2]!]),
    ).rejects.toMatchObject({ statement: 1 });
    const results = await database.run("tenantless", fresh);
    expect(results).toEqual([[["fresh 1"]], [["fresh 2"]], [["fresh 3"]]]);
  });

  it("that runs too long is ended by the server, and the connection serves on", async () => {
    await expect(one("select pg_sleep(5)")).rejects.toMatchObject({ sqlState: "57014" });
    expect(await one("select 1")).toBe("1");
  });

  it("works in UTC", async () => {
    expect(await one("select to_json('2026-06-01T12:00:00+02:00'::timestamptz)")).toBe(
      '"2026-06-01T10:00:00+00:00"',
    );
  });
});

describe("a connection that is lost", () => {
  const backend = async () => Number(await one("select pg_backend_pid()"));

  it("while a batch runs rejects it, and the next batch has another one", async () => {
    const pid = await backend();
    const [outcome] = await Promise.allSettled([
      one("select pg_sleep(0.8)"),
      new Promise((resolve) => setTimeout(resolve, 100)).then(() =>
        superuser.query("select pg_terminate_backend($1)", [pid]),
      ),
    ]);
    expect(outcome).toMatchObject({ status: "rejected" });
    expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(ConnectionLostError);
    expect(await backend()).not.toBe(pid);
  });

  it("while it is idle is replaced", async () => {
    const pid = await backend();
    await superuser.query("select pg_terminate_backend($1)", [pid]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await backend()).not.toBe(pid);
  });
});

describe("a database that cannot be reached", () => {
  it.each([
    ["at its port", { host: "127.0.0.1", port: 1 }],
    ["at a Unix socket that it has not made yet", { host: tmpdir(), port: 1 }],
    ["by its name", { host: "nowhere.invalid", port: 1 }],
  ])("%s may come", async (_where, options) => {
    const client = new Client({ ...options, user: "a", password: "b", database: "c" });
    const refused: unknown = await client.connect().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(Error);
    expect(isNotThereYet(refused)).toBe(true);
  });

  it("is told as such, in good time", async () => {
    const nowhere = new Database({
      url: "postgresql://a:b@127.0.0.1:1/c",
      log: silentLogger,
      connectTimeout: 500,
    });
    await expect(nowhere.run("tenantless", [])).rejects.toBeInstanceOf(ConnectionLostError);
    await nowhere.close();
  });

  it("has no endless queue in front of it", async () => {
    const narrow = new Database({
      url: test.serviceURL,
      log: silentLogger,
      connections: 1,
      waiting: 2,
    });
    const sleep = [{ text: "select pg_sleep(0.2)", values: [] }];
    const results = await Promise.allSettled(
      [1, 2, 3, 4, 5].map(() => narrow.run("tenantless", sleep)),
    );
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(2);
    await narrow.close();
  });
});
