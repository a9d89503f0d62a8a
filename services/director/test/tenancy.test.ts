/**
 * Nobody reaches what is not theirs. Every field of Query and Mutation has cases here, with the ids of someone else's objects: a
 * new field without a case fails the first test.
 */
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  aBundle,
  anApplication,
  aRuntime,
  basicAuth,
  type GraphReply,
  type Speaker,
  startDirector,
  type TestDirector,
  type TestTenant,
  type Variables,
} from "./given.ts";

/** Is in every text of the victim's objects, and so must be in no answer. */
const MARK = "treasure";

type Ids = Readonly<
  Record<
    | "application"
    | "runtime"
    | "bundle"
    | "api"
    | "event"
    | "document"
    | "webhook"
    | "auth"
    | "pending"
    | "system"
    | "client"
    | "template"
    | "token"
    | "context",
    string
  >
>;

async function everythingOf(tenant: TestTenant, group: string): Promise<Ids> {
  const labels = { group: [group], [`${MARK}_label`]: [MARK] };
  const application = await anApplication(tenant, `${MARK}-application-${group}`, { labels });
  const runtime = await aRuntime(tenant, `${MARK}-runtime-${group}`, { labels });
  const bundle = await aBundle(tenant, application, {
    name: `${MARK}-bundle`,
    defaultInstanceAuth: basicAuth(MARK),
    instanceAuthRequestInputSchema: { type: "object", required: [MARK] },
  });
  const { admin } = tenant;
  const { system, client, template, token, context } = await admin.ask(
    `mutation($application: ID!, $runtime: ID!) {
      context: registerRuntimeContext(runtimeID: $runtime, in: { key: "${MARK}", value: "${MARK}", labels: { ${MARK}_label: "${MARK}" } }) { id }
      assignment: createAutomaticGroupAssignment(in: { groupName: "${MARK}", selector: { key: "${MARK}_selector", value: "${MARK}" } }) { groupName }
      system: registerIntegrationSystem(in: { name: "${MARK}" }) { id }
      client: requestClientCredentialsForApplication(id: $application) { id }
      template: createApplicationTemplate(in: { name: "${MARK}", accessLevel: GLOBAL, applicationInput: { name: "${MARK}" } }) { id }
      token: createAPIToken(in: { name: "${MARK}", scopes: ["runtime:read"] }) { id } }`,
    { application, runtime },
  );
  const { api, event, document, webhook, auth, pending } = await admin.ask(
    `mutation($application: ID!, $bundle: ID!, $runtime: ID!, $auth: AuthInput!, $params: JSON) {
      api: addAPIDefinitionToBundle(bundleID: $bundle, in: { name: "${MARK}", targetURL: "https://${MARK}.example" }) { id }
      event: addEventDefinitionToBundle(bundleID: $bundle, in: { name: "${MARK}" }) { id }
      document: addDocumentToBundle(bundleID: $bundle, in: { title: "${MARK}", displayName: "${MARK}", description: "${MARK}", format: MARKDOWN, data: "${MARK}" }) { id }
      webhook: addWebhook(applicationID: $application, in: { type: CONFIGURATION_CHANGED, url: "https://${MARK}.example" }) { id }
      auth: createBundleInstanceAuth(bundleID: $bundle, in: { runtimeID: $runtime, auth: $auth, inputParams: $params }) { id }
      pending: requestBundleInstanceAuthCreation(bundleID: $bundle, in: { runtimeID: $runtime, inputParams: $params }) { id }
    }`,
    { application, bundle, runtime, auth: basicAuth(MARK), params: { [MARK]: 1 } },
  );
  return {
    application,
    runtime,
    bundle,
    api: api.id,
    event: event.id,
    document: document.id,
    webhook: webhook.id,
    auth: auth.id,
    pending: pending.id,
    system: system.id,
    client: client.id,
    template: template.id,
    token: token.id,
    context: context.id,
  };
}

