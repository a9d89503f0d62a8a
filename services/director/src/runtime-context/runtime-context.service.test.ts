import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
  type Variables,
} from "../../test/given.ts";

let director: TestDirector;
let tenant: TestTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const shown = "id runtimeID key value labels revision";
const register = `mutation($id: ID, $in: RuntimeContextInput!) { x: registerRuntimeContext(runtimeID: $id, in: $in) { ${shown} } }`;
const update = `mutation($id: ID!, $in: RuntimeContextInput!, $r: Int) { x: updateRuntimeContext(id: $id, in: $in, expectedRevision: $r) { ${shown} } }`;
const unregister = `mutation($id: ID!, $r: Int) { x: unregisterRuntimeContext(id: $id, expectedRevision: $r) { ${shown} } }`;
const read = `query($id: ID!) { x: runtimeContext(id: $id) { ${shown} } }`;
const list = `query($filter: [LabelFilter!]) { x: runtimeContexts(filter: $filter) { totalCount data { value } } }`;

const aContext = async (of: TestTenant, runtimeID: string, value: string, more: Variables = {}) =>
  (await of.admin.ask(register, { id: runtimeID, in: { key: "tenant", value, ...more } })).x;

describe("a runtime context", () => {
  it("is registered by its runtime or for it, read back, changed and removed", async () => {
    const runtime = await aRuntime(tenant, "whole");
    const itself = tenant.runtime(runtime);
    const labels = { a: 1, b: ["x"] };
    const { x } = await itself.ask(register, { in: { key: "tenant", value: "t-1", labels } });
    expect(x).toEqual({
      id: x.id,
      runtimeID: runtime,
      key: "tenant",
      value: "t-1",
      labels,
      revision: 1,
    });
    expect((await itself.ask(read, { id: x.id })).x).toEqual(x);
    const second = await aContext(tenant, runtime, "t-2");
    expect(second.labels).toEqual({});
    const { runtimeContexts } = (
      await itself.ask(
        `query($id: ID!) { x: runtime(id: $id) { runtimeContexts(first: 1) { totalCount pageInfo { hasNextPage } data { id labels(key: "b") } } } }`,
        { id: runtime },
      )
    ).x;
    expect(runtimeContexts).toEqual({
      totalCount: 2,
      pageInfo: { hasNextPage: true },
      data: [{ id: x.id, labels: { b: ["x"] } }],
    });
    const changed = await itself.ask(update, {
      id: x.id,
      in: { key: "k", value: "v", labels: { b: 2 } },
      r: 1,
    });
    expect(changed.x).toMatchObject({ key: "k", value: "v", labels: { b: 2 }, revision: 2 });
    const kept = await tenant.admin.ask(update, { id: x.id, in: { key: "k", value: "w" } });
    expect(kept.x).toMatchObject({ value: "w", labels: { b: 2 }, revision: 3 });
    expect(await itself.refusal(update, { id: x.id, in: { key: "k", value: "v" }, r: 1 })).toMatch(
      /^CONCURRENT_UPDATE/,
    );
    expect(await itself.refusal(unregister, { id: x.id, r: 1 })).toMatch(/^CONCURRENT_UPDATE/);
    expect((await itself.ask(unregister, { id: x.id, r: 3 })).x.value).toBe("w");
    expect(await itself.refusal(unregister, { id: x.id })).toMatch(/^NOT_FOUND: RuntimeContext/);
    expect((await itself.ask(read, { id: x.id })).x).toBeNull();
  });

  it("needs the name of its runtime from everyone else", async () => {
    const input = { key: "tenant", value: "x" };
    expect(await tenant.admin.refusal(register, { in: input })).toMatch(
      /^INVALID_DATA: .*runtimeID: is required/,
    );
    for (const id of [director.inside.newID(), "no-id"])
      expect(await tenant.admin.refusal(register, { id, in: input })).toMatch(
        /^NOT_FOUND: Runtime with id/,
      );
  });

  it("with wrong values is refused, and every one is named", async () => {
    const id = await aRuntime(tenant, "wrong");
    const refusal = await tenant.admin.refusal(register, {
      id,
      in: { key: "", value: "x".repeat(2001), labels: { "a-b": 1, ok: "\u0000" } },
    });
    expect(refusal).toMatch(/^INVALID_DATA: validation error for type RuntimeContextInput/);
    for (const field of ["key: ", "value: ", "labels.a-b: ", "labels.ok: "])
      expect(refusal).toContain(field);
  });

  it("is found by its labels", async () => {
    const own = await director.tenant();
    const runtime = await aRuntime(own, "r");
    await aContext(own, runtime, "one", { labels: { zone: ["a", "b"] } });
    await aContext(own, runtime, "two", { labels: { zone: ["b"], other: 1 } });
    const found = async (filter: unknown) =>
      (await own.admin.ask(list, { filter })).x.data.map(({ value }: { value: string }) => value);
    expect(await found([{ key: "zone", query: '$[*] ? (@ == "a")' }])).toEqual(["one"]);
    expect(await found([{ key: "zone", query: '["b"]' }])).toEqual(["one", "two"]);
    expect(await found([{ key: "zone" }, { key: "other" }])).toEqual(["two"]);
    expect(await own.admin.refusal(list, { filter: [{ key: "zone", query: "[" }] })).toMatch(
      /^INVALID_DATA/,
    );
  });

  it("is its runtime's alone, and for applications of its groups to see", async () => {
    const own = await director.tenant();
    const mine = await aRuntime(own, "mine", { labels: { group: ["g"] } });
    const theirs = await aRuntime(own, "theirs", { labels: { group: ["g", "h"] } });
    const context = await aContext(own, mine, "mine");
    const other = await aContext(own, theirs, "theirs");
    const stranger = own.runtime(theirs);
    expect((await stranger.ask(list)).x).toEqual({ totalCount: 1, data: [{ value: "theirs" }] });
    expect((await stranger.ask(read, { id: context.id })).x).toBeNull();
    const input = { key: "k", value: "stolen" };
    const refusals = [
      await stranger.refusal(update, { id: context.id, in: input }),
      await stranger.refusal(unregister, { id: context.id }),
      await stranger.refusal(register, { id: mine, in: input }),
    ];
    for (const refusal of refusals) expect(refusal).toMatch(/^NOT_FOUND/);
    const far = own.application(await anApplication(own, "far", { labels: { group: ["h"] } }));
    expect((await far.ask(list)).x.data).toEqual([{ value: "theirs" }]);
    expect((await far.ask(read, { id: context.id })).x).toBeNull();
    expect((await far.ask(read, { id: other.id })).x.value).toBe("theirs");
    const near = own.application(await anApplication(own, "near", { labels: { group: ["g"] } }));
    expect((await near.ask(list)).x.totalCount).toBe(2);
    expect(await near.refusal(update, { id: context.id, in: input })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
    expect((await (await director.tenant()).admin.ask(list)).x.totalCount).toBe(0);
  });

  it("goes with its runtime, its labels too", async () => {
    const own = await director.tenant();
    const runtime = await aRuntime(own, "gone");
    await aContext(own, runtime, "gone", { labels: { left: 1 } });
    await own.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
      id: runtime,
    });
    expect((await own.admin.ask(list)).x.totalCount).toBe(0);
    await own.admin.ask(`mutation { deleteLabelDefinition(key: "left") { key } }`);
  });

  it("is one of at most 1,000 of its runtime", async () => {
    const own = await director.tenant();
    const runtime = await aRuntime(own, "full");
    const { registry, newID } = director.inside;
    const answer = await registry.commit({
      id: newID(),
      tenant: own.id,
      actor: { type: "USER", id: "x" },
      action: "test",
      params: {},
      steps: Array.from({ length: 999 }, (_, nr) => ({
        op: "create" as const,
        kind: "runtimeContext" as const,
        id: newID(),
        values: { runtimeID: runtime, key: "k", value: String(nr) },
      })),
    });
    expect(answer.ok).toBe(true);
    await aContext(own, runtime, "last");
    expect(
      await own.admin.refusal(register, { id: runtime, in: { key: "k", value: "more" } }),
    ).toMatch(/^INVALID_OPERATION: the runtime has 1000 contexts/);
  });
});
