/** A tenant with more than 100,000 objects: what is asked often is found by an index, whatever the values are. */
import { type LargeTenant, makeLargeTenant, type PlanNode } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startDirector, type TestDirector, type TestTenant } from "./given.ts";

let director: TestDirector;
let tenant: TestTenant;
let large: LargeTenant;
let ids: Readonly<
  Record<"application" | "runtime" | "bundle" | "api" | "deep" | "deepRuntime", string>
>;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  large = await makeLargeTenant(director.inside.database, tenant.id);
  const nth = (kind: string, place = 0): Promise<string> =>
    large.one(
      `select id from ${kind} where tenant_id = :tenant order by id offset ${place} limit 1`,
    );
  const cursor = (id: string): string => Buffer.from(`after:${id}`).toString("base64");
  ids = {
    application: await nth("application"),
    runtime: await nth("runtime", 9),
    bundle: await nth("bundle"),
    api: await nth("api_definition"),
    deep: cursor(await nth("application", 18_000)),
    deepRuntime: cursor(await nth("runtime", 18_000)),
  };
});
afterAll(async () => {
  await large?.close();
  await director?.close();
});

const page = "pageInfo { hasNextPage endCursor } data { id name labels status { condition } }";

/** What is asked, and the indexes that have to be used for it: all of these. */
const asked: Readonly<Record<string, () => readonly [operation: string, ...indexes: string[]]>> = {
  "an application": () => [
    `{ application(id: "${ids.application}") { id name labels } }`,
    "application_pkey",
    "label_pkey",
  ],
  "a runtime": () => [
    `{ runtime(id: "${ids.runtime}") { id name syncState { ready } } }`,
    "runtime_pkey",
    "sync_state_pkey",
  ],
  "applications, the first page": () => [
    `{ applications(first: 50) { ${page} } }`,
    "application_pkey",
    "label_pkey",
  ],
  "applications, a page deep in the list": () => [
    `{ applications(first: 50, after: "${ids.deep}") { ${page} } }`,
    "application_pkey",
  ],
  "runtimes, the first page": () => [`{ runtimes(first: 50) { ${page} } }`, "runtime_pkey"],
  "runtimes, a page deep in the list": () => [
    `{ runtimes(first: 50, after: "${ids.deepRuntime}") { ${page} } }`,
    "runtime_pkey",
  ],
  "applications by a label's value": () => [
    `{ applications(filter: [{ key: "zone", query: "\\"z7\\"" }], first: 50) { ${page} } }`,
    "label_element",
  ],
  "applications by a label's value, deep in the list": () => [
    `{ applications(filter: [{ key: "zone", query: "\\"z7\\"" }], first: 50, after: "${ids.deep}") { ${page} } }`,
    "label_element",
  ],
  "runtimes by two values of a label": () => [
    `{ runtimes(filter: [{ key: "group", query: "$[*] ? (@ == \\"g1\\" || @ == \\"g2\\")" }], first: 50) { ${page} } }`,
    "label_element",
  ],
  "runtimes by two values of a label, deep in the list": () => [
    `{ runtimes(filter: [{ key: "group", query: "$[*] ? (@ == \\"g1\\" || @ == \\"g2\\")" }], first: 50, after: "${ids.deepRuntime}") { ${page} } }`,
    "label_element",
  ],
  "applications by a label that all have": () => [
    `{ applications(filter: [{ key: "common" }], first: 50) { ${page} } }`,
    "application_pkey",
    "label_",
  ],
  "applications by what a label contains": () => [
    `{ applications(filter: [{ key: "group", query: "[\\"g7\\"]" }], first: 50) { ${page} } }`,
    "label_",
  ],
  "the applications of a runtime": () => [
    `{ applicationsForRuntime(runtimeID: "${ids.runtime}", first: 50) { ${page} } }`,
    "label_element",
  ],
  "the bundles of an application": () => [
    `{ application(id: "${ids.application}") { bundles(first: 50) { pageInfo { hasNextPage } data { id name } } } }`,
    "bundle_application_key",
  ],
  "the APIs, events and documents of a bundle": () => [
    `{ application(id: "${ids.application}") { bundle(id: "${ids.bundle}") { apiDefinitions(first: 50) { data { name } } eventDefinitions { data { name } } documents { data { title } } } } }`,
    "api_definition_bundle_idx",
    "event_definition_bundle_idx",
    "document_bundle_idx",
  ],
  "the webhooks of an application": () => [
    `{ application(id: "${ids.application}") { webhooks { id url } } }`,
    "webhook_application_idx",
  ],
  "the credentials of a bundle": () => [
    `{ application(id: "${ids.application}") { bundle(id: "${ids.bundle}") { instanceAuths { id status { condition } } } } }`,
    "bundle_instance_auth_bundle_idx",
  ],
  "the contexts of a runtime": () => [
    `{ runtime(id: "${ids.runtime}") { runtimeContexts { data { value } } } }`,
    "runtime_context_runtime_idx",
  ],
  "runtime contexts, the first page": () => [
    "{ runtimeContexts(first: 50) { data { value labels } } }",
    "runtime_context_pkey",
  ],
  "the label definitions": () => ["{ labelDefinitions { key schema } }", "label_definition_"],
  "a label definition": () => [
    `{ labelDefinition(key: "key7") { key } }`,
    "label_definition_key_key",
  ],
  "the health of an application": () => [
    `{ healthChecks(origin: "${ids.application}", first: 50) { data { condition } } }`,
    "health_check_origin_idx",
  ],
  "changes of health of one type": () => [
    "{ healthChecks(types: [RUNTIME_HEALTHCHECK], first: 50) { data { condition } } }",
    "health_check_type_idx",
  ],
  "audit entries, the first page": () => [
    "{ auditEntries(first: 50) { data { id action } } }",
    "audit_entry_pkey",
  ],
  "audit entries of an actor": () => [
    `{ auditEntries(filter: { actorID: "somebody-7" }, first: 50) { data { id action } } }`,
    "audit_entry_",
  ],
  "audit entries about an object": () => [
    `{ auditEntries(filter: { objectID: "${ids.application}" }, first: 50) { data { id action } } }`,
    "audit_object_pkey",
    "audit_entry_pkey",
  ],
  "audit entries of what was refused": () => [
    "{ auditEntries(filter: { outcome: REFUSED }, first: 50) { data { id action } } }",
    "audit_entry_refused_idx",
  ],
  "the fetch request of an API": () => [
    `{ application(id: "${ids.application}") { bundle(id: "${ids.bundle}") { apiDefinition(id: "${ids.api}") { spec { fetchRequest { url } } } } } }`,
    "fetch_request_api_definition_key",
  ],
};

