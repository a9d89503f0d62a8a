import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
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

const create = `mutation($in: LabelDefinitionInput!) { x: createLabelDefinition(in: $in) { key schema revision } }`;
const update = `mutation($in: LabelDefinitionInput!, $r: Int) { x: updateLabelDefinition(in: $in, expectedRevision: $r) { key schema revision } }`;
const remove = `mutation($key: String!, $all: Boolean, $r: Int) { x: deleteLabelDefinition(key: $key, deleteRelatedLabels: $all, expectedRevision: $r) { key schema revision } }`;
const one = `query($key: String!) { x: labelDefinition(key: $key) { key schema revision } }`;
const setRuntime = `mutation($id: ID!, $key: String!, $value: Any!) { x: setRuntimeLabel(runtimeID: $id, key: $key, value: $value) { key value } }`;
const setApplication = `mutation($id: ID!, $key: String!, $value: Any!) { x: setApplicationLabel(applicationID: $id, key: $key, value: $value) { key value } }`;
const removeRuntime = `mutation($id: ID!, $key: String!) { x: deleteRuntimeLabel(runtimeID: $id, key: $key) { key } }`;

const keys = async (of: TestTenant): Promise<string[]> => {
  const { labelDefinitions } = await of.admin.ask("{ labelDefinitions { key } }");
  return (labelDefinitions as { key: string }[]).map(({ key }) => key).toSorted();
};
const labelsOf = async (id: string): Promise<unknown> =>
  (await tenant.admin.ask(`query($id: ID!) { x: runtime(id: $id) { labels } }`, { id })).x.labels;

describe("a label definition", () => {
  it("is created with or without a schema, as JSON or as text, and read back", async () => {
    const schema = { type: "string", maxLength: 3 };
    const { x } = await tenant.admin.ask(create, { in: { key: "made", schema } });
    const text = JSON.stringify(schema);
    expect(x).toEqual({ key: "made", schema: text, revision: 1 });
    expect((await tenant.admin.ask(one, { key: "made" })).x).toEqual(x);
    const again = await tenant.admin.ask(create, { in: { key: "by_text", schema: text } });
    expect(again.x.schema).toBe(text);
    expect((await tenant.admin.ask(create, { in: { key: "bare" } })).x.schema).toBeNull();
    expect((await tenant.admin.ask(one, { key: "absent" })).x).toBeNull();
    expect(await tenant.admin.refusal(create, { in: { key: "made" } })).toMatch(
      /^NOT_UNIQUE: .*LabelDefinition made .*updateLabelDefinition/,
    );
  });

  it("with a wrong key or a schema that is none is refused", async () => {
    for (const [input, message] of [
      [{ key: "a-b" }, /key: must be/],
      [{ key: "" }, /key: must be/],
      [{ key: "k", schema: "{" }, /schema: must be valid JSON/],
      [{ key: "k", schema: { type: "no such" } }, /schema: is not a valid JSON Schema/],
      [{ key: "k", schema: 7 }, /schema: must be a JSON Schema/],
    ] as const) {
      const refusal = await tenant.admin.refusal(create, { in: input });
      expect(refusal).toMatch(/^INVALID_DATA/);
      expect(refusal).toMatch(message);
    }
  });

  it("comes with the first label of its key, whoever sets it and however", async () => {
    const own = await director.tenant();
    expect(await keys(own)).toEqual([]);
    const runtime = await aRuntime(own, "first", { labels: { by_registration: 1 } });
    await own.runtime(runtime).ask(setRuntime, { id: runtime, key: "by_itself", value: 1 });
    const application = await anApplication(own, "second", { labels: { by_application: 1 } });
    await own.admin.ask(setApplication, { id: application, key: "by_admin", value: 1 });
    expect(await keys(own)).toEqual([
      "by_admin",
      "by_application",
      "by_itself",
      "by_registration",
      "group",
    ]);
    expect(await keys(await director.tenant())).toEqual([]);
  });

  it("is one of at most 1,000", async () => {
    const own = await director.tenant();
    const id = await aRuntime(own, "many");
    const labels = (from: number) =>
      Object.fromEntries(Array.from({ length: 199 }, (_, nr) => [`k${from + nr}`, nr]));
    for (let from = 0; from < 5 * 199; from += 199)
      await aRuntime(own, `many-${from}`, { labels: labels(from) });
    for (const key of ["a", "b", "c"]) await own.admin.ask(create, { in: { key } });
    await own.admin.ask(setRuntime, { id, key: "last", value: 1 });
    expect(await keys(own)).toHaveLength(1_000);
    const full = /^INVALID_OPERATION: the tenant has 1000 label definitions: delete one/;
    expect(await own.admin.refusal(setRuntime, { id, key: "more", value: 1 })).toMatch(full);
    expect(await own.admin.refusal(create, { in: { key: "more" } })).toMatch(full);
    await own.admin.ask(setRuntime, { id, key: "k1", value: 2 });
    await own.admin.ask(remove, { key: "a" });
    await own.admin.ask(setRuntime, { id, key: "more", value: 1 });
  });

  it("is for admins with the scope", async () => {
    const id = await aRuntime(tenant, "curious");
    for (const speaker of [tenant.runtime(id), tenant.with("runtime:read", "runtime:write")]) {
      expect(await speaker.refusal("{ labelDefinitions { key } }")).toMatch(/^INSUFFICIENT_SCOPES/);
      expect(await speaker.refusal(create, { in: { key: "x" } })).toMatch(/^INSUFFICIENT_SCOPES/);
    }
    const reader = tenant.with("label_definition:read");
    await reader.ask("{ labelDefinitions { key } }");
    expect(await reader.refusal(update, { in: { key: "made" } })).toMatch(/^INSUFFICIENT_SCOPES/);
    expect(await reader.refusal(remove, { key: "made" })).toMatch(/^INSUFFICIENT_SCOPES/);
  });
});

