import {
  type Condition,
  type PageSelection,
  type ReadPlan,
  type Read,
} from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { compileForMany, compilePlan } from "./compile-plan.ts";

const byID: Condition = { op: "equals", field: "id", value: { param: "id" } };
const ofParent = (field: string): Condition => ({ op: "equals", field, value: { parent: "id" } });
const page: PageSelection = [
  { as: "data", part: "data", select: [{ as: "id", field: "id" }] },
  {
    as: "pageInfo",
    part: "pageInfo",
    select: [
      { as: "startCursor", part: "startCursor" },
      { as: "endCursor", part: "endCursor" },
      { as: "hasNextPage", part: "hasNextPage" },
    ],
  },
  { as: "totalCount", part: "totalCount" },
];
const bounds = { first: { param: "first" }, after: { param: "after" } };
const of = (read: Read): ReadPlan => ({ select: [{ as: "x", read }] });

const plans: Readonly<Record<string, ReadPlan>> = {
  "one object by id": of({
    one: "application",
    where: byID,
    select: [
      { as: "id", field: "id" },
      { as: "name", field: "name" },
      { as: "seen", field: "lastSeen" },
      { as: "revision", field: "revision" },
      { as: "__typename", constant: '"Application"' },
    ],
  }),
  "a page of a group with nested pages": of({
    page: "application",
    where: { op: "labelIn", key: { param: "key" }, elements: { param: "groups" } },
    ...bounds,
    select: [
      {
        as: "data",
        part: "data",
        select: [
          { as: "name", field: "name" },
          { as: "labels", labels: { key: { param: "none" } } },
          {
            as: "bundles",
            read: { page: "bundle", where: ofParent("applicationID"), ...bounds, select: page },
          },
        ],
      },
      { as: "pageInfo", part: "pageInfo", select: [{ as: "hasNextPage", part: "hasNextPage" }] },
    ],
  }),
  "a page's total alone": of({
    page: "runtime",
    where: { op: "all", of: [] },
    ...bounds,
    select: [{ as: "totalCount", part: "totalCount" }],
  }),
  "applications of a runtime": of({
    list: "application",
    where: {
      op: "all",
      of: [
        { op: "sharesLabel", key: { param: "key" }, kind: "runtime", id: { param: "runtime" } },
        { op: "not", condition: { op: "isNull", field: "lastSeen" } },
        { op: "exists", kind: "bundle", where: ofParent("applicationID") },
      ],
    },
    max: 100,
    select: [{ as: "id", field: "id" }],
  }),
  "entities with what they look up": of({
    entities: "apiDefinition",
    ids: { param: "ids" },
    where: { op: "equals", field: "versionDeprecated", value: { param: "deprecated" } },
    select: [
      {
        as: "spec",
        object: [
          { as: "format", field: "specFormat" },
          {
            as: "data",
            lookup: {
              kind: "content",
              where: { op: "equals", field: "hash", value: { parent: "specContent" } },
              field: "text",
            },
          },
        ],
        unlessNull: "specType",
      },
    ],
  }),
  "JSON as a string that holds its text": of({
    one: "bundle",
    where: byID,
    select: [{ as: "schema", jsonText: "instanceAuthRequestInputSchema" }],
  }),
  "tenants, and what has to exist": {
    select: [
      {
        as: "tenants",
        read: {
          list: "tenant",
          where: { op: "all", of: [] },
          max: 10,
          select: [{ as: "id", field: "externalID" }],
        },
      },
    ],
    require: [{ kind: "runtime", where: byID }],
  },
};

describe("the SQL of", () => {
  for (const [name, plan] of Object.entries(plans)) {
    it(`${name} is what it was`, () => {
      const { text, slots } = compilePlan(plan);
      const places = slots.map((slot, place) => `$${place + 1} ${JSON.stringify(slot)}`);
      expect(`${text}\n\n${places.join("\n")}`).toMatchSnapshot();
    });
  }

  it("a plan for many has a column for what they differ in, and a place for the tenant", () => {
    const compiled = compileForMany({
      select: plans["one object by id"]?.select ?? [],
      require: [{ kind: "runtime", where: { op: "hasLabel", key: { param: "key" } } }],
    });
    expect(compiled?.text).toMatchSnapshot();
    expect(compiled?.columns).toEqual([true, false, true]);
  });

  it("a label's probe is a look-up of an element where that is enough", () => {
    const plan = of({
      list: "application",
      where: { op: "labelContains", key: { param: "key" }, json: { param: "json" } },
      max: 10,
      select: [{ as: "id", field: "id" }],
    });
    expect(compilePlan(plan, { json: "element" }).text).toMatchSnapshot();
    expect(compilePlan(plan, { json: "narrowed" }).text).toMatchSnapshot();
    expect(compilePlan(plan, { json: "value" }).text).toMatchSnapshot();
  });
});

describe("a compiled plan", () => {
  it("names the tenant for every table that has one, and for no other", () => {
    for (const plan of Object.values(plans)) {
      const { text } = compilePlan(plan);
      const tables = [...text.matchAll(/(?:from|join) ([a-z_]+) (t\d+)/g)];
      expect(tables.length).toBeGreaterThan(0);
      for (const [, table, alias] of tables) {
        expect(text.includes(`${alias}.tenant_id = $`)).toBe(table !== "tenant");
      }
    }
  });

  it("says which kinds it reads, wherever it does", () => {
    const kinds = Object.values(plans).map((plan) => [...compilePlan(plan).kinds].toSorted());
    expect(kinds).toEqual([
      ["application"],
      ["application", "bundle"],
      ["runtime"],
      ["application", "bundle", "runtime"],
      ["apiDefinition", "content"],
      ["bundle"],
      ["runtime", "tenant"],
    ]);
  });

  it("has one place for a parameter, however often it is used", () => {
    const either: Condition = { op: "any", of: [byID, byID] };
    const { slots } = compilePlan(of({ one: "application", where: either, select: [] }));
    expect(slots.filter((slot) => "name" in slot && slot.name === "id")).toHaveLength(1);
  });

  it("is none for many when there is nothing in which they differ, or an array in which they do", () => {
    const none: Condition = { op: "all", of: [] };
    expect(compileForMany(of({ one: "application", where: none, select: [] }))).toBeUndefined();
    const some: Condition = { op: "in", field: "name", values: { param: "names" } };
    const where: Condition = { op: "all", of: [byID, some] };
    expect(compileForMany(of({ one: "application", where, select: [] }))).toBeUndefined();
  });

  it("is refused when it is nested without end", () => {
    let condition: Condition = { op: "all", of: [] };
    for (let depth = 0; depth < 60; depth += 1)
      condition = { op: "exists", kind: "bundle", where: condition };
    expect(() => compilePlan(of({ one: "bundle", where: condition, select: [] }))).toThrow(
      "nested deeper",
    );
  });
});