/** What a runtime or an application asks of what it shares a group with. */
const askedByPaired: Readonly<Record<string, () => readonly [string, ...string[]]>> = {
  "what a runtime reported of health": () => [
    "{ healthChecks(first: 50) { data { condition } } }",
    "health_check_",
  ],
  "a runtime's applications": () => [`{ applications(first: 50) { ${page} } }`, "label_element"],
  "a runtime's credentials": () => [
    `{ applications(first: 5) { data { bundles(first: 5) { data { instanceAuths { id } } } } } }`,
    "bundle_instance_auth_",
  ],
};

const nodesOf = async (as: TestTenant["admin"], operation: string, made: "known" | "any") => {
  const batches = await director.inside.statementsOf(() => as.ask(operation));
  const statements = batches.flat();
  expect(statements).toHaveLength(1);
  return large.nodesOf(statements[0] as (typeof statements)[number], made);
};

async function expectFound(
  as: TestTenant["admin"],
  [operation, ...indexes]: readonly string[],
): Promise<void> {
  for (const made of ["known", "any"] as const) {
    const nodes = await nodesOf(as, String(operation), made);
    const scans = nodes.filter((node: PlanNode) => node["Node Type"] === "Seq Scan");
    expect({ made, scans: scans.map((node) => node["Relation Name"]) }).toEqual({
      made,
      scans: [],
    });
    const used = nodes.flatMap((node) => node["Index Name"] ?? []);
    for (const index of indexes)
      expect({ made, index, used, is: used.some((name) => name.startsWith(index)) }).toMatchObject({
        is: true,
      });
  }
}

describe("in a tenant of more than 100,000 objects", () => {
  it("there are so many", async () => {
    const count = await large.one(
      "select sum(reltuples)::bigint from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
    );
    expect(Number(count)).toBeGreaterThan(100_000);
  });

  for (const [name, what] of Object.entries(asked)) {
    it(`${name}: found by an index`, async () => expectFound(tenant.admin, what()));
  }
  for (const [name, what] of Object.entries(askedByPaired)) {
    it(`${name}: found by an index`, async () => expectFound(tenant.runtime(ids.runtime), what()));
  }

  it("a removal finds what goes along by indexes, however much there is", async () => {
    // What it would look like otherwise.
    const slow =
      "update application set description = 'x' where tenant_id = :tenant and provider_name = 'x'";
    expect((await large.trial(slow)).scanned).toEqual(["application"]);
    for (const [kind, id] of Object.entries({
      application: ids.application,
      bundle: ids.bundle,
      runtime: ids.runtime,
      api_definition: ids.api,
    })) {
      const sql = `delete from ${kind} where tenant_id = :tenant and id = '${id}'`;
      const { rows, scanned, milliseconds } = await large.trial(sql);
      expect({ kind, rows, scanned }).toEqual({ kind, rows: 1, scanned: [] });
      expect(milliseconds).toBeLessThan(10_000);
    }
  });

  it("an application with more than 30,000 objects is unregistered by one commit", async () => {
    const owned = await large.one(
      `select count(*) from api_definition where tenant_id = :tenant and application_id = '${ids.application}'`,
    );
    expect(Number(owned)).toBeGreaterThan(10_000);
    const commits = director.calls.commit;
    await tenant.admin.ask(`mutation { unregisterApplication(id: "${ids.application}") { id } }`);
    expect(director.calls.commit - commits).toBe(1);
    for (const kind of ["bundle", "api_definition", "fetch_request", "bundle_instance_auth"]) {
      const left = await large.one(
        `select count(*) from ${kind} where tenant_id = :tenant and application_id = '${ids.application}'`,
      );
      expect({ kind, left }).toEqual({ kind, left: "0" });
    }
  });
});