describe("the schema of a label", () => {
  const schema = { type: "object", required: ["n"], properties: { n: { type: "integer" } } };
  const wrong = /^INVALID_DATA: .*is not what the definition of the label typed allows/;

  it("is what every writer is checked by, who is told which field is wrong", async () => {
    await tenant.admin.ask(create, { in: { key: "typed", schema } });
    const runtime = await aRuntime(tenant, "typed", { labels: { typed: { n: 1 } } });
    const application = await anApplication(tenant, "typed");
    const bad = { typed: { n: "1" } };
    const context = { key: "k", value: "v", labels: bad };
    const refusals = [
      await tenant.admin.refusal(setRuntime, { id: runtime, key: "typed", value: 1 }),
      await tenant.runtime(runtime).refusal(setRuntime, { id: runtime, key: "typed", value: 1 }),
      await tenant.admin.refusal(setApplication, { id: application, key: "typed", value: 1 }),
      await tenant.admin.refusal(
        `mutation($in: RuntimeInput!) { registerRuntime(in: $in) { id } }`,
        { in: { name: "bad", labels: bad } },
      ),
      await tenant.admin.refusal(
        `mutation($id: ID!, $in: RuntimeInput!) { updateRuntime(id: $id, in: $in) { id } }`,
        { id: runtime, in: { name: "bad", labels: bad } },
      ),
      await tenant.admin.refusal(
        `mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id } }`,
        { in: { name: "bad", labels: bad } },
      ),
      await tenant.admin.refusal(
        `mutation($id: ID!, $in: RuntimeContextInput!) { registerRuntimeContext(runtimeID: $id, in: $in) { id } }`,
        { id: runtime, in: context },
      ),
    ];
    for (const refusal of refusals) expect(refusal).toMatch(wrong);
    expect(refusals[0]).toMatch(/type Label: value\.typed: /);
    expect(refusals[3]).toMatch(/type RuntimeInput: labels\.typed: .*\/n must be integer/);
    expect(await labelsOf(runtime)).toEqual({ group: ["default"], typed: { n: 1 } });
    await tenant.admin.ask(setApplication, { id: application, key: "typed", value: { n: 2 } });
  });

  it("does not change while a stored value would violate it, and says whose", async () => {
    const own = await director.tenant();
    const ids: string[] = [];
    for (let nr = 0; nr < 8; nr += 1)
      ids.push(await aRuntime(own, `r${nr}`, { labels: { size: nr } }));
    const application = await anApplication(own, "big", { labels: { size: "big" } });
    const integer = { key: "size", schema: { type: "integer" } };
    const refusal = await own.admin.refusal(update, { in: integer });
    expect(refusal).toMatch(/^INVALID_OPERATION: labels size are stored that the schema does not/);
    expect(refusal).toContain(`Application ${application} (must be integer)`);
    expect(refusal).not.toContain("Runtime ");
    const small = { key: "size", schema: { anyOf: [{ maximum: 1 }, { type: "string" }] } };
    const many = await own.admin.refusal(update, { in: small });
    expect(many.match(/Runtime [0-9a-f-]{36}/g)).toHaveLength(5);
    await own.admin.ask(setApplication, { id: application, key: "size", value: 9 });
    expect((await own.admin.ask(update, { in: integer })).x).toMatchObject({ revision: 2 });
    expect(await own.admin.refusal(update, { in: integer, r: 1 })).toMatch(/^CONCURRENT_UPDATE/);
    expect((await own.admin.ask(update, { in: { key: "size" }, r: 2 })).x.schema).toBeNull();
    expect(await own.admin.refusal(update, { in: { key: "absent" } })).toMatch(
      /^NOT_FOUND: LabelDefinition with id absent/,
    );
  });

  it("and a value that violates it never stand together, however they meet", async () => {
    const own = await director.tenant();
    const id = await aRuntime(own, "racing", { labels: { raced: 0 } });
    for (let round = 0; round < 12; round += 1) {
      await own.admin.ask(update, { in: { key: "raced" } });
      await own.admin.ask(setRuntime, { id, key: "raced", value: round });
      const [schemed, set] = await Promise.all([
        own.admin.send(update, { in: { key: "raced", schema: { type: "integer" } } }),
        own.admin.send(setRuntime, { id, key: "raced", value: "text" }),
      ]);
      const done = [schemed, set].map(({ errors }) => errors === undefined);
      expect(done.filter(Boolean)).toHaveLength(1);
      const { x } = await own.admin.ask(one, { key: "raced" });
      const { runtime } = await own.admin.ask(`{ runtime(id: "${id}") { labels } }`);
      expect([x.schema === null, runtime.labels.raced === "text"]).toEqual(
        done[0] === true ? [false, false] : [true, true],
      );
    }
  });

  it("that takes for ever on a value refuses it, and holds up nobody", async () => {
    const slow = { type: "string", pattern: "^(a+)+$" };
    await tenant.admin.ask(create, { in: { key: "slow", schema: slow } });
    const id = await aRuntime(tenant, "slow");
    const value = `${"a".repeat(40)}!`;
    expect(await tenant.admin.refusal(setRuntime, { id, key: "slow", value })).toMatch(
      /^INVALID_DATA: .*within the limits of time and memory/,
    );
  });
});

