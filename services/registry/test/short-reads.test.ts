import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@sextant/logging";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Database } from "../src/database/database.ts";
import { ConnectionLostError } from "../src/database/error.ts";
import type { ShortCall } from "../src/database/short-reads.ts";

let test: TestDatabase;
let superuser: Client;
let database: Database;

beforeAll(async () => {
  test = await createTestDatabase();
  superuser = new Client({ connectionString: test.superuserURL });
  await superuser.connect();
});
afterAll(async () => {
  await superuser?.end();
  await test?.close();
});
const open = (connections: number, waiting = 2_000): Database =>
  (database = new Database({
    ...{ url: test.serviceURL, log: silentLogger, connections, waiting },
    ...{ statementTimeout: 1_000, connectTimeout: 1_000 },
  }));
beforeEach(() => void open(3));
afterEach(() => database.close());

const read = async (text: string, values: (string | null)[] = []): Promise<string | null> =>
  (await database.runShort("tenantless", { text, values }))[0]?.[0] ?? null;
const PID = "select pg_backend_pid()";
/** Prepares a statement, so that reads with it may follow each other. */
const prepared = async (text: string, values: (string | null)[] = []): Promise<void> =>
  void (await read(text, values));

/** What became of each: its first column, or its error. */
const outcomesOf = async (reads: readonly Promise<string | null>[]): Promise<unknown[]> =>
  (await Promise.allSettled(reads)).map((one) =>
    one.status === "fulfilled" ? one.value : one.reason.sqlState,
  );
/** A read of a number and a text, which many may make at once; `$1` and `$2` stand for them. */
const forMany = (answer: string) => (number: string | null, text: string | null) => {
  const given = "unnest($1::int[], $2::text[]) with ordinality given (p1, p2, nr)";
  const of = (first: string, second: string): string =>
    answer.replaceAll("$1", first).replaceAll("$2", second);
  const call: ShortCall = {
    text: `select ${of("$1::int", "$2::text")} where $1::int is not distinct from $1 and $2::text is not distinct from $2`,
    values: [number, text],
    forMany: {
      text: `select ${of("given.p1", "given.p2")}, given.nr from ${given}`,
      columns: [true, true],
    },
  };
  return database.runShort("tenantless", call).then((rows) => rows[0]?.[0] ?? null);
};