const app =
  "id name description labels webhooks { url } bundles { totalCount data { name instanceAuths { id auth { credential { __typename } } } } }";
const runtimeFields = "id name labels status { condition } syncState { lastError }";
const bundleFields =
  "id name defaultInstanceAuth { credential { __typename } } instanceAuths { id } apiDefinitions { data { name } }";
const authFields =
  "id context inputParams auth { credential { ... on BasicCredentialData { password } } } status { message }";
const inAuth = '{ credential: { basic: { username: "u", password: "stolen" } } }';

/** Operations on the victim's objects, by field. `mine` are objects of who asks, to mix them. */
const cases: Readonly<
  Record<
    string,
    (ids: Ids, mine: Partial<Ids>) => readonly (string | readonly [string, Variables])[]
  >
> = {
  applications: () => [
    `{ x: applications { totalCount data { ${app} } } }`,
    `{ x: applications(filter: [{ key: "${MARK}_label" }]) { totalCount data { id } } }`,
    `{ x: applications(filter: [{ key: "${MARK}_label", query: "[\\"${MARK}\\"]" }]) { totalCount data { id } } }`,
  ],
  application: ({ application, bundle }) => [
    `{ x: application(id: "${application}") { ${app} } }`,
    `{ x: application(id: "${application}") { bundle(id: "${bundle}") { ${bundleFields} } } }`,
  ],
  applicationsForRuntime: ({ runtime }) => [
    `{ x: applicationsForRuntime(runtimeID: "${runtime}") { totalCount data { ${app} } } }`,
  ],
  runtimes: () => [
    `{ x: runtimes { totalCount data { ${runtimeFields} } } }`,
    `{ x: runtimes(filter: [{ key: "${MARK}_label", query: "$[*] ? (@ == \\"${MARK}\\")" }]) { totalCount } }`,
  ],
  runtime: ({ runtime }) => [`{ x: runtime(id: "${runtime}") { ${runtimeFields} } }`],
  bundleByInstanceAuth: ({ auth }) => [
    `{ x: bundleByInstanceAuth(authID: "${auth}") { ${bundleFields} } }`,
  ],
  bundleInstanceAuth: ({ auth, pending }) =>
    [auth, pending].map((id) => `{ x: bundleInstanceAuth(id: "${id}") { ${authFields} } }`),
  tenants: () => ["{ x: tenants { id name } }"],
  tenantsPage: () => [`{ x: tenantsPage(search: "${MARK}") { totalCount } }`],
  viewer: () => ["{ x: viewer { type } }"],
  _entities: ({ application, runtime }) => [
    `{ x: _entities(representations: [{ __typename: "Application", id: "${application}" }]) { ... on Application { name labels } } }`,
    `{ x: _entities(representations: [{ __typename: "Runtime", id: "${runtime}" }, { __typename: "Application", id: "${application}" }]) { ... on Application { name } ... on Runtime { name } } }`,
  ],
  _service: () => ["{ x: _service { __typename } }"],
  registerApplication: () => [],
  registerRuntime: () => [],
  updateApplication: ({ application }) => [
    `mutation { x: updateApplication(id: "${application}", in: { description: "stolen" }) { name } }`,
  ],
  unregisterApplication: ({ application }) => [
    `mutation { x: unregisterApplication(id: "${application}") { ${app} } }`,
  ],
  updateRuntime: ({ runtime }) => [
    `mutation { x: updateRuntime(id: "${runtime}", in: { name: "stolen" }) { ${runtimeFields} } }`,
  ],
  unregisterRuntime: ({ runtime }) => [
    `mutation { x: unregisterRuntime(id: "${runtime}") { ${runtimeFields} } }`,
  ],
  setApplicationLabel: ({ application }) => [
    `mutation { x: setApplicationLabel(applicationID: "${application}", key: "stolen", value: 1) { key } }`,
    `mutation { x: setApplicationLabel(applicationID: "${application}", key: "group", value: ["default"]) { key } }`,
  ],
  deleteApplicationLabel: ({ application }) => [
    `mutation { x: deleteApplicationLabel(applicationID: "${application}", key: "${MARK}_label") { key value } }`,
  ],
  setRuntimeLabel: ({ runtime }) => [
    `mutation { x: setRuntimeLabel(runtimeID: "${runtime}", key: "stolen", value: 1) { key } }`,
  ],
  deleteRuntimeLabel: ({ runtime }) => [
    `mutation { x: deleteRuntimeLabel(runtimeID: "${runtime}", key: "${MARK}_label") { key value } }`,
  ],
  runtimeContexts: () => [
    `{ x: runtimeContexts { totalCount data { id key labels } } }`,
    `{ x: runtimeContexts(filter: [{ key: "${MARK}_label" }]) { totalCount } }`,
  ],
  runtimeContext: ({ context }) => [`{ x: runtimeContext(id: "${context}") { key labels } }`],
  registerRuntimeContext: ({ runtime }) => [
    `mutation { x: registerRuntimeContext(runtimeID: "${runtime}", in: { key: "stolen", value: "x" }) { id } }`,
  ],
  updateRuntimeContext: ({ context }) => [
    `mutation { x: updateRuntimeContext(id: "${context}", in: { key: "stolen", value: "x", labels: {} }) { key labels } }`,
  ],
  unregisterRuntimeContext: ({ context }) => [
    `mutation { x: unregisterRuntimeContext(id: "${context}") { key labels } }`,
  ],
  labelDefinitions: () => ["{ x: labelDefinitions { key } }"],
  labelDefinition: () => [`{ x: labelDefinition(key: "${MARK}_label") { key } }`],
  createLabelDefinition: () => [],
  updateLabelDefinition: () => [
    `mutation { x: updateLabelDefinition(in: { key: "${MARK}_label" }) { schema } }`,
  ],
  deleteLabelDefinition: () => [
    `mutation { x: deleteLabelDefinition(key: "${MARK}_label", deleteRelatedLabels: true) { schema } }`,
  ],
  automaticGroupAssignments: () => [
    "{ x: automaticGroupAssignments { totalCount data { groupName } } }",
  ],
  automaticGroupAssignmentForGroup: () => [
    `{ x: automaticGroupAssignmentForGroup(groupName: "${MARK}") { groupName } }`,
  ],
  automaticGroupAssignmentsForSelector: () => [
    `{ x: automaticGroupAssignmentsForSelector(selector: { key: "${MARK}_selector", value: "${MARK}" }) { groupName } }`,
  ],
  createAutomaticGroupAssignment: () => [],
  deleteAutomaticGroupAssignmentForGroup: () => [
    `mutation { x: deleteAutomaticGroupAssignmentForGroup(groupName: "${MARK}") { revision } }`,
  ],
  deleteAutomaticGroupAssignmentsForSelector: () => [
    `mutation { x: deleteAutomaticGroupAssignmentsForSelector(selector: { key: "${MARK}_selector", value: "${MARK}" }) { groupName } }`,
  ],
  refetchAPISpec: ({ api }) => [`mutation { x: refetchAPISpec(apiID: "${api}") { format } }`],
  refetchEventDefinitionSpec: ({ event }) => [
    `mutation { x: refetchEventDefinitionSpec(eventID: "${event}") { format } }`,
  ],
  addBundle: ({ application }) => [
    `mutation { x: addBundle(applicationID: "${application}", in: { name: "stolen" }) { id } }`,
  ],
  updateBundle: ({ bundle }) => [
    `mutation { x: updateBundle(id: "${bundle}", in: { name: "stolen" }) { ${bundleFields} } }`,
  ],
  deleteBundle: ({ bundle }) => [
    `mutation { x: deleteBundle(id: "${bundle}") { ${bundleFields} } }`,
  ],
  addAPIDefinitionToBundle: ({ bundle }) => [
    `mutation { x: addAPIDefinitionToBundle(bundleID: "${bundle}", in: { name: "stolen", targetURL: "https://x.example" }) { id } }`,
  ],
  updateAPIDefinition: ({ api }) => [
    `mutation { x: updateAPIDefinition(id: "${api}", in: { name: "stolen", targetURL: "https://x.example" }) { id name } }`,
  ],
  deleteAPIDefinition: ({ api }) => [
    `mutation { x: deleteAPIDefinition(id: "${api}") { name targetURL } }`,
  ],
  addEventDefinitionToBundle: ({ bundle }) => [
    `mutation { x: addEventDefinitionToBundle(bundleID: "${bundle}", in: { name: "stolen" }) { id } }`,
  ],
  updateEventDefinition: ({ event }) => [
    `mutation { x: updateEventDefinition(id: "${event}", in: { name: "stolen" }) { id } }`,
  ],
  deleteEventDefinition: ({ event }) => [
    `mutation { x: deleteEventDefinition(id: "${event}") { name } }`,
  ],
  addDocumentToBundle: ({ bundle }) => [
    `mutation { x: addDocumentToBundle(bundleID: "${bundle}", in: { title: "stolen", displayName: "x", description: "x", format: MARKDOWN }) { id } }`,
  ],
  deleteDocument: ({ document }) => [
    `mutation { x: deleteDocument(id: "${document}") { data title } }`,
  ],
  addWebhook: ({ application }) => [
    `mutation { x: addWebhook(applicationID: "${application}", in: { type: CONFIGURATION_CHANGED, url: "https://thief.example" }) { signingSecret } }`,
  ],
  updateWebhook: ({ webhook }) => [
    `mutation { x: updateWebhook(webhookID: "${webhook}", in: { type: CONFIGURATION_CHANGED, url: "https://thief.example" }) { url } }`,
  ],
  deleteWebhook: ({ webhook }) => [
    `mutation { x: deleteWebhook(webhookID: "${webhook}") { url } }`,
  ],
  rotateWebhookSecret: ({ webhook }) => [
    `mutation { x: rotateWebhookSecret(webhookID: "${webhook}") { url signingSecret } }`,
  ],
  createBundleInstanceAuth: ({ bundle, runtime }, mine) => [
    [
      `mutation($p: JSON) { x: createBundleInstanceAuth(bundleID: "${bundle}", in: { runtimeID: "${mine.runtime ?? runtime}", auth: ${inAuth}, inputParams: $p }) { id } }`,
      { p: { [MARK]: 1 } },
    ],
    ...(mine.bundle === undefined
      ? []
      : [
          [
            `mutation($p: JSON) { x: createBundleInstanceAuth(bundleID: "${mine.bundle}", in: { runtimeID: "${runtime}", auth: ${inAuth}, inputParams: $p }) { id } }`,
            { p: { [MARK]: 1 } },
          ] as const,
        ]),
  ],
  updateBundleInstanceAuth: ({ auth }) => [
    `mutation { x: updateBundleInstanceAuth(id: "${auth}", in: { auth: ${inAuth} }) { ${authFields} } }`,
  ],
  setBundleInstanceAuth: ({ pending, auth }) =>
    [pending, auth].map(
      (id) =>
        `mutation { x: setBundleInstanceAuth(authID: "${id}", in: { auth: ${inAuth} }) { ${authFields} } }`,
    ),
  deleteBundleInstanceAuth: ({ auth }) => [
    `mutation { x: deleteBundleInstanceAuth(authID: "${auth}") { ${authFields} } }`,
  ],
  requestBundleInstanceAuthCreation: ({ bundle, runtime }, mine) => [
    `mutation { x: requestBundleInstanceAuthCreation(bundleID: "${bundle}", in: {}) { ${authFields} } }`,
    [
      `mutation($p: JSON) { x: requestBundleInstanceAuthCreation(bundleID: "${bundle}", in: { inputParams: $p }) { ${authFields} } }`,
      { p: { [MARK]: 1 } },
    ],
    [
      `mutation($p: JSON) { x: requestBundleInstanceAuthCreation(bundleID: "${mine.bundle ?? bundle}", in: { runtimeID: "${runtime}", inputParams: $p }) { ${authFields} } }`,
      { p: { [MARK]: 1 } },
    ],
  ],
  requestBundleInstanceAuthDeletion: ({ auth }) => [
    `mutation { x: requestBundleInstanceAuthDeletion(authID: "${auth}") { ${authFields} } }`,
  ],
  requestOneTimeTokenForRuntime: ({ runtime }) => [
    `mutation { x: requestOneTimeTokenForRuntime(id: "${runtime}") { token } }`,
  ],
  requestOneTimeTokenForApplication: ({ application }) => [
    `mutation { x: requestOneTimeTokenForApplication(id: "${application}") { token } }`,
  ],
  registerTenant: () => [],
  integrationSystems: () => ["{ x: integrationSystems { totalCount data { id name } } }"],
  integrationSystem: ({ system }) => [
    `{ x: integrationSystem(id: "${system}") { name auths { id } tenants { totalCount data { id } } } }`,
  ],
  tenantGrants: () => [
    "{ x: tenantGrants { totalCount data { id integrationSystemID homeTenant { id name } } } }",
  ],
  registerIntegrationSystem: () => [],
  updateIntegrationSystem: ({ system }) => [
    `mutation { x: updateIntegrationSystem(id: "${system}", in: { name: "stolen" }) { id } }`,
  ],
  unregisterIntegrationSystem: ({ system }) => [
    `mutation { x: unregisterIntegrationSystem(id: "${system}") { name } }`,
  ],
  grantTenant: ({ system }) => [
    `mutation { x: grantTenant(integrationSystemID: "${system}", tenantID: "${MARK}") { name } }`,
  ],
  revokeTenant: ({ system }) => [
    `mutation { x: revokeTenant(integrationSystemID: "${system}", tenantID: "${MARK}") { name } }`,
  ],
  ...Object.fromEntries(
    (
      [
        ["Runtime", "runtime"],
        ["Application", "application"],
        ["IntegrationSystem", "system"],
      ] as const
    ).flatMap(([noun, key]) => [
      [
        `requestClientCredentialsFor${noun}`,
        (of: Ids) => [
          `mutation { x: requestClientCredentialsFor${noun}(id: "${of[key]}") { id } }`,
        ],
      ],
      [
        `deleteSystemAuthFor${noun}`,
        (of: Ids) => [`mutation { x: deleteSystemAuthFor${noun}(authID: "${of.client}") { id } }`],
      ],
    ]),
  ),
  applicationTemplates: () => ["{ x: applicationTemplates { totalCount data { name } } }"],
  applicationTemplate: ({ template }) => [
    `{ x: applicationTemplate(id: "${template}") { name applicationInput } }`,
  ],
  createApplicationTemplate: () => [],
  registerApplicationFromTemplate: () => [
    `mutation { x: registerApplicationFromTemplate(in: { templateName: "${MARK}" }) { name } }`,
  ],
  updateApplicationTemplate: ({ template }) => [
    `mutation { x: updateApplicationTemplate(id: "${template}", in: { name: "stolen", accessLevel: GLOBAL, applicationInput: { name: "x" } }) { name } }`,
  ],
  deleteApplicationTemplate: ({ template }) => [
    `mutation { x: deleteApplicationTemplate(id: "${template}") { name applicationInput } }`,
  ],
  setDefaultEventingForApplication: ({ application, runtime }, mine) => [
    `mutation { x: setDefaultEventingForApplication(appID: "${application}", runtimeID: "${mine.runtime ?? runtime}") { defaultURL } }`,
    `mutation { x: setDefaultEventingForApplication(appID: "${mine.application ?? application}", runtimeID: "${runtime}") { defaultURL } }`,
  ],
  deleteDefaultEventingForApplication: ({ application }) => [
    `mutation { x: deleteDefaultEventingForApplication(appID: "${application}") { defaultURL } }`,
  ],
  apiTokens: () => ["{ x: apiTokens { totalCount data { id name } } }"],
  createAPIToken: () => [],
  revokeAPIToken: ({ token }) => [`mutation { x: revokeAPIToken(id: "${token}") { name } }`],
  auditEntries: ({ application }) => [
    `{ x: auditEntries(filter: { action: "registerIntegrationSystem" }) { totalCount data { id objects { id } } } }`,
    `{ x: auditEntries(filter: { actorID: "${application}" }) { totalCount } }`,
  ],
  healthChecks: ({ application, runtime }) => [
    "{ x: healthChecks { totalCount data { message origin runtimeID } } }",
    ...[application, runtime].map(
      (id) => `{ x: healthChecks(origin: "${id}") { totalCount data { message } } }`,
    ),
  ],
  updateTenant: () => [`mutation { x: updateTenant(id: "${MARK}", name: "stolen") { id } }`],
  deleteTenant: () => [`mutation { x: deleteTenant(id: "${MARK}") { id } }`],
};

