import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  type Speaker,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let tenant: TestTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const setRuntime = `mutation($id: ID!, $key: String!, $value: Any!) { x: setRuntimeLabel(runtimeID: $id, key: $key, value: $value) { key value } }`;
const removeRuntime = `mutation($id: ID!, $key: String!) { x: deleteRuntimeLabel(runtimeID: $id, key: $key) { key value } }`;
const setApplication = `mutation($id: ID!, $key: String!, $value: Any!) { x: setApplicationLabel(applicationID: $id, key: $key, value: $value) { key value } }`;
const removeApplication = `mutation($id: ID!, $key: String!) { x: deleteApplicationLabel(applicationID: $id, key: $key) { key value } }`;

const labelsOf = async (id: string, key?: string): Promise<any> => {
  const { runtime } = await tenant.admin.ask(
    `query($id: ID!, $key: String) { runtime(id: $id) { labels(key: $key) } }`,
    { id, key },
  );
  return runtime.labels;
};
const found = async (as: Speaker, filter: unknown): Promise<string[]> => {
  const { runtimes } = await as.ask(
    `query($filter: [LabelFilter!]) { runtimes(filter: $filter) { data { name } } }`,
    { filter },
  );
  return (runtimes.data as { name: string }[]).map(({ name }) => name).toSorted();
};

describe("a label", () => {
  it("is any JSON value under a key, and setting it again replaces it", async () => {
    const id = await aRuntime(tenant, "any-value");
    for (const value of [
      "text",
      1.5,
      true,
      [null],
      [],
      {},
      { deep: [{ er: "ß\\u0000\\ud800" }] },
    ]) {
      const { x } = await tenant.admin.ask(setRuntime, { id, key: "a_1", value });
      expect(x).toEqual({ key: "a_1", value });
      expect(await labelsOf(id)).toEqual({ group: ["default"], a_1: value });
    }
  });

  it("that is asked for by key is alone, and null when it is absent", async () => {
    const id = await aRuntime(tenant, "by-key", { labels: { one: 1, two: 2 } });
    expect(await labelsOf(id, "one")).toEqual({ one: 1 });
    expect(await labelsOf(id, "absent")).toBeNull();
    expect(await labelsOf(id, "a\u0000")).toBeNull();
  });

  it("with a wrong key or a value that cannot be kept is refused, and says why", async () => {
    const id = await aRuntime(tenant, "wrong");
    const nested = JSON.parse("[".repeat(200) + "]".repeat(200)) as unknown;
    const cases = [
      ["a-b", 1, /the key must be/],
      ["", 1, /the key must be/],
      ["a", "\u0000", /cannot be stored/],
      ["a", { x: ["\ud800"] }, /cannot be stored/],
      ["a", "x".repeat(70_000), /is larger than/],
      ["a", nested, /nested/],
    ] as const;
    for (const [key, value, message] of cases) {
      const refusal = await tenant.admin.refusal(setRuntime, { id, key, value });
      expect(refusal).toMatch(/^INVALID_DATA/);
      expect(refusal).toMatch(message);
    }
    expect(await labelsOf(id)).toEqual({ group: ["default"] });
  });

  it("called __proto__ is a label like another", async () => {
    const labels = JSON.parse('{"__proto__": ["x"]}') as object;
    const id = await aRuntime(tenant, "proto", { labels });
    expect(JSON.stringify(await labelsOf(id))).toContain('"__proto__":["x"]');
    expect(
      JSON.stringify((await tenant.admin.ask(removeRuntime, { id, key: "__proto__" })).x),
    ).toBe('{"key":"__proto__","value":["x"]}');
  });

  it("that is not there cannot be deleted, nor one of an object that is not there", async () => {
    const id = await aRuntime(tenant, "without");
    expect(await tenant.admin.refusal(removeRuntime, { id, key: "absent" })).toMatch(
      /^NOT_FOUND: Label/,
    );
    const absent = director.inside.newID();
    expect(await tenant.admin.refusal(removeRuntime, { id: absent, key: "a" })).toMatch(
      /^NOT_FOUND: Runtime/,
    );
    expect(await tenant.admin.refusal(setRuntime, { id: absent, key: "a", value: 1 })).toMatch(
      /^NOT_FOUND: Runtime/,
    );
  });

  it("of a runtime is written by that runtime, but not the one that holds its groups", async () => {
    const id = await aRuntime(tenant, "own");
    const as = tenant.runtime(id);
    expect((await as.ask(setRuntime, { id, key: "zone", value: "a" })).x.value).toBe("a");
    expect(await as.refusal(setRuntime, { id, key: "group", value: ["production"] })).toMatch(
      /^FORBIDDEN/,
    );
    expect(await as.refusal(removeRuntime, { id, key: "group" })).toMatch(/^FORBIDDEN/);
    const rename = `mutation($id: ID!, $in: RuntimeInput!) { updateRuntime(id: $id, in: $in) { id } }`;
    expect(
      await as.refusal(rename, { id, in: { name: "own", labels: { group: ["production"] } } }),
    ).toMatch(/^FORBIDDEN/);
    expect(await labelsOf(id)).toEqual({ group: ["default"], zone: "a" });
  });

  it("of an application that holds its groups is for admins too", async () => {
    const id = await anApplication(tenant, "own");
    const as = tenant.application(id);
    expect(await as.refusal(setApplication, { id, key: "group", value: ["x"] })).toMatch(
      /^FORBIDDEN/,
    );
    expect(await as.refusal(removeApplication, { id, key: "group" })).toMatch(/^FORBIDDEN/);
  });
});