describe("short reads that come together", () => {
  it("share one connection, up to sixteen of them", async () => {
    const slowly = `${PID} from pg_sleep(0.1)`;
    await prepared(slowly);
    const pids = await Promise.all(Array.from({ length: 17 }, () => read(slowly)));
    const [first] = pids;
    expect(pids.map((pid) => pid === first)).toEqual([...Array<boolean>(16).fill(true), false]);
  });

  it("share one transaction where they see the same rows, and only there", async () => {
    const call = { text: "select pg_current_xact_id()", values: [] };
    await database.runShort("tenantless", call);
    const tenants = [1, 2].map((place) => `00000000-0000-7000-8000-00000000000${place}`);
    const ids = await Promise.all(
      [0, 1, 0, 1, 0].map(async (place) => {
        const [row] = await database.runShort({ tenant: String(tenants[place]) }, call);
        return row?.[0];
      }),
    );
    const [first, second] = ids;
    expect(first).not.toBe(second);
    expect(ids).toEqual([first, second, first, second, first]);
  });

  it("share one statement where it answers many at once", async () => {
    // It is the time at which the statement began.
    const began = forMany("concat(statement_timestamp(), ' ', $2)");
    await began("0", "");
    await Promise.all([began("0", ""), began("0", "")]);
    const answers = await Promise.all(["a", "b", "c"].map((text) => began("1", text)));
    const times = new Set(answers.map((text) => String(text).slice(0, -2)));
    expect(times.size).toBe(1);
    expect(answers.map((text) => String(text).at(-1))).toEqual(["a", "b", "c"]);
  });

  it("get each its own values into a statement for many, whatever they are", async () => {
    const told = forMany("coalesce($1::text, 'none') || ':' || coalesce($2, 'none')");
    const texts = ["", "null", "{a,b}", 'say "a\\b"', " space ", "ä€😀", "two\nlines", null];
    const answers = await Promise.all(
      texts.map((text, nr) => told(nr % 2 === 0 ? String(nr) : null, text)),
    );
    expect(answers).toEqual(
      texts.map((text, nr) => `${nr % 2 === 0 ? nr : "none"}:${text ?? "none"}`),
    );
  });

  it("do not suffer from one that fails in the statement that they share", async () => {
    const divide = forMany("12 / $1");
    const outcomes = ["1", "0", "2", "x", "3", "99999999999"].map((by) => divide(by, null));
    expect(await outcomesOf(outcomes)).toEqual(["12", "22012", "6", "22P02", "4", "22003"]);
    expect(await outcomesOf([divide("4", null), divide("6", null)])).toEqual(["3", "2"]);
  });

  it("are answered beside one that takes longer than a statement may", async () => {
    const sleep = forMany("$1 || pg_sleep($1)::text");
    const outcomes = ["0", "30", "0"].map((seconds) => sleep(seconds, null));
    expect(await outcomesOf(outcomes)).toEqual(["0", "57014", "0"]);
  });

  it("each have their own answer, of statements for one and for many, in one tenant and another", async () => {
    const scopes = [1, 2].map((place) => ({
      tenant: `00000000-0000-7000-8000-00000000000${place}`,
    }));
    const tenant = "current_setting('app.tenant')";
    const calls = (value: string): readonly ShortCall[] => [
      { text: `select ${tenant} || $1`, values: [value] },
      {
        ...{ text: `select ${tenant} || $1::text`, values: [value] },
        forMany: {
          text: `select ${tenant} || given.p1, given.nr from unnest($1::text[]) with ordinality given (p1, nr)`,
          columns: [true],
        },
      },
      {
        ...{ text: "select $1::text || $2::text", values: [value.slice(0, 1), value.slice(1)] },
        forMany: {
          text: `select $1::text || given.p2, given.nr from unnest($2::text[]) with ordinality given (p2, nr)`,
          columns: [false, true],
        },
      },
    ];
    const asked = Array.from({ length: 300 }, (_, nr) => ({
      scope: scopes[nr % 2]!,
      call: calls(String(nr))[(nr >> 1) % 3]!,
      expected: `${(nr >> 1) % 3 === 2 ? "" : scopes[nr % 2]?.tenant}${nr}`,
    }));
    const answers = await Promise.all(
      asked.map(({ scope, call }) => database.runShort(scope, call)),
    );
    expect(answers).toEqual(asked.map(({ expected }) => [[expected]]));
  });

  it("each get their own answer, however many they are", async () => {
    const texts = ["select $1::text", "select $1 || ''", "select repeat($1, 1)"];
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, place) => read(texts[place % 3]!, [String(place)])),
    );
    expect(answers).toEqual(Array.from({ length: 500 }, (_, place) => String(place)));
  });

  it("are each in their own tenant, or in none", async () => {
    const call = { text: "select current_setting('app.tenant', true)", values: [] };
    await database.runShort("tenantless", call);
    const tenants = [1, 2, 3].map((place) => `00000000-0000-7000-8000-00000000000${place}`);
    const answers = await Promise.all([
      ...tenants.map((tenant) => database.runShort({ tenant }, call)),
      database.runShort("tenantless", call),
    ]);
    expect(answers.map((rows) => rows[0]?.[0])).toEqual([...tenants, ""]);
  });

  it("do not suffer from one that fails", async () => {
    const divide = "select 1 / $1::int";
    await prepared(divide, ["1"]);
    const outcomes = ["1", "0", "1", "x", "1"].map((by) => read(divide, [by]));
    expect(await outcomesOf(outcomes)).toEqual(["1", "22012", "1", "22P02", "1"]);
  });

  it("do not rely on a statement that another has yet to prepare, and may fail to", async () => {
    open(1);
    const scope = { tenant: "00000000-0000-7000-8000-000000000001" } as const;
    const divide = (by: string) =>
      database.runShort(scope, { text: "select 6 / $1::int", values: [by] });
    const outcomes = await Promise.allSettled([
      read("select from nowhere"),
      read("select from nowhere"),
      divide("0"),
      divide("2"),
      divide("3"),
    ]);
    expect(
      outcomes.map((one) => (one.status === "fulfilled" ? one.value : one.reason.sqlState)),
    ).toEqual(["42P01", "42P01", "22012", [["3"]], [["2"]]]);
  });

  it("wait for a connection no more than may", async () => {
    open(1, 4);
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => read(PID)));
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(2);
  });

  it("leave the connection to others when all are answered", async () => {
    open(1);
    await Promise.all(Array.from({ length: 20 }, () => read(PID)));
    const [rows] = await database.run("tenantless", [{ text: "select 1", values: [] }]);
    expect(rows).toEqual([["1"]]);
    expect(await read("select 2")).toBe("2");
  });

  it("hold up no batch: it has another connection", async () => {
    await prepared("select pg_sleep(0.5)");
    const order: string[] = [];
    await Promise.all([
      read("select pg_sleep(0.5)").then(() => order.push("read")),
      database
        .run("tenantless", [{ text: "select 1", values: [] }])
        .then(() => order.push("batch")),
    ]);
    expect(order).toEqual(["batch", "read"]);
  });
});

