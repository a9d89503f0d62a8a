import {
  type Condition,
  type Expression,
  fieldsOf,
  type Kind,
  kinds,
  type PageSelection,
  type Params,
  type Read,
  type ReadPlan,
  type Selection,
  type Value,
} from "@sextant/registry-client";
import { silentLogger } from "@sextant/logging";
import { createTestRegistry, type TestRegistry } from "@sextant/testkit";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ACCESS } from "../src/access.ts";
import { Database } from "../src/database/database.ts";
import { compileForMany } from "../src/read/compile-plan.ts";
import { KnownPlan } from "../src/read/plan-cache.ts";
import { readCall } from "../src/read/read.repository.ts";

const readable = ACCESS.director.reads;
const paged = readable.filter((kind) => kind !== "content");

const params: Params = {
  uuid: "01a1f875-2f8d-7773-adb0-d1f02822c030",
  text: 'it\'s "text" \\',
  int: 7,
  bool: true,
  timestamp: "2026-01-02T03:04:05Z",
  uuids: ["01a1f875-2f8d-7773-adb0-d1f02822c030", "none"],
  texts: ['a"b', "c\\d", "{,}"],
  ints: ["1", "2"],
  elements: ['"g"', "1"],
  json: '["g"]',
  seconds: 1.5,
  size: 3,
  after: null,
  key: "group",
};

const param = (name: string): Value => ({ param: name });
const comparableTypes = new Set(["uuid", "text", "int", "bool", "timestamp"]);

/** Fields of a kind that can be compared, with what they can be compared to: a parameter, or a field of an object around. */
function comparisons(kind: Kind, around: readonly (Kind | null)[]): [string, Value][] {
  return Object.entries(fieldsOf(kind)).flatMap(([field, { type }]) => {
    if (!comparableTypes.has(type)) return [];
    const fields: [string, Value][] = around.flatMap((one, up) =>
      Object.entries(one === null ? { id: { type: "uuid" } } : fieldsOf(one))
        .filter(([, other]) => other.type === type)
        .map(([parent]): [string, Value] => [field, { parent, up }]),
    );
    return [[field, param(type)], ...fields];
  });
}

function condition(
  kind: Kind,
  around: readonly (Kind | null)[],
  depth: number,
): fc.Arbitrary<Condition> {
  const fields = Object.entries(fieldsOf(kind));
  const timestamps = fields.filter(([, { type }]) => type === "timestamp").map(([name]) => name);
  const options: fc.Arbitrary<Condition>[] = [
    fc
      .constantFrom(...comparisons(kind, around))
      .map(([field, value]) => ({ op: "equals", field, value })),
    fc.constantFrom(...fields.map(([name]) => name)).map((field) => ({ op: "isNull", field })),
    fc.constantFrom(...timestamps).map((field) => ({ op: "past", field })),
    fc.constantFrom(...timestamps).map((field) => ({
      op: "before",
      field,
      value: param("timestamp"),
    })),
    ...(kind === "tenant"
      ? [fc.constant({ op: "grantedTo", integrationSystem: param("uuid") } as const)]
      : []),
    ...(kind === "auditEntry"
      ? [fc.constant({ op: "names", object: param("uuid") } as const)]
      : []),
    fc
      .constantFrom(...timestamps)
      .map((field) => ({ op: "within", field, seconds: param("seconds") })),
    fc
      .constantFrom(...fields.filter(([, { type }]) => ["uuid", "text", "int"].includes(type)))
      .map(([field, { type }]) => ({ op: "in", field, values: param(`${type}s`) })),
  ];
  if (kinds[kind].labels) {
    const key = param("key");
    options.push(
      fc.constant({ op: "hasLabel", key }),
      fc.constant({ op: "labelIn", key, elements: param("elements") }),
      fc.constant({ op: "labelContains", key, json: param("json") }),
      fc
        .constantFrom("application" as const, "runtime" as const)
        .map((other) => ({ op: "sharesLabel", key, kind: other, id: param("uuid") })),
    );
  }
  if (depth > 0) {
    const inner = condition(kind, around, depth - 1);
    options.push(
      fc.array(inner, { maxLength: 3 }).map((of) => ({ op: "all", of })),
      fc.array(inner, { maxLength: 3 }).map((of) => ({ op: "any", of })),
      inner.map((one) => ({ op: "not", condition: one })),
      fc.constantFrom(...readable).chain((other) =>
        condition(other, [kind, ...around], depth - 1).map((where) => ({
          op: "exists",
          kind: other,
          where,
        })),
      ),
    );
  }
  return fc.oneof(...options);
}