/** Whether an answer gives nothing: refused, null or an empty list. */
function givesNothing({ data, errors }: GraphReply): boolean {
  const allowed = ["NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES", "TENANT_NOT_FOUND"];
  if (errors !== undefined)
    return (
      errors.every((error) => allowed.includes(error.extensions.code)) && (data?.x ?? null) === null
    );
  const { x } = data;
  if (x === null) return true;
  if (Array.isArray(x)) return x.every((one) => one === null);
  return x.totalCount === 0 && (x.data ?? []).length === 0;
}

let director: TestDirector;
let victim: TestTenant;
let ids: Ids;

beforeAll(async () => {
  director = await startDirector();
  victim = await director.tenant();
  ids = await everythingOf(victim, "production");
});
afterAll(() => director.close());

/** Fields whose answer is about tenants, or about who asks. */
const aboutNobody = ["viewer", "tenants", "tenantsPage", "_service"];

/** Tries all cases. `lists` are those in which who asks finds its own. */
async function expectUnreachable(
  thief: Speaker,
  mine: Partial<Ids>,
  lists: readonly string[],
): Promise<void> {
  const mayGive = new Set([...aboutNobody, ...lists]);
  const before = await objectsOf(victim.id);
  const trusted = director.trusted.length;
  const seen: string[] = [];
  for (const [field, operations] of Object.entries(cases)) {
    for (const operation of operations(ids, mine)) {
      const [query, variables] = typeof operation === "string" ? [operation, {}] : operation;
      const answer = await thief.send(query, variables);
      const sent = new Set(Object.values(ids).filter((id) => query.includes(id)));
      const text = JSON.stringify(answer);
      const leaked = Object.values(ids).filter((id) => text.includes(id) && !sent.has(id));
      // These name in their refusal what was asked for.
      const echoes = /Tenant$|FromTemplate$|LabelDefinition$|ForGroup$/.test(field);
      const marked = text.includes(MARK) && !(echoes && !text.includes(`${MARK}-`));
      if (leaked.length > 0 || marked || !(mayGive.has(field) || givesNothing(answer)))
        seen.push(`${field}: ${query} → ${text}`);
    }
  }
  expect(seen).toEqual([]);
  expect(await objectsOf(victim.id)).toEqual(before);
  expect(director.trusted).toHaveLength(trusted);
}

