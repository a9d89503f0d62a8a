import {
  type Condition,
  create,
  type Params,
  type Read,
  type ReadPlan,
  type Step,
} from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { byID, equals, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeConditionsAndLabels(given: Given): void {
  const { newID, commitOf, carryOut, newApplication, newRuntime, application, label, ask, names } =
    given;
  describe("conditions", () => {
    it("compare fields, and are two-valued where a field is null", async () => {
      const tenant = await given.seedTenant();
      await application(tenant, {
        name: "a",
        description: "x",
        lastSeen: "2020-01-01T00:00:00Z",
      });
      await application(tenant, {
        name: "b",
        lastSeen: new Date(Date.now() + 3_600_000).toISOString(),
      });
      const x = { x: "x" };
      expect(await names(tenant, equals("description", "x"), x)).toEqual(["a"]);
      expect(await names(tenant, { op: "not", condition: equals("description", "x") }, x)).toEqual([
        "b",
      ]);
      expect(await names(tenant, { op: "isNull", field: "description" }, {})).toEqual(["b"]);
      expect(
        await names(
          tenant,
          { op: "in", field: "name", values: { param: "all" } },
          { all: ["b", "c"] },
        ),
      ).toEqual(["b"]);
      expect(await names(tenant, { op: "past", field: "lastSeen" }, {})).toEqual(["a"]);
      expect(
        await names(
          tenant,
          { op: "within", field: "lastSeen", seconds: { param: "s" } },
          { s: 60 },
        ),
      ).toEqual(["b"]);
      expect(await names(tenant, { op: "any", of: [] }, {})).toEqual([]);
      const either: Condition = { op: "any", of: [equals("name", "a"), equals("name", "b")] };
      expect(
        await names(
          tenant,
          { op: "all", of: [either, { op: "isNull", field: "description" }] },
          { a: "a", b: "b" },
        ),
      ).toEqual(["b"]);
    });

    it("ask whether there is another object", async () => {
      const tenant = await given.seedTenant();
      const id = await application(tenant, { name: "with" });
      await application(tenant, { name: "without" });
      await carryOut(tenant, [create("bundle", newID(), { applicationID: id, name: "bundle" })]);
      const where: Condition = {
        op: "exists",
        kind: "bundle",
        where: { op: "equals", field: "applicationID", value: { parent: "id" } },
      };
      expect(await names(tenant, where, {})).toEqual(["with"]);
      expect(await names(tenant, { op: "not", condition: where }, {})).toEqual(["without"]);
    });
  });

  describe("labels", () => {
    it("are read as one object, or the one that is asked for, with the value as it was sent", async () => {
      const tenant = await given.seedTenant();
      const id = await application(tenant);
      const step: Step = {
        op: "label",
        kind: "application",
        id,
        key: "b",
        value: '{"z": 1.10, "a":[]}',
      };
      await carryOut(tenant, [label("application", id, "group", ["x", "y"]), step]);
      const read: Read = {
        one: "application",
        where: byID,
        select: [{ as: "labels", labels: { key: { param: "key" } } }],
      };
      const plan: ReadPlan = { select: [{ as: "x", read }] };
      const all = await given.director.read({ tenant, plan, params: { id, key: null } });
      expect(all.text).toBe('{"x":{"labels":{"b":{"z": 1.10, "a":[]},"group":["x","y"]}}}');
      expect(await ask(tenant, read, { id, key: "group" })).toEqual({
        labels: { group: ["x", "y"] },
      });
      expect(await ask(tenant, read, { id, key: "none" })).toEqual({ labels: null });
      const bare = await application(tenant);
      expect(await ask(tenant, read, { id: bare, key: null })).toEqual({ labels: {} });
    });

    it("are found by key, by element and by what their value contains", async () => {
      const tenant = await given.seedTenant();
      const values: Record<string, unknown> = {
        array: ["a", "b", 1, 2.5, null, { k: [1] }],
        text: "a",
        number: 1,
        object: { a: "a", n: { m: [1, 2] } },
        nested: [["a"]],
        long: ["l".repeat(5000)],
        truth: true,
      };
      for (const [name, value] of Object.entries(values)) {
        const { id, step } = newApplication({ name });
        await carryOut(tenant, [
          step,
          label("application", id, "k", value),
          label("application", id, `only_${name}`, 1),
        ]);
      }
      const sorted = async (where: Condition, params: Params) =>
        (await names(tenant, where, params)).toSorted();
      const key = { param: "key" };
      expect(await sorted({ op: "hasLabel", key }, { key: "only_text" })).toEqual(["text"]);
      const inAny: Condition = { op: "labelIn", key, elements: { param: "elements" } };
      expect(await sorted(inAny, { key: "k", elements: ['"a"', "true"] })).toEqual([
        "array",
        "text",
        "truth",
      ]);
      expect(await sorted(inAny, { key: "k", elements: ['"\\u0061"'] })).toEqual(["array", "text"]);
      expect(await sorted(inAny, { key: "k", elements: [" 1.0 "] })).toEqual(["array", "number"]);
      expect(
        await sorted(inAny, { key: "k", elements: [JSON.stringify("l".repeat(5000))] }),
      ).toEqual(["long"]);
      expect(await sorted(inAny, { key: "k", elements: [] })).toEqual([]);
      expect(await sorted(inAny, { key: "other", elements: ['"a"'] })).toEqual([]);

      const contains: Condition = { op: "labelContains", key, json: { param: "json" } };
      // As PostgreSQL's @> says: an array contains a scalar that is its element; a scalar contains no array.
      const expected: [string, string[]][] = [
        ['"a"', ["array", "text"]],
        ["1", ["array", "number"]],
        ["1.0", ["array", "number"]],
        ["null", ["array"]],
        ["true", ["truth"]],
        ['["a"]', ["array"]],
        ['["b","a"]', ["array"]],
        ['["b","z"]', []],
        ['[["a"]]', ["nested"]],
        ['[{"k":[]}]', ["array"]],
        ["[]", ["array", "long", "nested"]],
        ["{}", ["object"]],
        ['{"n":{"m":[2]}}', ["object"]],
        ['{"a":"b"}', []],
        [JSON.stringify(["l".repeat(5000)]), ["long"]],
      ];
      for (const [json, found] of expected) {
        expect(await sorted(contains, { key: "k", json })).toEqual(found.toSorted());
      }
      await expect(sorted(contains, { key: "k", json: "{" })).rejects.toMatchObject({
        code: "INVALID_DATA",
      });
    });

    it("connect applications and runtimes that share an element", async () => {
      const tenant = await given.seedTenant();
      const [one, two] = [newApplication({ name: "one" }), newApplication({ name: "two" })];
      const target = newRuntime();
      await carryOut(tenant, [
        one.step,
        label("application", one.id, "group", ["a", "b"]),
        two.step,
        label("application", two.id, "group", ["c"]),
        label("application", two.id, "other", ["a"]),
        target.step,
        label("runtime", target.id, "group", ["b", "d"]),
      ]);
      const where: Condition = {
        op: "sharesLabel",
        key: { param: "key" },
        kind: "runtime",
        id: { param: "runtime" },
      };
      expect(await names(tenant, where, { key: "group", runtime: target.id })).toEqual(["one"]);
      await carryOut(tenant, [label("runtime", target.id, "group", ["c"])]);
      expect(await names(tenant, where, { key: "group", runtime: target.id })).toEqual(["two"]);
      await carryOut(tenant, [label("runtime", target.id, "group", null)]);
      expect(await names(tenant, where, { key: "group", runtime: target.id })).toEqual([]);
    });

    it("are refused on an object that does not exist, and when the value is no JSON or cannot be compared", async () => {
      const tenant = await given.seedTenant();
      const step: Step = { op: "label", kind: "application", id: newID(), key: "k", value: "1" };
      expect(await given.director.commit(commitOf(tenant, [step]))).toEqual({
        ok: false,
        failure: { reason: "NOT_FOUND", step: 0 },
      });
      const id = await application(tenant);
      for (const value of [
        "{",
        '"\\u0000"',
        '"\\ud800"',
        "1e999",
        `${"[".repeat(200)}${"]".repeat(200)}`,
      ]) {
        const wrong: Step = { op: "label", kind: "application", id, key: "k", value };
        await expect(given.director.commit(commitOf(tenant, [wrong]))).rejects.toMatchObject({
          code: "INVALID_DATA",
        });
      }
    });

    it("go with their object", async () => {
      const tenant = await given.seedTenant();
      const { id, step } = newApplication();
      await carryOut(tenant, [step, label("application", id, "group", ["a"])]);
      await carryOut(tenant, [{ op: "delete", kind: "application", id }]);
      await carryOut(tenant, [step]);
      const read: Read = {
        one: "application",
        where: byID,
        select: [{ as: "labels", labels: { key: { param: "key" } } }],
      };
      expect(await ask(tenant, read, { id, key: null })).toEqual({ labels: {} });
      expect(
        await names(
          tenant,
          { op: "labelIn", key: { param: "key" }, elements: { param: "e" } },
          { key: "group", e: ['"a"'] },
        ),
      ).toEqual([]);
    });
  });
}