const json = fc.constantFrom("null", '"text"', "1.50", '{"a": [true]}');

function expression(
  kind: Kind,
  around: readonly (Kind | null)[],
  depth: number,
): fc.Arbitrary<Expression> {
  const fields = Object.keys(fieldsOf(kind));
  const options: fc.Arbitrary<Expression>[] = [
    fc.constantFrom(...fields).map((field) => ({ field })),
    json.map((constant) => ({ constant })),
  ];
  if (kinds[kind].labels) options.push(fc.constant({ labels: { key: param("key") } }));
  if (depth > 0) {
    options.push(
      fc
        .tuple(
          selection(kind, around, depth - 1),
          fc.option(fc.constantFrom(...fields), { nil: undefined }),
        )
        .map(([object, unlessNull]) =>
          unlessNull === undefined ? { object } : { object, unlessNull },
        ),
      fc
        .tuple(
          fc.array(fc.record({ when: condition(kind, around, depth - 1), then: json }), {
            maxLength: 2,
          }),
          json,
        )
        .map(([choose, otherwise]) => ({ choose, otherwise })),
      fc
        .array(expression(kind, around, depth - 1), { minLength: 1, maxLength: 3 })
        .map((coalesce) => ({ coalesce })),
      fc
        .constantFrom(...readable)
        .chain((other) =>
          fc
            .tuple(
              condition(other, [kind, ...around], depth - 1),
              fc.constantFrom(...Object.keys(fieldsOf(other))),
            )
            .map(([where, field]) => ({ lookup: { kind: other, where, field } })),
        ),
      read([kind, ...around], depth - 1).map((one) => ({ read: one })),
    );
  }
  return fc.oneof(...options);
}

const alias = fc.string({ minLength: 1, maxLength: 12 });

function selection(
  kind: Kind,
  around: readonly (Kind | null)[],
  depth: number,
): fc.Arbitrary<Selection> {
  return fc
    .uniqueArray(fc.tuple(alias, expression(kind, around, depth)), {
      maxLength: 4,
      selector: ([as]) => as,
    })
    .map((entries) => entries.map(([as, one]) => ({ as, ...one })));
}

function pageSelection(
  kind: Kind,
  around: readonly (Kind | null)[],
  depth: number,
): fc.Arbitrary<PageSelection> {
  const info = fc
    .constantFrom("startCursor" as const, "endCursor" as const, "hasNextPage" as const)
    .map((part) => ({ as: part, part }));
  const part = fc.oneof(
    selection(kind, around, depth).map((select) => ({ part: "data" as const, select })),
    fc.array(info, { maxLength: 3 }).map((select) => ({ part: "pageInfo" as const, select })),
    fc.constant({ part: "totalCount" as const }),
    json.map((constant) => ({ constant })),
  );
  return fc
    .uniqueArray(fc.tuple(alias, part), { minLength: 1, maxLength: 4, selector: ([as]) => as })
    .map((entries) => entries.map(([as, one]) => ({ as, ...one })));
}

function read(around: readonly (Kind | null)[], depth: number): fc.Arbitrary<Read> {
  const bounds = { first: param("size"), after: param("after") };
  return fc.oneof(
    fc.constantFrom(...readable).chain((kind) =>
      fc.record({
        one: fc.constant(kind),
        where: condition(kind, around, depth),
        select: selection(kind, around, depth),
      }),
    ),
    fc.constantFrom(...paged).chain((kind) =>
      fc.record({
        list: fc.constant(kind),
        where: condition(kind, around, depth),
        select: selection(kind, around, depth),
        max: fc.integer({ min: 1, max: 20 }),
      }),
    ),
    fc.constantFrom(...paged).chain((kind) =>
      fc
        .record({
          page: fc.constant(kind),
          where: condition(kind, around, depth),
          select: pageSelection(kind, around, depth),
        })
        .map((page) => ({ ...page, ...bounds })),
    ),
    fc.constantFrom(...paged).chain((kind) =>
      fc.record({
        entities: fc.constant(kind),
        ids: fc.constant(param("uuids")),
        where: condition(kind, around, depth),
        select: selection(kind, around, depth),
      }),
    ),
  );
}

