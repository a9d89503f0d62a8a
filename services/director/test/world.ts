/** One of everything, in one tenant and one group: what tests of access ask for, and must not get. */
import { aBundle, anApplication, aRuntime, basicAuth, type TestTenant } from "./given.ts";

/** What there is, by the names that the authorization table uses: ids, or what an operation names it by. */
export type World = Readonly<
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
    | "applicationClient"
    | "runtimeClient"
    | "system"
    | "systemClient"
    | "grant"
    | "template"
    | "templateName"
    | "token"
    | "tenant"
    | "runtimeContext"
    | "labelDefinition"
    | "assignment"
    | "health"
    | "selectorKey"
    | "selectorValue",
    string
  >
>;

/** Makes one. `mark` is in every text of it. */
export async function makeWorld(tenant: TestTenant, mark: string, group: string): Promise<World> {
  const { admin } = tenant;
  const name = `${mark}-${group}`;
  const [labelDefinition, selectorKey] = [`${mark}_label`, `${mark}_selector`];
  const labels = { group: [group], [labelDefinition]: [mark] };
  const application = await anApplication(tenant, `${name}-application`, {
    labels,
    description: mark,
    providerName: mark,
  });
  const runtime = await aRuntime(tenant, `${name}-runtime`, { labels, description: mark });
  const bundle = await aBundle(tenant, application, {
    name: `${mark}-bundle`,
    description: mark,
    defaultInstanceAuth: basicAuth(mark),
  });
  const made = await admin.ask(
    `mutation($application: ID!, $bundle: ID!, $runtime: ID!, $auth: AuthInput!, $json: JSON, $mark: String!, $name: String!, $url: String!, $document: DocumentInput!, $selector: LabelSelectorInput!) {
      runtimeContext: registerRuntimeContext(runtimeID: $runtime, in: { key: $mark, value: $mark }) { id }
      assignment: createAutomaticGroupAssignment(in: { groupName: $name, selector: $selector }) { id: groupName }
      api: addAPIDefinitionToBundle(bundleID: $bundle, in: { name: $mark, targetURL: $url, description: $mark, spec: { type: OPEN_API, format: YAML, fetchRequest: { url: $url, auth: $auth } } }) { id }
      event: addEventDefinitionToBundle(bundleID: $bundle, in: { name: $mark, description: $mark, spec: { type: ASYNC_API, format: YAML, fetchRequest: { url: $url } } }) { id }
      document: addDocumentToBundle(bundleID: $bundle, in: $document) { id }
      webhook: addWebhook(applicationID: $application, in: { type: CONFIGURATION_CHANGED, url: $url, auth: $auth }) { id }
      auth: createBundleInstanceAuth(bundleID: $bundle, in: { runtimeID: $runtime, auth: $auth, inputParams: $json }) { id }
      pending: requestBundleInstanceAuthCreation(bundleID: $bundle, in: { runtimeID: $runtime, context: $json }) { id }
      system: registerIntegrationSystem(in: { name: $name, description: $mark }) { id }
      template: createApplicationTemplate(in: { name: $name, description: $mark, accessLevel: GLOBAL, applicationInput: { name: $name } }) { id }
      token: createAPIToken(in: { name: $mark, scopes: ["runtime:read"] }) { id }
      applicationClient: requestClientCredentialsForApplication(id: $application) { id }
      runtimeClient: requestClientCredentialsForRuntime(id: $runtime) { id }
    }`,
    {
      application,
      bundle,
      runtime,
      auth: basicAuth(mark),
      json: { [mark]: mark },
      mark,
      name,
      selector: { key: selectorKey, value: mark },
      url: `https://${mark.toLowerCase()}.example`,
      document: {
        title: mark,
        displayName: mark,
        description: mark,
        format: "MARKDOWN",
        data: mark,
      },
    },
  );
  const { systemClient } = await admin.ask(
    `mutation($id: ID!) { systemClient: requestClientCredentialsForIntegrationSystem(id: $id) { id } }`,
    { id: made.system.id },
  );
  const { tenants, tenantGrants } = await admin.ask(
    "{ tenants { id internalID } tenantGrants { data { id integrationSystemID } } }",
  );
  const grant = (tenantGrants.data as { id: string; integrationSystemID: string }[]).find(
    ({ integrationSystemID }) => integrationSystemID === made.system.id,
  );
  const own = (tenants as { id: string; internalID: string }[]).find(
    ({ internalID }) => internalID === tenant.id,
  );
  const ids = Object.fromEntries(
    Object.entries(made as Record<string, { id: string }>).map(([key, { id }]) => [key, id]),
  );
  const health = `${name} is not reached`;
  await tenant.reportHealth(runtime, [
    { applicationID: application, condition: "FAILED", message: health },
  ]);
  return {
    ...ids,
    health,
    application,
    runtime,
    bundle,
    labelDefinition,
    selectorKey,
    selectorValue: mark,
    templateName: name,
    systemClient: systemClient.id,
    grant: grant?.id ?? "",
    tenant: own?.id ?? "",
  } as World;
}