/** All that is stored of a tenant, but its audit log: attempts are recorded there. */
const objectsOf = async (tenant: string): Promise<readonly string[]> =>
  (await storedRows(director.inside.database, tenant)).filter((row) => !row.startsWith("audit_"));

describe("what belongs to someone else", () => {
  it("has a case for every field of Query and Mutation", () => {
    const fields = [director.schema.getQueryType(), director.schema.getMutationType()].flatMap(
      (type) => Object.keys(type?.getFields() ?? {}),
    );
    expect(Object.keys(cases).toSorted()).toEqual(fields.toSorted());
  });

  it("is not reached by an admin of another tenant, by any field", async () => {
    const other = await director.tenant();
    const application = await anApplication(other, "mine");
    const mine = {
      application,
      bundle: await aBundle(other, application),
      runtime: await aRuntime(other, "mine"),
    };
    await expectUnreachable(other.admin, mine, ["applications", "runtimes", "labelDefinitions"]);
  });

  it("is not reached by a runtime of another group, by any field", async () => {
    const runtime = await aRuntime(victim, "stranger", { labels: { group: ["stage"] } });
    await director.plan();
    await expectUnreachable(victim.runtime(runtime), {}, ["runtimes"]);
  });

  it("is not reached by an application of another group, by any field", async () => {
    const application = await anApplication(victim, "stranger", {
      labels: { group: ["elsewhere"] },
    });
    const bundle = await aBundle(victim, application, { name: "own" });
    await expectUnreachable(victim.application(application), { bundle }, ["applications"]);
  });

  it("is not reached by another application of the same group, but for the runtimes they share", async () => {
    const application = await anApplication(victim, "neighbour", {
      labels: { group: ["production"] },
    });
    const thief = victim.application(application);
    const answers = await Promise.all(
      [
        "application",
        "bundleByInstanceAuth",
        "bundleInstanceAuth",
        "deleteBundle",
        "rotateWebhookSecret",
        "setBundleInstanceAuth",
      ]
        .flatMap((field) => cases[field]?.(ids, {}) ?? [])
        .map((operation) => thief.send(operation as string)),
    );
    for (const answer of answers) expect(givesNothing(answer)).toBe(true);
    const { applications, runtime } = await thief.ask(
      `{ applications { totalCount } runtime(id: "${ids.runtime}") { name } }`,
    );
    expect(applications.totalCount).toBe(1);
    expect(runtime.name).toBe(`${MARK}-runtime-production`);
  });

  it("is not reached by a runtime of the same group, when it is another runtime's credential", async () => {
    const runtime = await aRuntime(victim, "neighbour", { labels: { group: ["production"] } });
    const thief = victim.runtime(runtime);
    for (const field of [
      "bundleInstanceAuth",
      "bundleByInstanceAuth",
      "requestBundleInstanceAuthDeletion",
      "runtime",
    ]) {
      for (const operation of cases[field]?.(ids, {}) ?? [])
        expect(givesNothing(await thief.send(operation as string))).toBe(true);
    }
    const { application } = await thief.ask(
      `{ application(id: "${ids.application}") { webhooks { url } bundles { data { instanceAuths { id } instanceAuth(id: "${ids.auth}") { id } defaultInstanceAuth { credential { ... on BasicCredentialData { password } } } } } } }`,
    );
    expect(application.webhooks).toEqual([]);
    expect(application.bundles.data).toEqual([
      {
        instanceAuths: [],
        instanceAuth: null,
        defaultInstanceAuth: { credential: { password: MARK } },
      },
    ]);
  });
});

describe("a tenant", () => {
  it("is needed to read or change anything but tenants", async () => {
    const { consumer, scopes } = victim.admin.identity;
    const nowhere = director.as({ consumer, scopes });
    expect(await nowhere.refusal("{ applications { totalCount } }")).toMatch(/^TENANT_REQUIRED/);
    expect(
      await nowhere.refusal(`mutation { unregisterRuntime(id: "${ids.runtime}") { id } }`),
    ).toMatch(/^TENANT_REQUIRED/);
    expect((await nowhere.ask("{ tenants { id } viewer { type } }")).viewer.type).toBe("USER");
  });
});
