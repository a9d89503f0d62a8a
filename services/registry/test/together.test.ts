import {
  type Commit,
  type Condition,
  create,
  readOne,
  type Step,
  update,
} from "@sextant/registry-client";
import { createTestRegistry, storedRows, type TestRegistry } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let inside: TestRegistry;
beforeAll(async () => {
  inside = await createTestRegistry("director");
});
afterAll(() => inside.close());

const commitOf = (tenant: string, steps: readonly Step[], params = {}): Commit => ({
  ...{ id: inside.newID(), tenant, action: "test", steps, params },
  actor: { type: "USER", id: 'some"body\\', requestID: "r" },
});
const runtimeOf = (id: string, name: string, description: string | null = null): Step =>
  create("runtime", id, {
    ...{ name, description, statusCondition: "INITIAL" },
    statusTimestamp: "2026-01-02T03:04:05.000Z",
  });
const withoutDescription: Condition = { op: "isNull", field: "description" };
const isThere = (kind: "runtime" | "application", param: string): Step => ({
  ...{ op: "check", kind, expect: "some", hold: true },
  where: { op: "equals", field: "id", value: { param } },
});
const runtimeIn = async (tenant: string): Promise<string> => {
  const id = inside.newID();
  const answer = await inside.registry.commit(commitOf(tenant, [runtimeOf(id, `runtime-${id}`)]));
  expect(answer.ok).toBe(true);
  return id;
};
const descriptionOf = async (tenant: string, id: string): Promise<unknown> => {
  const where: Condition = { op: "equals", field: "id", value: { param: "id" } };
  return (await readOne(inside.registry, tenant, "runtime", where, ["description"], { id }))
    ?.description;
};