const plan: fc.Arbitrary<ReadPlan> = fc.record({
  select: fc
    .uniqueArray(fc.tuple(alias, read([], 2)), {
      minLength: 1,
      maxLength: 3,
      selector: ([as]) => as,
    })
    .map((entries) => entries.map(([as, one]) => ({ as, read: one }))),
  require: fc.array(
    fc
      .constantFrom(...readable)
      .chain((kind) => condition(kind, [], 1).map((where) => ({ kind, where }))),
    { maxLength: 2 },
  ),
});

/** One object by its id, under a condition and with what it has itself. */
const singleKind = fc.oneof(fc.constant("application" as const), fc.constantFrom(...paged));
const singleObject: fc.Arbitrary<Read> = singleKind.chain((kind) => {
  const itself: Condition = { op: "equals", field: "id", value: param("id") };
  const entries = fc.uniqueArray(fc.tuple(alias, expression(kind, [], 0)), {
    selector: ([as]) => as,
  });
  return fc.record({
    one: fc.constant(kind),
    where: fc
      .array(condition(kind, [], 0), { maxLength: 1 })
      .map((more) => ({ op: "all", of: [itself, ...more] })),
    select: entries.map((all) => all.map(([as, one]) => ({ as, ...one }))),
  });
});
const singlePlan: fc.Arbitrary<ReadPlan> = fc.record({
  select: fc
    .uniqueArray(fc.tuple(alias, singleObject), { minLength: 1, selector: ([as]) => as })
    .map((entries) => entries.map(([as, one]) => ({ as, read: one }))),
  require: fc.array(
    fc
      .constantFrom(...readable)
      .chain((kind) => condition(kind, [], 0).map((where) => ({ kind, where }))),
    { maxLength: 2 },
  ),
});

let test: TestRegistry;
let tenant: string;
let applications: readonly string[];

beforeAll(async () => {
  test = await createTestRegistry("director");
  tenant = await test.seedTenant();
  const at = "2026-01-02T03:04:05Z";
  const steps = Array.from({ length: 5 }, (_, place) => {
    const id = test.newID();
    return [
      {
        op: "create",
        kind: "application",
        id,
        values: { name: `a${place}`, statusCondition: "INITIAL", statusTimestamp: at },
      },
      { op: "label", kind: "application", id, key: "group", value: '["g", {"a": 1}]' },
      {
        op: "create",
        kind: "bundle",
        id: test.newID(),
        values: {
          applicationID: id,
          name: "b",
          instanceAuthRequestInputSchema: '{"type": "object"}',
        },
      },
    ] as const;
  }).flat();
  applications = steps.flatMap((step) => (step.op === "label" ? [step.id] : []));
  await test.registry.commit({
    id: test.newID(),
    tenant,
    actor: { type: "USER", id: "u" },
    action: "t",
    steps,
    params: {},
  });
});
afterAll(() => test?.close());

it("any plan of the catalog is one valid statement, whose answer has the plan's keys in their order", async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (one) => {
      const { text, missing } = await test.registry.read({ tenant, plan: one, params });
      // Keys that look like numbers are moved to the front by JavaScript, not by the database.
      const isPlace = (key: string): boolean => /^\d+$/.test(key);
      const keys = Object.keys(JSON.parse(text) as object);
      expect(keys.filter((key) => !isPlace(key))).toEqual(
        one.select.map(({ as }) => as).filter((as) => !isPlace(as)),
      );
      for (const place of missing) expect(place).toBeLessThan(one.require?.length ?? 0);
    }),
    { numRuns: 300 },
  );
});

it("a plan for many answers each as the plan answers it alone", async () => {
  const database = new Database({ url: test.database.serviceURL, log: silentLogger });
  let compared = 0;
  const nrs = fc.array(fc.nat({ max: 5 }), { minLength: 2 });
  await fc.assert(
    fc.asyncProperty(singlePlan, nrs, async (one, asked) => {
      const forMany = compileForMany(one);
      if (forMany === undefined) return;
      const known = new KnownPlan(one, 0);
      const calls = asked.map((nr) => {
        const own = { id: applications[nr] ?? "none", key: nr % 2 === 0 ? "group" : null };
        return readCall(known, { ...params, ...own }, tenant);
      });
      const answers = await Promise.all(
        calls.map((call) => database.runShort({ tenant }, { ...call, forMany })),
      );
      expect(answers).toEqual(await database.run({ tenant }, calls));
      compared += answers.length;
    }),
  );
  expect(compared).toBeGreaterThan(100);
  await database.close();
});
