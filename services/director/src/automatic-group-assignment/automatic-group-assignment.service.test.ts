import { storedRows } from "@sextant/testkit";
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

const shown = "groupName selector { key value } revision";
const create = `mutation($in: AutomaticGroupAssignmentSetInput!) { x: createAutomaticGroupAssignment(in: $in) { ${shown} } }`;
const endForGroup = `mutation($g: String!, $r: Int) { x: deleteAutomaticGroupAssignmentForGroup(groupName: $g, expectedRevision: $r) { ${shown} } }`;
const endForSelector = `mutation($s: LabelSelectorInput!) { x: deleteAutomaticGroupAssignmentsForSelector(selector: $s) { ${shown} } }`;
const forGroup = `query($g: String!) { x: automaticGroupAssignmentForGroup(groupName: $g) { ${shown} } }`;
const forSelector = `query($s: LabelSelectorInput!) { x: automaticGroupAssignmentsForSelector(selector: $s) { ${shown} } }`;
const setLabel = `mutation($id: ID!, $key: String!, $value: Any!) { x: setRuntimeLabel(runtimeID: $id, key: $key, value: $value) { key value } }`;
const removeLabel = `mutation($id: ID!, $key: String!) { x: deleteRuntimeLabel(runtimeID: $id, key: $key) { key value } }`;
const updateRuntime = `mutation($id: ID!, $in: RuntimeInput!) { x: updateRuntime(id: $id, in: $in) { labels } }`;

const assignment = (groupName: string, key: string, value: string) => ({
  groupName,
  selector: { key, value },
});
const assign = async (of: TestTenant, groupName: string, key: string, value: string) =>
  (await of.admin.ask(create, { in: assignment(groupName, key, value) })).x;
const groupsOf = async (of: TestTenant, id: string): Promise<string[]> =>
  (await of.admin.ask(`{ x: runtime(id: "${id}") { labels(key: "group") } }`)).x.labels.group;
const withWebhook = (group: string) => ({
  labels: { group: [group] },
  webhooks: [{ type: "CONFIGURATION_CHANGED", url: `https://${group}.example` }],
});
/** Deliveries that were written since the last call: group or runtime of each. */
const newDeliveries = async (of: TestTenant): Promise<string[]> => {
  const told: string[] = [];
  await director.work("delivery", async (piece) => {
    const { data } = piece.body as { data: { ids: Record<string, string> } };
    if (piece.tenant === of.id) told.push(JSON.stringify(data.ids));
    return { done: true, values: { state: "DELIVERED" } };
  });
  return told.toSorted();
};