describe("the groups of an object", () => {
  it("are the default one until others are given, and again when the last is taken away", async () => {
    const id = await aRuntime(tenant, "grouped");
    expect(await labelsOf(id, "group")).toEqual({ group: ["default"] });
    await tenant.admin.ask(setRuntime, { id, key: "group", value: ["production"] });
    expect(await labelsOf(id, "group")).toEqual({ group: ["production"] });
    await tenant.admin.ask(removeRuntime, { id, key: "group" });
    expect(await labelsOf(id, "group")).toEqual({ group: ["default"] });
    await tenant.admin.ask(setRuntime, { id, key: "group", value: [] });
    expect(await labelsOf(id, "group")).toEqual({ group: ["default"] });
  });

  it("given at registration replace the default one, and an update of all labels without any puts it back", async () => {
    const id = await aRuntime(tenant, "regrouped", { labels: { group: ["a", "b"], zone: 1 } });
    expect(await labelsOf(id)).toEqual({ group: ["a", "b"], zone: 1 });
    const update = `mutation($id: ID!, $in: RuntimeInput!) { updateRuntime(id: $id, in: $in) { labels } }`;
    const kept = await tenant.admin.ask(update, { id, in: { name: "regrouped" } });
    expect(kept.updateRuntime.labels).toEqual({ group: ["a", "b"], zone: 1 });
    const { updateRuntime } = await tenant.admin.ask(update, {
      id,
      in: { name: "regrouped", labels: { other: 2 } },
    });
    expect(updateRuntime.labels).toEqual({ group: ["default"], other: 2 });
  });

  it("are unique, non-empty texts", async () => {
    const id = await aRuntime(tenant, "misgrouped");
    for (const value of ["production", ["a", "a"], [""], [1], { a: 1 }, 7])
      expect(await tenant.admin.refusal(setRuntime, { id, key: "group", value })).toMatch(
        /^INVALID_DATA: .*must be an array of unique, non-empty strings/,
      );
  });

  it("decide what a runtime sees: the moment they are changed, and in both directions", async () => {
    const one = await anApplication(tenant, "one", { labels: { group: ["g1"] } });
    const two = await anApplication(tenant, "two", { labels: { group: ["g2"] } });
    const runtime = await aRuntime(tenant, "moving", { labels: { group: ["g1"] } });
    const seen = async () => {
      const { applications } = await tenant
        .runtime(runtime)
        .ask("{ applications { totalCount data { id } } }");
      expect(applications.totalCount).toBe(applications.data.length);
      return applications.data.map(({ id }: { id: string }) => id) as string[];
    };
    expect(await seen()).toEqual([one]);
    await tenant.admin.ask(setApplication, { id: two, key: "group", value: ["g1", "g2"] });
    expect(await seen()).toEqual([one, two]);
    await tenant.admin.ask(setRuntime, { id: runtime, key: "group", value: ["g2"] });
    expect(await seen()).toEqual([two]);
    const asked = `query($id: ID!) { applicationsForRuntime(runtimeID: $id) { data { name } } }`;
    expect((await tenant.admin.ask(asked, { id: runtime })).applicationsForRuntime.data).toEqual([
      { name: "two" },
    ]);
    expect(
      (await tenant.application(two).ask("{ runtimes { data { name } } }")).runtimes.data,
    ).toEqual([{ name: "moving" }]);
    expect(
      (await tenant.application(one).ask("{ runtimes { data { name } } }")).runtimes.data,
    ).toEqual([]);
  });
});

