import {
  type Condition,
  create,
  type LabelValues,
  readList,
  type Step,
} from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { byID, equals, everything, type Given, sha256 } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeDefinitionsAndAssignments(given: Given): void {
  const { newID, commitOf, carryOut, newRuntime, runtime, label, ask, names } = given;

  const definitions = async (tenant: string): Promise<string[]> =>
    (await readList(given.director, tenant, "labelDefinition", everything, ["key"], {}, 2_000)).map(
      ({ key }) => key,
    );

  describe("definitions of labels", () => {
    it("come with the first label of a key, once, and stay when it is gone", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      await carryOut(tenant, [label("runtime", id, "a", 1)]);
      await carryOut(tenant, [label("runtime", id, "a", 2), label("runtime", id, "b", 2)]);
      await carryOut(tenant, [label("runtime", id, "a", null), label("runtime", id, "c", null)]);
      expect((await definitions(tenant)).toSorted()).toEqual(["a", "b"]);
      expect(await definitions(await given.seedTenant())).toEqual([]);
    });

    it("are at most 1,000, also when several come at once", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      const steps = Array.from({ length: 995 }, (_, nr) => label("runtime", id, `k${nr}`, nr));
      await carryOut(tenant, steps);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, nr) =>
          given.director.commit(commitOf(tenant, [label("runtime", id, `more${nr}`, 1)])),
        ),
      );
      expect(answers.filter(({ ok }) => ok)).toHaveLength(5);
      const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.failure]));
      expect(refused).toEqual(refused.map(() => ({ reason: "LIMIT", step: 0 })));
      await carryOut(tenant, [label("runtime", id, "k1", "known")]);
      expect(await definitions(tenant)).toHaveLength(1_000);
    });
  });

  describe("the values of a label", () => {
    const valuesOf = async (tenant: string, key: string, max = 10): Promise<LabelValues> =>
      (await ask(tenant, { labelValues: { param: "key" }, max }, { key })) as LabelValues;

    it("are read each once with one object that has it, and not those of other tenants", async () => {
      const tenant = await given.seedTenant();
      const other = await given.seedTenant();
      const ids: string[] = [];
      for (const value of ["x", "x", { b: [1] }]) {
        const id = await runtime(tenant);
        ids.push(id);
        await carryOut(tenant, [label("runtime", id, "k", value)]);
      }
      const application = await given.application(tenant);
      await carryOut(tenant, [label("application", application, "k", null)]);
      await carryOut(tenant, [label("application", application, "k", 1)]);
      await carryOut(other, [label("runtime", await runtime(other), "k", "other")]);
      const { values, complete } = await valuesOf(tenant, "k");
      expect(complete).toBe(true);
      const byDigest = (a: { digest: string }, b: { digest: string }) =>
        a.digest < b.digest ? -1 : 1;
      const expected = [
        { kind: "runtime", id: ids[0], digest: sha256('"x"'), value: "x" },
        { kind: "runtime", id: ids[2], digest: sha256('{"b":[1]}'), value: { b: [1] } },
        { kind: "application", id: application, digest: sha256("1"), value: 1 },
      ];
      expect(values).toEqual(expected.toSorted(byDigest));
      expect(await valuesOf(tenant, "absent")).toEqual({ values: [], complete: true });
      const cut = await valuesOf(tenant, "k", 2);
      expect([cut.values.length, cut.complete]).toEqual([2, false]);
      expect((await valuesOf(tenant, "k", 3)).complete).toBe(true);
    });

    it("are demanded by a commit, of every kind", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      const context = newID();
      await carryOut(tenant, [
        create("runtimeContext", context, { runtimeID: id, key: "k", value: "v" }),
        { op: "label", kind: "runtimeContext", id: context, key: "k", value: "2" },
        label("runtime", id, "k", 1),
      ]);
      const demand = (...digests: string[]) =>
        given.director.commit(commitOf(tenant, [{ op: "labelValues", key: "k", digests }]));
      expect(await demand(sha256("1"), sha256("2"), sha256("3"))).toMatchObject({ ok: true });
      expect(await demand(sha256("1"))).toEqual({
        ok: false,
        failure: { reason: "PRECONDITION", step: 0 },
      });
      await carryOut(tenant, [{ op: "unlabel", kind: "runtime", key: "k" }]);
      expect((await valuesOf(tenant, "k")).values.map(({ kind }) => kind)).toEqual([
        "runtimeContext",
      ]);
      await carryOut(tenant, [{ op: "unlabel", kind: "runtimeContext", key: "k" }]);
      expect(await demand()).toMatchObject({ ok: true });
      expect(await valuesOf(tenant, "k")).toEqual({ values: [], complete: true });
    });
  });

  describe("groups that are assigned", () => {
    const assignment = (groupName: string, selectorKey: string, selectorValue: string): Step =>
      create("automaticGroupAssignment", newID(), { groupName, selectorKey, selectorValue });
    const change = (
      what: "add" | "remove",
      assignments: Condition = everything,
      runtimes: Condition = everything,
    ): Step => ({
      op: "assign",
      change: what,
      runtimes,
      assignments,
      label: "group",
      fallback: "default",
    });
    const groupsOf = async (tenant: string, id: string): Promise<unknown> => {
      const select = [{ as: "labels", labels: { key: { param: "key" } } } as const];
      const found = await ask(
        tenant,
        { one: "runtime", where: byID, select },
        { id, key: "group" },
      );
      return (found as { labels: { group: unknown } }).labels.group;
    };
    /** What is found by the elements must be what the value says. */
    const inGroup = (tenant: string, group: string) =>
      names(
        tenant,
        { op: "labelIn", key: { param: "key" }, elements: { param: "elements" } },
        { key: "group", elements: [JSON.stringify(group)] },
        "runtime",
      );

    it("are added to the runtimes whose label is or holds the text, beside what they have, and taken out again", async () => {
      const tenant = await given.seedTenant();
      const values: Record<string, unknown> = {
        is: "eu",
        holds: ["eu", "de"],
        other: "us",
        number: 1,
        nested: [["eu"]],
      };
      const ids: Record<string, string> = {};
      for (const [name, value] of Object.entries(values)) {
        const { id, step } = newRuntime({ name });
        ids[name] = id;
        await carryOut(tenant, [
          step,
          label("runtime", id, "group", name === "is" ? ["default"] : ["a", 'odd "\\ \u2028 ß']),
          label("runtime", id, "region", value),
        ]);
      }
      const groups = async () => Promise.all(Object.values(ids).map((id) => groupsOf(tenant, id)));
      const before = await groups();
      await carryOut(tenant, [assignment('Ä "q"', "region", "eu"), assignment("z", "none", "eu")]);
      await carryOut(tenant, [change("add")]);
      await carryOut(tenant, [change("add")]);
      expect(await groupsOf(tenant, ids["is"] as string)).toEqual(["default", 'Ä "q"']);
      expect(await groupsOf(tenant, ids["holds"] as string)).toEqual([
        "a",
        'odd "\\ \u2028 ß',
        'Ä "q"',
      ]);
      expect((await inGroup(tenant, 'Ä "q"')).toSorted()).toEqual(["holds", "is"]);
      expect(await inGroup(tenant, "z")).toEqual([]);
      await carryOut(tenant, [change("remove")]);
      expect(await groups()).toEqual(before);
      expect(await inGroup(tenant, 'Ä "q"')).toEqual([]);
      expect((await inGroup(tenant, 'odd "\\ \u2028 ß')).length).toBe(4);
    });

    it("leave the runtime in the fallback when it had no other, even when that is what is taken out", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant, { name: "alone" });
      await carryOut(
        tenant,
        [
          label("runtime", id, "region", ["eu"]),
          label("runtime", id, "group", ["g"]),
          assignment("g", "region", "eu"),
          assignment("default", "region", "eu"),
          change("remove", equals("groupName", "group")),
        ],
        { params: { group: "g" } },
      );
      expect(await groupsOf(tenant, id)).toEqual(["default"]);
      expect(await inGroup(tenant, "g")).toEqual([]);
      expect(await inGroup(tenant, "default")).toEqual(["alone"]);
      await carryOut(tenant, [change("add"), change("remove")]);
      expect(await groupsOf(tenant, id)).toEqual(["default"]);
      expect(await inGroup(tenant, "default")).toEqual(["alone"]);
    });

    it("are changed for the chosen runtimes and assignments of the tenant only", async () => {
      const tenant = await given.seedTenant();
      const other = await given.seedTenant();
      const ids: string[] = [];
      for (const owner of [tenant, tenant, other]) {
        const id = await runtime(owner);
        ids.push(id);
        await carryOut(owner, [
          label("runtime", id, "region", "eu"),
          label("runtime", id, "group", ["default"]),
        ]);
      }
      await carryOut(tenant, [assignment("g1", "region", "eu"), assignment("g2", "region", "eu")]);
      await carryOut(tenant, [change("add", equals("groupName", "group"), byID)], {
        params: { group: "g1", id: ids[0] as string },
      });
      expect(await groupsOf(tenant, ids[0] as string)).toEqual(["default", "g1"]);
      expect(await groupsOf(tenant, ids[1] as string)).toEqual(["default"]);
      await carryOut(tenant, [change("add")]);
      expect(await groupsOf(tenant, ids[1] as string)).toEqual(["default", "g1", "g2"]);
      expect(await groupsOf(other, ids[2] as string)).toEqual(["default"]);
      await carryOut(tenant, [change("remove")]);
      const parts = [0, 1, 2].map((nr) => ({ ...change("add"), part: { nr, of: 3 } }) as Step);
      for (const part of parts) await carryOut(tenant, [part]);
      expect(await inGroup(tenant, "g2")).toHaveLength(2);
      await carryOut(tenant, [label("runtime", ids[1] as string, "group", []), change("add")]);
      expect(await groupsOf(tenant, ids[1] as string)).toEqual(["g1", "g2"]);
    });
  });

  describe("the same message", () => {
    it("goes to a webhook once a commit, and again with the next commit", async () => {
      const tenant = await given.seedTenant();
      const of = await given.application(tenant);
      const hooks = [newID(), newID()] as const;
      await carryOut(tenant, [
        ...hooks.map((id) =>
          create("webhook", id, {
            applicationID: of,
            type: "CONFIGURATION_CHANGED",
            signingSecret: "sealed",
          }),
        ),
      ]);
      const deliver = (id: string, type: string, body: string): Step => ({
        op: "deliver",
        webhooks: equals("id", id),
        type,
        body,
      });
      const params = { first: hooks[0], second: hooks[1] };
      const steps = [
        deliver("first", "a", "{}"),
        deliver("first", "a", "{}"),
        deliver("second", "a", "{}"),
        deliver("first", "b", "{}"),
        deliver("first", "a", "[]"),
      ];
      await carryOut(tenant, steps, { params });
      const count = async () =>
        (await readList(given.director, tenant, "delivery", everything, ["id"], {}, 100)).length;
      expect(await count()).toBe(4);
      await carryOut(tenant, steps, { params });
      expect(await count()).toBe(8);
    });
  });
}