describe("an automatic group assignment", () => {
  it("is found by its group, by its selector and in the list, until it is ended", async () => {
    const own = await director.tenant();
    const made = await assign(own, 'Ä "quoted"', "region", "eu");
    expect(made).toEqual({ ...assignment('Ä "quoted"', "region", "eu"), revision: 1 });
    const second = await assign(own, "second", "region", "eu");
    await assign(own, "third", "region", "us");
    expect((await own.admin.ask(forGroup, { g: 'Ä "quoted"' })).x).toEqual(made);
    expect((await own.admin.ask(forGroup, { g: "absent" })).x).toBeNull();
    const selector = { key: "region", value: "eu" };
    expect((await own.admin.ask(forSelector, { s: selector })).x).toEqual([made, second]);
    const page = `{ x: automaticGroupAssignments(first: 2) { data { groupName } totalCount pageInfo { hasNextPage } } }`;
    expect((await own.admin.ask(page)).x).toEqual({
      data: [{ groupName: 'Ä "quoted"' }, { groupName: "second" }],
      totalCount: 3,
      pageInfo: { hasNextPage: true },
    });
    expect(await own.admin.refusal(create, { in: assignment("second", "other", "x") })).toMatch(
      /^NOT_UNIQUE: .*of the group second/,
    );
    expect(await own.admin.refusal(endForGroup, { g: "third", r: 9 })).toMatch(
      /^CONCURRENT_UPDATE/,
    );
    expect((await own.admin.ask(endForGroup, { g: "third", r: 1 })).x.groupName).toBe("third");
    expect(await own.admin.refusal(endForGroup, { g: "third" })).toMatch(
      /^NOT_FOUND: AutomaticGroupAssignment with id third/,
    );
    expect((await own.admin.ask(endForSelector, { s: selector })).x).toEqual([made, second]);
    expect((await own.admin.ask(endForSelector, { s: selector })).x).toEqual([]);
    expect((await own.admin.ask(page)).x.totalCount).toBe(0);
  });

  it("names a group and a label that can be: every wrong field is told", async () => {
    const refusal = await tenant.admin.refusal(create, {
      in: assignment("", "a-b", "x".repeat(199)),
    });
    expect(refusal).toMatch(/^INVALID_DATA/);
    for (const field of ["groupName: ", "selector.key: ", "selector.value: must have at most 200"])
      expect(refusal).toContain(field);
    expect(await tenant.admin.refusal(create, { in: assignment("g", "group", "x") })).toMatch(
      /selector.key: must be another label than group/,
    );
    for (const name of ["😀".repeat(100), '"'.repeat(100), "a\u0000", "x".repeat(199)])
      expect(await tenant.admin.refusal(create, { in: assignment(name, "k", "x") })).toMatch(
        /^INVALID_DATA: .*groupName/,
      );
    await assign(tenant, "x".repeat(198), "k", "😀".repeat(99));
  });

  it("is for admins: a paired caller neither makes, ends nor sees one", async () => {
    const own = await director.tenant();
    await assign(own, "secret", "region", "eu");
    const runtime = own.runtime(await aRuntime(own, "r", { labels: { region: "eu" } }));
    const application = own.application(await anApplication(own, "a"));
    expect(await runtime.refusal(create, { in: assignment("g", "a", "b") })).toMatch(/^FORBIDDEN/);
    expect(await runtime.refusal(endForGroup, { g: "secret" })).toMatch(/^FORBIDDEN/);
    expect(await runtime.refusal(endForSelector, { s: { key: "region", value: "eu" } })).toMatch(
      /^FORBIDDEN/,
    );
    for (const speaker of [runtime, application]) {
      expect((await speaker.ask(forGroup, { g: "secret" })).x).toBeNull();
      expect((await speaker.ask(forSelector, { s: { key: "region", value: "eu" } })).x).toEqual([]);
      const list = "{ x: automaticGroupAssignments { totalCount } }";
      expect((await speaker.ask(list)).x.totalCount).toBe(0);
    }
    expect(await application.refusal(create, { in: assignment("g", "a", "b") })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
    const reader = own.with("runtime:read");
    expect(await reader.refusal(endForGroup, { g: "secret" })).toMatch(/^INSUFFICIENT_SCOPES/);
  });
});

describe("a runtime", () => {
  it("that matches is in the group, beside its other groups, whether it was there before or comes later", async () => {
    const own = await director.tenant();
    const before = await aRuntime(own, "before", { labels: { region: "eu" } });
    const explicit = await aRuntime(own, "explicit", {
      labels: { region: ["de", "eu"], group: ["x"] },
    });
    const other = await aRuntime(own, "other", { labels: { region: "us" } });
    await assign(own, "europe", "region", "eu");
    expect(await groupsOf(own, before)).toEqual(["default", "europe"]);
    expect(await groupsOf(own, explicit)).toEqual(["x", "europe"]);
    expect(await groupsOf(own, other)).toEqual(["default"]);
    const later = await aRuntime(own, "later", { labels: { region: "eu" } });
    expect(await groupsOf(own, later)).toEqual(["default", "europe"]);
    const laterExplicit = await aRuntime(own, "later-explicit", {
      labels: { region: "eu", group: ["y"] },
    });
    expect(await groupsOf(own, laterExplicit)).toEqual(["y", "europe"]);
    await own.admin.ask(setLabel, { id: other, key: "region", value: "eu" });
    expect(await groupsOf(own, other)).toEqual(["default", "europe"]);
  });

  it("leaves the group with the label, with another value and with the assignment", async () => {
    const own = await director.tenant();
    await assign(own, "europe", "region", "eu");
    await assign(own, "berlin", "region", "de");
    const id = await aRuntime(own, "r", { labels: { region: ["eu", "de"] } });
    expect(await groupsOf(own, id)).toEqual(["default", "berlin", "europe"]);
    await own.admin.ask(setLabel, { id, key: "region", value: ["de", "fr"] });
    expect(await groupsOf(own, id)).toEqual(["default", "berlin"]);
    await own.admin.ask(setLabel, { id, key: "region", value: "eu" });
    expect(await groupsOf(own, id)).toEqual(["default", "europe"]);
    await own.admin.ask(removeLabel, { id, key: "region" });
    expect(await groupsOf(own, id)).toEqual(["default"]);
    await own.admin.ask(setLabel, { id, key: "region", value: ["eu", "de"] });
    await own.admin.ask(endForGroup, { g: "europe" });
    expect(await groupsOf(own, id)).toEqual(["default", "berlin"]);
    await own.admin.ask(endForSelector, { s: { key: "region", value: "de" } });
    expect(await groupsOf(own, id)).toEqual(["default"]);
  });

  it("that has only assigned groups stays in them while it matches, and is in the default one behind", async () => {
    const own = await director.tenant();
    await assign(own, "europe", "region", "eu");
    const id = await aRuntime(own, "r", { labels: { region: "eu", group: ["europe"] } });
    expect(await groupsOf(own, id)).toEqual(["europe"]);
    await own.admin.ask(setLabel, { id, key: "region", value: ["eu", "de"] });
    expect(await groupsOf(own, id)).toEqual(["europe"]);
    await own.admin.ask(setLabel, { id, key: "region", value: "us" });
    expect(await groupsOf(own, id)).toEqual(["default"]);
  });

  it("keeps the assigned groups when others are given to it, and is told so", async () => {
    const own = await director.tenant();
    await assign(own, "b", "region", "eu");
    await assign(own, "a", "zone", "z");
    const id = await aRuntime(own, "r", { labels: { region: "eu", zone: ["z"] } });
    const { x } = await own.admin.ask(setLabel, { id, key: "group", value: ["mine"] });
    expect(x).toEqual({ key: "group", value: ["mine", "a", "b"] });
    expect(await groupsOf(own, id)).toEqual(["mine", "a", "b"]);
    await own.admin.ask(removeLabel, { id, key: "group" });
    expect(await groupsOf(own, id)).toEqual(["default", "a", "b"]);
    const labels = { region: "us", zone: "z", group: ["n"] };
    expect(
      (await own.admin.ask(updateRuntime, { id, in: { name: "r", labels } })).x.labels,
    ).toEqual({ ...labels, group: ["n", "a"] });
    const bare = await own.admin.ask(updateRuntime, { id, in: { name: "r", labels: {} } });
    expect(bare.x.labels).toEqual({ group: ["default"] });
  });

  it("may write every label of its own but those that groups are assigned by", async () => {
    const own = await director.tenant();
    const id = await aRuntime(own, "r", { labels: { region: "us" } });
    const itself = own.runtime(id);
    await itself.ask(setLabel, { id, key: "region", value: "fr" });
    await assign(own, "europe", "region", "eu");
    expect(await itself.refusal(setLabel, { id, key: "region", value: "eu" })).toMatch(
      /^FORBIDDEN: groups are assigned by the label region/,
    );
    expect(await itself.refusal(removeLabel, { id, key: "region" })).toMatch(/^FORBIDDEN/);
    await itself.ask(setLabel, { id, key: "zone", value: "eu" });
    expect(await groupsOf(own, id)).toEqual(["default"]);
  });
});

describe("a change of assigned groups", () => {
  it("shows at once in what a runtime sees, and makes its plan anew", async () => {
    const own = await director.tenant();
    const application = await anApplication(own, "european", { labels: { group: ["europe"] } });
    const id = await aRuntime(own, "r", { labels: { region: "eu" } });
    const far = await aRuntime(own, "far");
    const seen = async () =>
      (await own.runtime(id).ask("{ applications { data { id } } }")).applications.data;
    await director.plan();
    const revision = async (of: string): Promise<number> =>
      (await own.admin.ask(`{ x: runtime(id: "${of}") { syncState { desiredRevision } } }`)).x
        .syncState.desiredRevision;
    expect(await seen()).toEqual([]);
    await assign(own, "europe", "region", "eu");
    expect(await seen()).toEqual([{ id: application }]);
    await director.plan();
    expect([await revision(id), await revision(far)]).toEqual([2, 1]);
    await own.admin.ask(endForGroup, { g: "europe" });
    expect(await seen()).toEqual([]);
    await director.plan();
    expect([await revision(id), await revision(far)]).toEqual([3, 1]);
  });

  it("is told to the applications of the group, each once", async () => {
    const own = await director.tenant();
    await anApplication(own, "european", withWebhook("europe"));
    await anApplication(own, "by-default", withWebhook("default"));
    await anApplication(own, "elsewhere", withWebhook("elsewhere"));
    for (const name of ["r1", "r2"]) await aRuntime(own, name, { labels: { region: "eu" } });
    await newDeliveries(own);
    await assign(own, "europe", "region", "eu");
    expect(await newDeliveries(own)).toEqual(['{"group":"europe"}']);
    await own.admin.ask(endForGroup, { g: "europe" });
    expect(await newDeliveries(own)).toEqual(['{"group":"default"}', '{"group":"europe"}']);
    await assign(own, "europe", "region", "eu");
    await newDeliveries(own);
    await own.admin.ask(endForSelector, { s: { key: "region", value: "eu" } });
    expect(await newDeliveries(own)).toEqual(['{"group":"default"}', '{"group":"europe"}']);
  });

  it("by a label is told to those who shared a group before and to those who do now, once", async () => {
    const own = await director.tenant();
    await anApplication(own, "european", withWebhook("europe"));
    await anApplication(own, "by-default", withWebhook("default"));
    await assign(own, "europe", "region", "eu");
    const id = await aRuntime(own, "r", { labels: { region: "us" } });
    await newDeliveries(own);
    const told = JSON.stringify({ runtimeID: id });
    await own.admin.ask(setLabel, { id, key: "region", value: "eu" });
    expect(await newDeliveries(own)).toEqual([told, told]);
    await own.admin.ask(setLabel, { id, key: "group", value: ["other"] });
    expect(await newDeliveries(own)).toEqual([told, told]);
    await own.admin.ask(setLabel, { id, key: "group", value: ["default"] });
    expect(await newDeliveries(own)).toEqual([told, told]);
    await own.admin.ask(removeLabel, { id, key: "region" });
    expect(await newDeliveries(own)).toEqual([told, told]);
    await own.admin.ask(updateRuntime, { id, in: { name: "r", labels: { region: "eu" } } });
    expect(await newDeliveries(own)).toEqual([told, told]);
  });

  it("leaves no trace in another tenant", async () => {
    const own = await director.tenant();
    const other = await director.tenant();
    await aRuntime(other, "r", { labels: { region: "eu" } });
    await anApplication(other, "a", withWebhook("europe"));
    const before = await storedRows(director.inside.database, other.id);
    await assign(own, "europe", "region", "eu");
    await own.admin.ask(endForGroup, { g: "europe" });
    expect(await storedRows(director.inside.database, other.id)).toEqual(before);
  });

  it("that comes from several at once ends where all of them lead", async () => {
    const own = await director.tenant();
    const ids = await Promise.all(
      Array.from({ length: 6 }, (_, nr) => aRuntime(own, `r${nr}`, { labels: { region: "us" } })),
    );
    await Promise.all([
      ...ids.map((id) => own.admin.ask(setLabel, { id, key: "region", value: "eu" })),
      assign(own, "europe", "region", "eu"),
      assign(own, "america", "region", "us"),
      ...ids.map((id) => own.admin.ask(setLabel, { id, key: "zone", value: ["z"] })),
      assign(own, "zone", "zone", "z"),
    ]);
    for (const id of ids) expect(await groupsOf(own, id)).toHaveLength(3);
    const filter = (group: string) =>
      own.admin.ask(
        `query($q: String) { x: runtimes(filter: [{ key: "group", query: $q }]) { totalCount } }`,
        { q: JSON.stringify(group) },
      );
    const counts = await Promise.all(["europe", "america", "zone"].map(filter));
    expect(counts.map(({ x }) => x.totalCount)).toEqual([6, 0, 6]);
  });
});