describe("the definition of groups", () => {
  it("may list and describe groups one by one, and has to allow the default one", async () => {
    const own = await director.tenant();
    const groups = (items: object, more: object = {}) => ({
      key: "group",
      schema: { type: "array", minItems: 1, uniqueItems: true, items, ...more },
    });
    const listed = groups({ type: "string", enum: ["default", "a", "b"] });
    expect((await own.admin.ask(update, { in: listed })).x).toMatchObject({ key: "group" });
    const id = await aRuntime(own, "grouped");
    await own.admin.ask(setRuntime, { id, key: "group", value: ["a"] });
    expect(await own.admin.refusal(setRuntime, { id, key: "group", value: ["c"] })).toMatch(
      /^INVALID_DATA: .*the definition of the label group/,
    );
    expect(await own.admin.refusal(create, { in: listed })).toMatch(/^NOT_UNIQUE/);
    for (const [input, message] of [
      [groups({ type: "string", enum: ["a"] }), /must allow the default group "default"/],
      [groups({ type: "string" }, { maxItems: 2 }), /must not have "maxItems"/],
      [groups({ type: "integer" }), /items must have "type": "string"/],
      [groups({ type: "string" }, { minItems: 2 }), /minItems must be 0 or 1/],
      [groups({ type: "string", not: {} }), /items must not have "not"/],
      [{ key: "group", schema: { type: "string" } }, /must have "type": "array"/],
      [{ key: "group", schema: true }, /must have "type": "array"/],
    ] as const) {
      const refusal = await own.admin.refusal(update, { in: input });
      expect(refusal).toMatch(/^INVALID_DATA/);
      expect(refusal).toMatch(message);
    }
    const assignment = { groupName: "b", selector: { key: "region", value: "eu" } };
    const assign = `mutation($in: AutomaticGroupAssignmentSetInput!) { x: createAutomaticGroupAssignment(in: $in) { groupName } }`;
    await own.admin.ask(assign, { in: assignment });
    expect(await own.admin.refusal(assign, { in: { ...assignment, groupName: "c" } })).toMatch(
      /^INVALID_DATA: .*groupName: is not what the definition of the label group allows/,
    );
    const without = groups({ type: "string", enum: ["default", "a"] });
    expect(await own.admin.refusal(update, { in: without })).toMatch(
      /^INVALID_OPERATION: the automatic assignment of the group "b" is not allowed/,
    );
    expect(await own.admin.refusal(remove, { key: "group", all: true })).toMatch(
      /^INVALID_OPERATION: the label group decides/,
    );
  });
});