describe("a filter", () => {
  it("finds by key, by elements, by containment and by all of several, as JSON compares", async () => {
    const own = await director.tenant();
    const given = {
      list: { v: ["a", "b"], n: 1 },
      other: { v: ["b", "c"] },
      text: { v: "a" },
      object: { v: { x: 1, y: [1, 2] } },
      number: { v: 10 },
      nothing: { w: null },
    };
    for (const [name, labels] of Object.entries(given)) await aRuntime(own, name, { labels });
    const cases: readonly (readonly [unknown, readonly string[]])[] = [
      [[{ key: "v" }], ["list", "number", "object", "other", "text"]],
      [[{ key: "w" }], ["nothing"]],
      [[{ key: "v", query: null }], ["list", "number", "object", "other", "text"]],
      [[{ key: "v", query: '$[*] ? (@ == "a")' }], ["list", "text"]],
      [[{ key: "v", query: '$[*] ? (@ == "a" || @ == "c")' }], ["list", "other", "text"]],
      [[{ key: "v", query: '$[*]?(@=="zz"||@==10)' }], ["number"]],
      [[{ key: "v", query: '["a","b"]' }], ["list"]],
      [[{ key: "v", query: '["b"]' }], ["list", "other"]],
      [[{ key: "v", query: '{"x":1}' }], ["object"]],
      [[{ key: "v", query: '{"y":[2]}' }], ["object"]],
      [[{ key: "v", query: "1e1" }], ["number"]],
      [[{ key: "v", query: '"\\u0000"' }], []],
      [[{ key: "v", query: '["\\u0000"]' }], []],
      [[{ key: "v" }, { key: "n" }], ["list"]],
      [
        [
          { key: "v", query: '"a"' },
          { key: "v", query: '"b"' },
        ],
        ["list"],
      ],
      [[], ["list", "nothing", "number", "object", "other", "text"]],
    ];
    for (const [filter, expected] of cases)
      expect([filter, await found(own.admin, filter)]).toEqual([filter, expected]);
  });

  it("that is malformed is INVALID_DATA and names its place", async () => {
    const wrong = [
      { key: "a b" },
      { key: "" },
      { key: "a", query: "" },
      { key: "a", query: "text" },
      { key: "a", query: "$" },
      { key: "a", query: "$[*] ? (@ == )" },
      { key: "a", query: '$[*] ? (@ == "a" || )' },
      { key: "a", query: '$[*] ? (@ == "a") || true' },
      { key: "a", query: '$[*] ? (@ like_regex "a")' },
      { key: "a", query: "{" },
    ];
    for (const filter of wrong)
      expect(
        await tenant.admin.refusal(
          `query($f: [LabelFilter!]) { runtimes(filter: $f) { totalCount } }`,
          {
            f: [{ key: "fine" }, filter],
          },
        ),
      ).toMatch(/^INVALID_DATA: validation error for type LabelFilter: filter\.1\.(key|query): /);
    const many = Array.from({ length: 21 }, () => ({ key: "a" }));
    expect(
      await tenant.admin.refusal(
        `query($f: [LabelFilter!]) { runtimes(filter: $f) { totalCount } }`,
        { f: many },
      ),
    ).toMatch(/^INVALID_DATA/);
  });
});

it("a label that would be defined as one too many is told as such, of a new object and of one that is there", async () => {
  const own = await director.tenant();
  const labels = (from: number) =>
    Object.fromEntries(Array.from({ length: 190 }, (_, index) => [`k${from + index}`, 1]));
  const there = await anApplication(own, "there");
  for (let round = 0; round < 5; round += 1)
    await anApplication(own, `a${round}`, { labels: labels(round * 190) });
  await anApplication(own, "last", {
    labels: Object.fromEntries(Array.from({ length: 49 }, (_, index) => [`l${index}`, 1])),
  });
  const { labelDefinitions } = await own.admin.ask("{ labelDefinitions { key } }");
  const room = 1_000 - (labelDefinitions as unknown[]).length;
  await anApplication(own, "full", {
    labels: Object.fromEntries(Array.from({ length: room }, (_, index) => [`m${index}`, 1])),
  });
  const register = `mutation($labels: Labels) { registerApplication(in: { name: "more", labels: $labels }) { id } }`;
  const set = `mutation($id: ID!) { setApplicationLabel(applicationID: $id, key: "more", value: 1) { key } }`;
  for (const refusal of [
    await own.admin.refusal(register, { labels: { more: 1 } }),
    await own.admin.refusal(set, { id: there }),
  ])
    expect(refusal).toMatch(/^INVALID_OPERATION: the tenant has 1,?000 label definitions/);
});
