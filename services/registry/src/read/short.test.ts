import type { Condition, Expression, ReadPlan } from "@sextant/registry-client";
import { expect, it } from "vitest";
import { isShort } from "./short.ts";

const byID: Condition = { op: "equals", field: "id", value: { param: "id" } };
const shares: Condition = {
  ...({ op: "sharesLabel", key: { param: "key" }, kind: "runtime" } as const),
  id: { param: "me" },
};
const one = (...expressions: Expression[]): ReadPlan => ({
  select: [
    { as: "typename", constant: '"Query"' },
    {
      as: "a",
      read: {
        one: "application",
        where: { op: "all", of: [byID, { op: "isNull", field: "name" }] },
        select: expressions.map((expression, place) => ({ as: `k${place}`, ...expression })),
      },
    },
  ],
  require: [{ kind: "application", where: byID }],
});

it("a read of single objects by their ids, with what they have themselves, is short", () => {
  expect(
    isShort(
      one(
        { field: "name" },
        { labels: { key: { param: "key" } } },
        { object: [{ as: "condition", field: "statusCondition" }] },
        { choose: [{ when: byID, then: "1" }], otherwise: "2" },
        { coalesce: [{ field: "description" }, { constant: '""' }] },
      ),
    ),
  ).toBe(true);
});

it("a read of other objects, of many, or by a condition that looks at others is not short", () => {
  const inner = { one: "bundle", where: byID, select: [] } as const;
  expect(isShort(one({ read: inner }))).toBe(false);
  expect(isShort(one({ object: [{ as: "b", read: inner }] }))).toBe(false);
  expect(isShort(one({ lookup: { kind: "bundle", where: byID, field: "name" } }))).toBe(false);
  expect(isShort(one({ choose: [{ when: shares, then: "1" }], otherwise: "2" }))).toBe(false);
  const { select } = one();
  expect(isShort({ select, require: [{ kind: "runtime", where: shares }] })).toBe(false);
  const where: Condition = { op: "any", of: [byID, { op: "not", condition: byID }] };
  expect(isShort({ select: [{ as: "a", read: { one: "runtime", where, select: [] } }] })).toBe(
    false,
  );
  const list = { list: "runtime", where: byID, select: [], max: 1 } as const;
  expect(isShort({ select: [{ as: "a", read: list }] })).toBe(false);
});