describe("a definition that is deleted", () => {
  it("is kept while labels use its key, and goes with them when they are to go", async () => {
    const own = await director.tenant();
    const ids: string[] = [];
    for (let nr = 0; nr < 6; nr += 1)
      ids.push(await aRuntime(own, `r${nr}`, { labels: { used: nr, other: nr } }));
    const application = await anApplication(own, "a", { labels: { used: 1 } });
    await own.admin.ask(
      `mutation($id: ID!, $in: RuntimeContextInput!) { registerRuntimeContext(runtimeID: $id, in: $in) { id } }`,
      { id: ids[0], in: { key: "k", value: "v", labels: { used: true } } },
    );
    const refusal = await own.admin.refusal(remove, { key: "used" });
    expect(refusal).toMatch(/^INVALID_OPERATION: 8 objects have the label used /);
    expect(refusal).toContain(`Application ${application}, Runtime ${ids[0]}, `);
    expect(refusal).toContain("deleteRelatedLabels");
    await director.plan();
    expect(await own.admin.refusal(remove, { key: "used", all: true, r: 7 })).toMatch(
      /^CONCURRENT_UPDATE/,
    );
    expect((await own.admin.ask(remove, { key: "used", all: true, r: 1 })).x.key).toBe("used");
    expect(await director.plan()).toBe(6);
    const { runtimes, runtimeContexts, applications } = await own.admin.ask(
      "{ runtimes { data { labels } } runtimeContexts { data { labels } } applications { data { labels } } }",
    );
    for (const { labels } of runtimes.data)
      expect(Object.keys(labels).toSorted()).toEqual(["group", "other"]);
    expect(runtimeContexts.data).toEqual([{ labels: {} }]);
    expect(applications.data).toEqual([{ labels: { group: ["default"] } }]);
    expect(await keys(own)).toEqual(["group", "other"]);
    expect(await own.admin.refusal(remove, { key: "used" })).toMatch(/^NOT_FOUND/);
  });

  it("goes alone when no label uses its key, but not while groups are assigned by it", async () => {
    const own = await director.tenant();
    const id = await aRuntime(own, "r", { labels: { region: "eu" } });
    await own.admin.ask(removeRuntime, { id, key: "region" });
    const assign = `mutation($in: AutomaticGroupAssignmentSetInput!) { x: createAutomaticGroupAssignment(in: $in) { groupName } }`;
    await own.admin.ask(assign, {
      in: { groupName: "g", selector: { key: "region", value: "eu" } },
    });
    for (const all of [true, false])
      expect(await own.admin.refusal(remove, { key: "region", all })).toMatch(
        /^INVALID_OPERATION: automatic group assignments select runtimes by the label region/,
      );
    await own.admin.ask(
      `mutation { deleteAutomaticGroupAssignmentForGroup(groupName: "g") { groupName } }`,
    );
    await own.admin.ask(remove, { key: "region" });
    expect(await keys(own)).toEqual(["group"]);
  });
});