describe("commits that are alike", () => {
  it("are as many statements as one of them, for each tenant, and store each its own values", async () => {
    const tenants = [await inside.seedTenant(), await inside.seedTenant()];
    const texts = ["", "null", "{a,b}", 'say "a\\b"', " space ", "ä€😀", "two\nlines", "x", null];
    const made = tenants.flatMap((tenant) =>
      texts.map((description, nr) => ({ tenant, description, id: inside.newID(), nr })),
    );
    const held = new Map<string, string>();
    for (const tenant of tenants) held.set(tenant, await runtimeIn(tenant));
    const commits = made.map(({ tenant, description, id, nr }) =>
      commitOf(tenant, [isThere("runtime", "held"), runtimeOf(id, `made-${nr}`, description)], {
        held: held.get(tenant),
      }),
    );
    // What is checked is created as well: these may not be put together.
    const apart = await inside.statementsOf(() => inside.registry.commitGroup(commits.slice(0, 3)));
    expect(apart.at(-1)).toHaveLength(3 * 3);

    const applications = made.slice(3).map(({ tenant, description, id, nr }) =>
      commitOf(
        tenant,
        [
          isThere("runtime", "held"),
          create("application", id, {
            ...{ name: `made-${nr}`, description, statusCondition: "INITIAL" },
            statusTimestamp: "2026-01-02T03:04:05.000Z",
          }),
        ],
        { held: held.get(tenant) },
      ),
    );
    const [statements] = await inside.statementsOf(async () => {
      expect(await inside.registry.commitGroup(applications)).toEqual({ ok: true });
    });
    // Entry, check and application of each tenant, and what opens the second.
    expect(statements).toHaveLength(3 + 1 + 3);
    const byID: Condition = { op: "equals", field: "id", value: { param: "id" } };
    for (const [at, { tenant, description, id }] of made.slice(3).entries()) {
      const stored = await readOne(inside.registry, tenant, "application", byID, ["description"], {
        id,
      });
      expect(stored).toEqual({ description });
      const entry = { id: applications[at]?.id ?? "" };
      const fields = ["actorID", "objects"] as const;
      expect(await readOne(inside.registry, tenant, "auditEntry", byID, fields, entry)).toEqual({
        actorID: 'some"body\\',
        objects: [{ kind: "application", id, change: "create" }],
      });
    }
    const rows = (await storedRows(inside.database)).filter((row) =>
      row.startsWith("audit_object "),
    );
    for (const [at, { id }] of made.slice(3).entries())
      expect(
        rows.filter((row) => row.includes(id) && row.includes(applications[at]?.id ?? "")),
      ).toHaveLength(1);
  });

  it("are chained in the audit log in their order", async () => {
    const tenant = await inside.seedTenant();
    const commits = ["a", "b", "c", "d"].map((name) =>
      commitOf(tenant, [runtimeOf(inside.newID(), name)]),
    );
    expect(await inside.registry.commitGroup(commits)).toEqual({ ok: true });
    const waiting = (await storedRows(inside.database, tenant))
      .filter((row) => row.startsWith("audit_unchained "))
      .map((row) => JSON.parse(row.slice(row.indexOf("{"))) as { entry: number; entry_id: string })
      .toSorted((a, b) => a.entry - b.entry)
      .map((row) => row.entry_id);
    expect(waiting.slice(-commits.length)).toEqual(commits.map(({ id }) => id));
  });

  it("of which two change the same object are refused as they would be one by one", async () => {
    const tenant = await inside.seedTenant();
    const [id, other] = [await runtimeIn(tenant), await runtimeIn(tenant)];
    const once = (runtime: string, description: string): Commit =>
      commitOf(tenant, [
        update("runtime", runtime, { description }, { where: withoutDescription }),
      ]);
    expect(
      await inside.registry.commitGroup([once(other, "a"), once(id, "b"), once(id, "c")]),
    ).toEqual({ ok: false, at: 2, failure: { reason: "PRECONDITION", step: 0 } });
    expect(await descriptionOf(tenant, other)).toBeNull();
    expect(await inside.registry.commitGroup([once(other, "a"), once(id, "b")])).toEqual({
      ok: true,
    });
    expect([await descriptionOf(tenant, other), await descriptionOf(tenant, id)]).toEqual([
      "a",
      "b",
    ]);
  });

  it("of which one makes untrue what another demands are refused as they would be one by one", async () => {
    const tenant = await inside.seedTenant();
    const [one, two] = [await runtimeIn(tenant), await runtimeIn(tenant)];
    const demand = (param: string): Step => ({
      ...{ op: "check", kind: "runtime", expect: "some" },
      where: {
        op: "all",
        of: [{ op: "equals", field: "id", value: { param } }, withoutDescription],
      },
    });
    // Each demands that the other's is as it was, then changes its own.
    const commits = [
      commitOf(tenant, [demand("x"), update("runtime", one, { description: "a" })], { x: two }),
      commitOf(tenant, [demand("x"), update("runtime", two, { description: "b" })], { x: one }),
    ];
    expect(await inside.registry.commitGroup(commits)).toEqual({
      ok: false,
      at: 1,
      failure: { reason: "PRECONDITION", step: 0 },
    });
  });

  it("hold each what they check: one whose object is not there is refused, and it is told which", async () => {
    const tenant = await inside.seedTenant();
    const held = [await runtimeIn(tenant), inside.newID(), await runtimeIn(tenant)];
    const commits = held.map((id, nr) =>
      commitOf(
        tenant,
        [
          isThere("runtime", "held"),
          create("application", inside.newID(), {
            ...{ name: `of-${nr}`, statusCondition: "INITIAL" },
            statusTimestamp: "2026-01-02T03:04:05.000Z",
          }),
        ],
        { held: id },
      ),
    );
    const refused = { ok: false, at: 1, failure: { reason: "PRECONDITION", step: 0 } };
    expect(await inside.registry.commitGroup(commits)).toEqual(refused);
    const [first, , last] = commits as [Commit, Commit, Commit];
    expect(await inside.registry.commitGroup([first, last])).toEqual({ ok: true });
  });
});