describe("a shared connection", () => {
  it("that is lost rejects all that is on its way, and the next reads have another", async () => {
    open(1);
    const pid = Number(await read(PID));
    await prepared("select pg_sleep($1::float)", ["0"]);
    const outcomes = Promise.allSettled([
      read("select pg_sleep($1::float)", ["0.9"]),
      ...Array.from({ length: 4 }, () => read(PID)),
    ]);
    await pause(100);
    await superuser.query("select pg_terminate_backend($1)", [pid]);
    for (const outcome of await outcomes)
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(ConnectionLostError);
    expect(Number(await read(PID))).not.toBe(pid);
  });

  it("whose server does not answer any more is given up, with all that is on its way", async () => {
    open(1);
    const pid = Number(await read(PID));
    process.kill(pid, "SIGSTOP");
    try {
      const outcomes = await Promise.allSettled(Array.from({ length: 3 }, () => read(PID)));
      for (const outcome of outcomes)
        expect((outcome as PromiseRejectedResult).reason).toMatchObject({
          name: "ConnectionLostError",
          cause: { message: "no answer within 6000 ms" },
        });
      expect(Number(await read(PID))).not.toBe(pid);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});

describe("a statement whose result has another type since a migration", () => {
  const text = "select * from changing where it::text = $1";
  const value = { text, values: ["7"] };
  let type = "int";
  const migrateTo = async (next: string): Promise<void> => {
    type = next;
    await superuser.query(`alter table changing alter it type ${type} using it::text::${type}`);
  };
  beforeAll(async () => {
    await superuser.query("create table changing (it int); insert into changing values (7)");
    await superuser.query("grant select, insert on changing to public");
  });
  /** Has each of the three connections prepare it. */
  const preparedEverywhere = (): Promise<unknown> =>
    Promise.all(
      Array.from({ length: 3 }, () =>
        database.run("tenantless", [value, { text: "select pg_sleep(0.1)", values: [] }]),
      ),
    );

  it("is prepared anew for a short read, on whichever connection it comes to", async () => {
    await preparedEverywhere();
    await migrateTo("text");
    const answers = await Promise.all(Array.from({ length: 40 }, () => read(text, ["7"])));
    expect(new Set(answers)).toEqual(new Set(["7"]));
  });

  it("is prepared anew for a batch, which is carried out once", async () => {
    await preparedEverywhere();
    await migrateTo("bigint");
    const batches = Array.from({ length: 6 }, (_, place) =>
      database.run("tenantless", [
        { text: "insert into changing values ($1)", values: [String(100 + place)] },
        value,
      ]),
    );
    for (const [, rows] of await Promise.all(batches)) expect(rows).toEqual([["7"]]);
    expect(await read("select count(*) from changing where it >= 100")).toBe("6");
  });

  it("that is not supported at all is refused as such", async () => {
    await expect(
      read("select count(*) from changing group by it for update"),
    ).rejects.toMatchObject({
      sqlState: "0A000",
    });
    expect(await read("select 1")).toBe("1");
  });
});
