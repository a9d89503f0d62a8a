/** The story's fourth part: another tenant sees nothing, and cannot even learn that there is something. */
import { randomUUID } from "node:crypto";
import { requestToken } from "./application.ts";
import type { Answer, GraphAnswer } from "./caller.ts";
import { pairByHand, quietly } from "./pairing.ts";
import type { Stage } from "./stage.ts";

/** Ids of one tenant's objects. */
export interface TenantObjects {
  readonly applicationID: string;
  readonly applicationName: string;
  readonly runtimeID: string;
  readonly runtimeName: string;
  readonly bundleID: string;
  readonly apiID: string;
  readonly eventID: string;
  readonly documentID: string;
  readonly webhookID: string;
  readonly instanceAuthID: string;
  readonly operationID: string;
  readonly serialNumber: string;
}

/** A second tenant. */
export interface SecondTenant {
  /** External id. */
  readonly id: string;
  /** Chooses it, for an admin. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The admin registers it and may act in it from then on, by a header. */
export async function anAdminRegistersASecondTenant(stage: Stage): Promise<SecondTenant> {
  const { registerTenant } = await stage.admin.ask<{ registerTenant: { id: string } }>(
    `mutation ($in: TenantInput!) { registerTenant(in: $in) { id name initialized } }`,
    { in: { externalID: stage.name("other"), name: "The other company" } },
  );
  return { id: registerTenant.id, headers: { tenant: registerTenant.id } };
}

/** The lists of the second tenant while the first has objects, and whether the first tenant's names are free in it. */
export interface EmptyTenant {
  /** Name of the list and what it counts. */
  readonly counts: Readonly<Record<string, number>>;
  /** Objects in all those lists. */
  readonly objects: number;
  /** Whether an application and a runtime may have the names that the first tenant uses. */
  readonly sameNames: boolean;
}

/** Every list and every count, plain and filtered. */
export async function everyListOfTheSecondTenantIsEmpty(
  stage: Stage,
  tenant: SecondTenant,
  objects: TenantObjects,
): Promise<EmptyTenant> {
  const page = "{ data { __typename } totalCount }";
  const answer = await stage.admin.ask<
    Record<string, { data: readonly unknown[]; totalCount: number }>
  >(
    `query ($byGroup: [LabelFilter!], $byKey: [LabelFilter!], $application: ID!, $runtime: ID!) {
      applications ${page}
      applicationsOfGroup: applications(filter: $byGroup) ${page}
      applicationsWithGroup: applications(filter: $byKey) ${page}
      runtimes ${page}
      runtimesOfGroup: runtimes(filter: $byGroup) ${page}
      runtimesWithGroup: runtimes(filter: $byKey) ${page}
      certificates ${page}
      certificatesOfApplication: certificates(filter: { applicationID: $application }) ${page}
      certificatesOfRuntime: certificates(filter: { runtimeID: $runtime }) ${page}
      certificatesBySerial: certificates(filter: { serialNumber: "${objects.serialNumber}" }) ${page}
      provisionedRuntimes ${page}
      runtimeOperations ${page}
      runtimeOperationsOf: runtimeOperations(runtimeID: "${objects.runtimeID}") ${page}
    }`,
    {
      byGroup: [
        {
          key: "group",
          query: `$[*] ? (@ == "${stage.name("production")}" || @ == "${stage.name("stage")}")`,
        },
      ],
      byKey: [{ key: "group" }],
      application: objects.applicationID,
      runtime: objects.runtimeID,
    },
    { headers: tenant.headers },
  );
  const lists = Object.entries(answer);
  const { registerApplication } = await stage.admin.ask<{ registerApplication: { name: string } }>(
    `mutation ($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id name } }`,
    { in: { name: objects.applicationName, labels: { group: [stage.name("production")] } } },
    { headers: tenant.headers },
  );
  const { registerRuntime } = await stage.admin.ask<{ registerRuntime: { name: string } }>(
    `mutation ($in: RuntimeInput!) { registerRuntime(in: $in) { id name } }`,
    { in: { name: objects.runtimeName, labels: { group: [stage.name("stage")] } } },
    { headers: tenant.headers },
  );
  return {
    counts: Object.fromEntries(lists.map(([name, { totalCount }]) => [name, totalCount])),
    objects: lists.reduce((sum, [, { data }]) => sum + data.length, 0),
    sameNames:
      registerApplication.name === objects.applicationName &&
      registerRuntime.name === objects.runtimeName,
  };
}

/** One way of asking for an object by its id. */
interface Probe {
  readonly title: string;
  readonly document: string;
  readonly id: keyof TenantObjects;
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** What came of asking for the first tenant's object, and for one that never was. */
export interface ProbeOutcome {
  readonly title: string;
  /** The answer, with the id taken out. */
  readonly foreign: string;
  readonly random: string;
}

const api = { name: "api", targetURL: "https://example.com" };
const document = { title: "a", displayName: "a", description: "a", format: "MARKDOWN", data: "a" };
const auth = { credential: { basic: { username: "a", password: "a" } } };

/** Every operation that takes the id of an object. */
const PROBES: readonly Probe[] = [
  ...probes("applicationID", {
    "query application": "query ($id: ID!) { application(id: $id) { id name } }",
    "mutation updateApplication":
      "mutation ($id: ID!) { updateApplication(id: $id, in: {}) { id } }",
    "mutation unregisterApplication":
      "mutation ($id: ID!) { unregisterApplication(id: $id) { id } }",
    "mutation setApplicationLabel":
      'mutation ($id: ID!) { setApplicationLabel(applicationID: $id, key: "group", value: ["a"]) { key } }',
    "mutation deleteApplicationLabel":
      'mutation ($id: ID!) { deleteApplicationLabel(applicationID: $id, key: "group") { key } }',
    "mutation addBundle":
      'mutation ($id: ID!) { addBundle(applicationID: $id, in: { name: "a" }) { id } }',
    "mutation addWebhook":
      'mutation ($id: ID!) { addWebhook(applicationID: $id, in: { type: CONFIGURATION_CHANGED, url: "https://example.com" }) { id } }',
    "mutation requestOneTimeTokenForApplication":
      "mutation ($id: ID!) { requestOneTimeTokenForApplication(id: $id) { token } }",
    "mutation revokeCertificates of an application":
      "mutation ($id: ID!) { revokeCertificates(applicationID: $id) }",
  }),
  ...probes("runtimeID", {
    "query runtime":
      "query ($id: ID!) { runtime(id: $id) { id provisioning { runtimeID } certificates { totalCount } } }",
    "query applicationsForRuntime":
      "query ($id: ID!) { applicationsForRuntime(runtimeID: $id) { totalCount } }",
    "query runtimeStatus": "query ($id: String!) { runtimeStatus(id: $id) { runtimeID } }",
    "mutation updateRuntime":
      'mutation ($id: ID!) { updateRuntime(id: $id, in: { name: "a" }) { id } }',
    "mutation unregisterRuntime": "mutation ($id: ID!) { unregisterRuntime(id: $id) { id } }",
    "mutation setRuntimeLabel":
      'mutation ($id: ID!) { setRuntimeLabel(runtimeID: $id, key: "group", value: ["a"]) { key } }',
    "mutation deleteRuntimeLabel":
      'mutation ($id: ID!) { deleteRuntimeLabel(runtimeID: $id, key: "group") { key } }',
    "mutation requestOneTimeTokenForRuntime":
      "mutation ($id: ID!) { requestOneTimeTokenForRuntime(id: $id) { token } }",
    "mutation upgradeRuntime":
      "mutation ($id: String!) { upgradeRuntime(id: $id, config: { parameters: {} }) { id } }",
    "mutation deprovisionRuntime": "mutation ($id: String!) { deprovisionRuntime(id: $id) { id } }",
    "mutation reconnectRuntimeAgent":
      "mutation ($id: String!) { reconnectRuntimeAgent(id: $id) { id } }",
    "mutation revokeCertificates of a runtime":
      "mutation ($id: ID!) { revokeCertificates(runtimeID: $id) }",
  }),
  ...probes("bundleID", {
    "mutation updateBundle":
      'mutation ($id: ID!) { updateBundle(id: $id, in: { name: "a" }) { id } }',
    "mutation deleteBundle": "mutation ($id: ID!) { deleteBundle(id: $id) { id } }",
    "mutation addAPIDefinitionToBundle": {
      document:
        "mutation ($id: ID!, $in: APIDefinitionInput!) { addAPIDefinitionToBundle(bundleID: $id, in: $in) { id } }",
      variables: { in: api },
    },
    "mutation addEventDefinitionToBundle":
      'mutation ($id: ID!) { addEventDefinitionToBundle(bundleID: $id, in: { name: "a" }) { id } }',
    "mutation addDocumentToBundle": {
      document:
        "mutation ($id: ID!, $in: DocumentInput!) { addDocumentToBundle(bundleID: $id, in: $in) { id } }",
      variables: { in: document },
    },
    "mutation requestBundleInstanceAuthCreation":
      "mutation ($id: ID!) { requestBundleInstanceAuthCreation(bundleID: $id, in: {}) { id } }",
    "mutation createBundleInstanceAuth": {
      document:
        "mutation ($id: ID!, $in: BundleInstanceAuthCreateInput!) { createBundleInstanceAuth(bundleID: $id, in: $in) { id } }",
      variables: { in: { runtimeID: randomUUID(), auth } },
    },
  }),
  ...probes("apiID", {
    "mutation updateAPIDefinition": {
      document:
        "mutation ($id: ID!, $in: APIDefinitionInput!) { updateAPIDefinition(id: $id, in: $in) { id } }",
      variables: { in: api },
    },
    "mutation deleteAPIDefinition": "mutation ($id: ID!) { deleteAPIDefinition(id: $id) { id } }",
  }),
  ...probes("eventID", {
    "mutation updateEventDefinition":
      'mutation ($id: ID!) { updateEventDefinition(id: $id, in: { name: "a" }) { id } }',
    "mutation deleteEventDefinition":
      "mutation ($id: ID!) { deleteEventDefinition(id: $id) { id } }",
  }),
  ...probes("documentID", {
    "mutation deleteDocument": "mutation ($id: ID!) { deleteDocument(id: $id) { id } }",
  }),
  ...probes("webhookID", {
    "mutation updateWebhook":
      'mutation ($id: ID!) { updateWebhook(webhookID: $id, in: { type: CONFIGURATION_CHANGED, url: "https://example.com" }) { id } }',
    "mutation deleteWebhook": "mutation ($id: ID!) { deleteWebhook(webhookID: $id) { id } }",
    "mutation rotateWebhookSecret":
      "mutation ($id: ID!) { rotateWebhookSecret(webhookID: $id) { signingSecret } }",
  }),
  ...probes("instanceAuthID", {
    "query bundleInstanceAuth": "query ($id: ID!) { bundleInstanceAuth(id: $id) { id } }",
    "query bundleByInstanceAuth": "query ($id: ID!) { bundleByInstanceAuth(authID: $id) { id } }",
    "mutation setBundleInstanceAuth": {
      document:
        "mutation ($id: ID!, $in: BundleInstanceAuthSetInput!) { setBundleInstanceAuth(authID: $id, in: $in) { id } }",
      variables: { in: { auth } },
    },
    "mutation updateBundleInstanceAuth": {
      document:
        "mutation ($id: ID!, $in: BundleInstanceAuthUpdateInput!) { updateBundleInstanceAuth(id: $id, in: $in) { id } }",
      variables: { in: { auth } },
    },
    "mutation deleteBundleInstanceAuth":
      "mutation ($id: ID!) { deleteBundleInstanceAuth(authID: $id) { id } }",
    "mutation requestBundleInstanceAuthDeletion":
      "mutation ($id: ID!) { requestBundleInstanceAuthDeletion(authID: $id) { id } }",
  }),
  ...probes("operationID", {
    "query runtimeOperationStatus":
      "query ($id: String!) { runtimeOperationStatus(id: $id) { state } }",
    "mutation cancelOperation": "mutation ($id: String!) { cancelOperation(id: $id) { state } }",
  }),
];

function probes(
  id: keyof TenantObjects,
  documents: Readonly<
    Record<
      string,
      string | { readonly document: string; readonly variables: Record<string, unknown> }
    >
  >,
): Probe[] {
  return Object.entries(documents).map(([title, one]) =>
    typeof one === "string" ? { title, id, document: one } : { title, id, ...one },
  );
}

/** What an answer says to somebody who does not know the id: its status and its body. */
function without(id: string, { status, text }: Answer): string {
  return `${status} ${text.replaceAll(id, "<id>")}`;
}

/** Asks for each of the first tenant's objects, and in the same way for one that never was: the answers must not differ. */
export async function anObjectOfAnotherTenantLooksLikeNone(
  stage: Stage,
  tenant: SecondTenant,
  objects: TenantObjects,
): Promise<readonly ProbeOutcome[]> {
  const outcomes: ProbeOutcome[] = [];
  for (const [index, { title, document: text, id, variables }] of PROBES.entries()) {
    const random = randomUUID();
    // The first few are enough to read.
    const extra = { headers: tenant.headers, quiet: index % 9 !== 0 };
    const foreign = await stage.admin.post(text, { id: objects[id], ...variables }, extra);
    const none = await stage.admin.post(
      text,
      { id: random, ...variables },
      { ...extra, quiet: true },
    );
    outcomes.push({ title, foreign: without(objects[id], foreign), random: without(random, none) });
  }
  stage.report.seen(
    `${outcomes.length} operations, ${outcomes.filter(({ foreign, random }) => foreign === random).length} answer the same as for an id that never was`,
  );
  return outcomes;
}

/** Whether the first tenant's objects are what they were. */
export async function theFirstTenantIsUntouched(
  stage: Stage,
  objects: TenantObjects,
): Promise<{
  readonly application: unknown;
  readonly runtime: unknown;
  readonly credential: unknown;
}> {
  return stage.admin.ask(
    `query ($application: ID!, $runtime: ID!, $credential: ID!, $bundle: ID!) {
      application(id: $application) {
        name labels
        webhooks { id }
        bundle(id: $bundle) {
          name
          apiDefinitions { totalCount } eventDefinitions { totalCount } documents { totalCount }
        }
      }
      runtime(id: $runtime) { name labels }
      credential: bundleInstanceAuth(id: $credential) { status { condition } }
    }`,
    {
      application: objects.applicationID,
      runtime: objects.runtimeID,
      credential: objects.instanceAuthID,
      bundle: objects.bundleID,
    },
  );
}

/** What those who paired in the second tenant see. */
export interface PairedInSecondTenant {
  /** Names of applications that its runtime in the same group sees. */
  readonly runtimeSees: readonly string[];
  readonly countForRuntime: number;
  /** The first tenant's application, asked for by id over mTLS. */
  readonly byID: unknown;
  /** Body of its plan. */
  readonly plan: string;
}

/** A runtime of the second tenant in a group of the same name is connected with nothing of the first. */
export async function aRuntimeOfTheSecondTenantInAGroupOfThatNameSeesNothing(
  stage: Stage,
  tenant: SecondTenant,
  objects: TenantObjects,
): Promise<PairedInSecondTenant> {
  const { headers } = tenant;
  const { registerRuntime } = await stage.admin.ask<{ registerRuntime: { id: string } }>(
    `mutation ($in: RuntimeInput!) { registerRuntime(in: $in) { id name labels } }`,
    {
      in: {
        name: stage.name("branch"),
        labels: { group: [stage.name("stage"), stage.name("production")] },
      },
    },
    { headers },
  );
  // The application of the same name and group that the second tenant has of its own goes first.
  const { applications: own } = await stage.admin.ask<{ applications: { data: { id: string }[] } }>(
    "{ applications { data { id } } }",
    {},
    { headers, quiet: true },
  );
  for (const { id } of own.data)
    await stage.admin.ask(
      "mutation ($id: ID!) { unregisterApplication(id: $id) { id } }",
      { id },
      { headers, quiet: true },
    );
  const token = await requestToken(stage, "Runtime", registerRuntime.id, { headers, quiet: true });
  const paired = await pairByHand(quietly(stage), "branch", token, "P-256");
  const caller = stage.paired("branch", paired);
  const answer = await caller.ask<{
    applications: { data: { name: string }[]; totalCount: number };
    application: unknown;
  }>(
    "query ($id: ID!) { applications { data { name } totalCount } application(id: $id) { name } }",
    { id: objects.applicationID },
  );
  const plan = await caller.send({
    method: "GET",
    path: "/v1/runtime/plan",
    headers: { prefer: "wait=10" },
  });
  return {
    runtimeSees: answer.applications.data.map(({ name }) => name),
    countForRuntime: answer.applications.totalCount,
    byID: answer.application,
    plan: plan.text,
  };
}

/** Reads the errors of an answer that was kept as text. */
export function errorsIn(outcome: string): readonly string[] {
  const { errors = [] } = JSON.parse(outcome.slice(outcome.indexOf("{"))) as GraphAnswer;
  return errors.map(({ extensions }) => extensions?.code ?? "");
}
