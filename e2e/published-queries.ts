/** Queries in the form in which clients and agents of Kyma Compass of the bundles era send them: every value is a literal. */

const credential = `credential {
  ... on BasicCredentialData { username password }
  ... on OAuthCredentialData { clientId clientSecret url }
}`;
const auth = `${credential}
additionalHeaders
additionalQueryParams
requestAuth { csrf { tokenEndpointURL ${credential} additionalHeaders additionalQueryParams } }`;
const page = (fields: string): string => `data { ${fields} }
pageInfo { startCursor endCursor hasNextPage }
totalCount`;
const version = "version { value deprecated deprecatedSince forRemoval }";
const fetchRequest =
  "fetchRequest { url auth { " + auth + " } mode filter status { condition message timestamp } }";
const webhook = `id applicationID type mode correlationIdKey retryInterval timeout url urlTemplate inputTemplate headerTemplate
outputTemplate statusTemplate auth { ${auth} }`;
const instanceAuth = `id context inputParams auth { ${auth} } status { condition timestamp message reason }`;
const bundle = `id name description instanceAuthRequestInputSchema
instanceAuths { ${instanceAuth} }
defaultInstanceAuth { ${auth} }
apiDefinitions { ${page(`id name description spec { data format type ${fetchRequest} } targetURL group ${version}`)} }
eventDefinitions { ${page(`id name description group spec { data type format ${fetchRequest} } ${version}`)} }
documents { ${page(`id title displayName description format kind data ${fetchRequest}`)} }`;
const application = `id name providerName description labels
status { condition timestamp }
webhooks { ${webhook} }
healthCheckURL
bundles { ${page(bundle)} }
auths { id auth { ${auth} } }
eventingConfiguration { defaultURL }`;
const runtime = `id name description labels status { condition timestamp } metadata { creationTimestamp }
auths { id auth { ${auth} } } eventingConfiguration { defaultURL }`;

/** A value as text inside a literal. */
const text = (value: string): string => JSON.stringify(value);

/** Registers an application with labels, webhooks and bundles of everything in one mutation. */
export const registerApplication = (
  name: string,
  group: string,
  hook: string,
): string => `mutation {
  result: registerApplication(in: {
    name: ${text(name)},
    providerName: "provider name",
    description: "my first wordpress application",
    labels: { ${group}: ["compass"], tags: ["web", "blog"], },
    webhooks: [
      { type: CONFIGURATION_CHANGED, url: ${text(hook)}, auth: { credential: { basic: { username: "hook", password: "pass", }, }, additionalHeadersSerialized: ${text('{"header-A":["ha1","ha2"]}')}, }, },
    ],
    healthCheckURL: "http://mywordpress.com/health",
    bundles: [{
      name: "mp-bundle",
      description: "bundle of the application",
      instanceAuthRequestInputSchema: ${text('{"type":"object","properties":{"InKey":{"type":"string"}}}')},
      apiDefinitions: [
        { name: "comments-v1", description: "api for adding comments", targetURL: "http://mywordpress.com/comments", group: "comments",
          spec: { data: ${text('{"openapi":"3.0.2"}')}, type: OPEN_API, format: YAML, }, version: { value: "1.0.0", deprecated: false, forRemoval: false, }, },
        { name: "xml", targetURL: "http://mywordpress.com/xml", spec: { data: ${text('<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"/>')}, type: ODATA, format: XML, }, },
      ],
      eventDefinitions: [
        { name: "comments-v1", description: "comments events", spec: { data: ${text('{"asyncapi":"1.2.0"}')}, type: ASYNC_API, format: YAML, }, group: "comments", version: { value: "1.0.0", deprecated: true, deprecatedSince: "0.9.0", forRemoval: true, }, },
      ],
      documents: [
        { title: "Readme", displayName: "display-name", description: "Detailed description of project", format: MARKDOWN, kind: "kind", data: "No idea what to write", },
      ],
    }, {
      name: "with-default",
      defaultInstanceAuth: {
        credential: { oauth: { clientId: "client", clientSecret: "secret", url: "http://oauth.com/token", }, },
        additionalHeaders: { h1: ["v1"], },
        additionalQueryParamsSerialized: ${text('{"q":["1"]}')},
        requestAuth: { csrf: { tokenEndpointURL: "http://mywordpress.com/csrf", credential: { basic: { username: "u", password: "p", }, }, }, },
      },
    }],
    statusCondition: INITIAL,
  }) { ${application} }
}`;

/** Registers a runtime. */
export const registerRuntime = (name: string, group: string): string => `mutation {
  result: registerRuntime(in: {
    name: ${text(name)}, description: "runtime-1-description", labels: { ${group}: ["compass"], isNormalized: "true", },
  }) { ${runtime} }
}`;

/** What a runtime's agent asks again and again: itself and its applications, with pages of default size inside each other. */
export const runtimeAgentConfiguration = (runtimeID: string): string => `query {
  runtime(id: ${text(runtimeID)}) { labels }
  applicationsForRuntime(runtimeID: ${text(runtimeID)}) {
    ${page(
      `id name providerName description labels auths { id } bundles { ${page(`id name description instanceAuthRequestInputSchema
      apiDefinitions { ${page(`id name description spec { data format type } targetURL group ${version}`)} }
      eventDefinitions { ${page(`id name description group spec { data type format } ${version}`)} }
      documents { ${page("id title displayName description format kind data")} }
      defaultInstanceAuth { ${auth} }`)} }`,
    )}
  }
}`;

/** What an admin's tool reads: everything that a page of applications has. */
export const applications = (key: string, query: string): string => `query {
  result: applications(filter: [{ key: ${text(key)}, query: ${text(query)}, }], first: 10, after: "") { ${page(application)} }
}`;

/** An agent tells its addresses. */
export const setRuntimeLabel = (
  runtimeID: string,
  key: string,
  value: string,
): string => `mutation {
  result: setRuntimeLabel(runtimeID: ${text(runtimeID)}, key: ${text(key)}, value: ${text(value)}) { key value }
}`;

/** A one-time token, as an admin hands it over. */
export const oneTimeToken = (kind: "Application" | "Runtime", id: string): string => `mutation {
  result: requestOneTimeTokenFor${kind}(id: ${text(id)}) { token connectorURL raw rawEncoded }
}`;

/** The Connector's first step, with parentheses that GraphQL does not allow. */
export const configuration = `query {
  result: configuration() {
    token { token }
    certificateSigningRequestInfo { subject keyAlgorithm }
    managementPlaneInfo { directorURL certificateSecuredConnectorURL }
  }
}`;

/** The second step. */
export const signCertificateSigningRequest = (csr: string): string => `mutation {
  result: signCertificateSigningRequest(csr: ${text(csr)}) { certificateChain caCertificate clientCertificate }
}`;

/** A service broker asks for credentials: context and parameters are JSON in text. */
export const requestCredentials = (bundleID: string): string => `mutation {
  result: requestBundleInstanceAuthCreation(
    bundleID: ${text(bundleID)},
    in: { context: ${text('{"ContextData":"ContextValue"}')}, inputParams: ${text('{"InKey":"InValue"}')}, }
  ) { ${instanceAuth} }
}`;

/** The application's answer. */
export const setCredentials = (authID: string): string => `mutation {
  result: setBundleInstanceAuth(authID: ${text(authID)}, in: {
    auth: { credential: { basic: { username: "username", password: "password", }, }, },
    status: { condition: SUCCEEDED, message: "done", reason: "CredentialsProvided", },
  }) { ${instanceAuth} }
}`;

/** What the broker reads then. */
export const bundleCredentials = (
  applicationID: string,
  bundleID: string,
  authID: string,
): string => `query {
  result: application(id: ${text(applicationID)}) { bundle(id: ${text(bundleID)}) { instanceAuth(id: ${text(authID)}) { ${instanceAuth} } } }
}`;

/** The way back from a credential to what it is for. */
export const bundleByInstanceAuth = (authID: string): string => `query {
  result: bundleByInstanceAuth(authID: ${text(authID)}) { id name apiDefinitions { data { id name } } }
}`;

/** Calls of an admin's tool, each with what it selects, in the order in which it makes them. `id` takes the id of an answer before. */
export const adminCalls = (
  name: string,
  applicationID: string,
): readonly (readonly [name: string, query: (id: (call: string) => string) => string])[] => [
  [
    "label definition",
    () =>
      `mutation { result: createLabelDefinition(in: { key: "published", schema: ${text('{"type":"string"}')}, }) { key schema } }`,
  ],
  [
    "label definition changed",
    () =>
      `mutation { result: updateLabelDefinition(in: { key: "published", schema: ${text('{"type":"string","maxLength":9}')} }) { key schema } }`,
  ],
  ["label definitions", () => "query { result: labelDefinitions() { key schema } }"],
  [
    "label set",
    () =>
      `mutation { result: setApplicationLabel(applicationID: ${text(applicationID)}, key: "published", value: "yes") { key value } }`,
  ],
  [
    "label definition deleted",
    () =>
      'mutation { result: deleteLabelDefinition(key: "published", deleteRelatedLabels: true) { key schema } }',
  ],
  [
    "webhook",
    () =>
      `mutation { result: addWebhook(applicationID: ${text(applicationID)}, in: { type: CONFIGURATION_CHANGED, url: "http://127.0.0.1:9/hook", }) { ${webhook} } }`,
  ],
  [
    "webhook changed",
    (id) =>
      `mutation { result: updateWebhook(webhookID: ${text(id("webhook"))}, in: { type: CONFIGURATION_CHANGED, url: "http://127.0.0.1:9/other", }) { ${webhook} } }`,
  ],
  [
    "webhook deleted",
    (id) => `mutation { result: deleteWebhook(webhookID: ${text(id("webhook"))}) { ${webhook} } }`,
  ],
  [
    "template",
    () => `mutation { result: createApplicationTemplate(in: {
      name: ${text(name)}, description: "template-desc",
      applicationInput: { name: "{{name}}", providerName: "compass-tests", description: "test {{display-name}}", labels: { a: ["b", "c"], }, },
      placeholders: [{ name: "name", description: "app" }, { name: "display-name", description: "new-placeholder" }],
      accessLevel: GLOBAL,
    }) { id name description applicationInput placeholders { name description } accessLevel } }`,
  ],
  [
    "application of the template",
    () => `mutation { result: registerApplicationFromTemplate(in: {
      templateName: ${text(name)}, values: [{ placeholder: "name", value: ${text(`${name}-app`)} }, { placeholder: "display-name", value: "new" }],
    }) { ${application} } }`,
  ],
  [
    "application changed",
    (
      id,
    ) => `mutation { result: updateApplication(id: ${text(id("application of the template"))}, in: {
      providerName: "other", description: "updated", healthCheckURL: "http://updated.com", statusCondition: CONNECTED }) { ${application} } }`,
  ],
  [
    "bundle",
    (
      id,
    ) => `mutation { result: addBundle(applicationID: ${text(id("application of the template"))}, in: {
      name: "b", description: "d", defaultInstanceAuth: { additionalHeadersSerialized: ${text('{"h":["v"]}')} } }) { ${bundle} } }`,
  ],
  [
    "bundle changed",
    (id) =>
      `mutation { result: updateBundle(id: ${text(id("bundle"))}, in: { name: "c", }) { ${bundle} } }`,
  ],
  [
    "API",
    (id) => `mutation { result: addAPIDefinitionToBundle(bundleID: ${text(id("bundle"))}, in: {
      name: "api", targetURL: "https://target.url", spec: { fetchRequest: { url: "http://127.0.0.1:9/spec", mode: SINGLE, filter: "odata" }, format: JSON, type: OPEN_API, } }) {
      id name description spec { data format type ${fetchRequest} } targetURL group ${version} } }`,
  ],
  [
    "API fetched again",
    (id) =>
      `mutation { result: refetchAPISpec(apiID: ${text(id("API"))}) { data format type ${fetchRequest} } }`,
  ],
  [
    "API deleted",
    (id) => `mutation { result: deleteAPIDefinition(id: ${text(id("API"))}) { id } }`,
  ],
  [
    "application deleted",
    (id) =>
      `mutation { result: unregisterApplication(id: ${text(id("application of the template"))}) { ${application} } }`,
  ],
  [
    "template deleted",
    (id) =>
      `mutation { result: deleteApplicationTemplate(id: ${text(id("template"))}) { id name applicationInput } }`,
  ],
  [
    "integration system",
    () =>
      `mutation { result: registerIntegrationSystem(in: { name: ${text(name)}, description: "it" }) { id name description } }`,
  ],
  [
    "client credentials",
    (id) =>
      `mutation { result: requestClientCredentialsForIntegrationSystem(id: ${text(id("integration system"))}) { id auth { ${auth} } } }`,
  ],
  [
    "client credentials deleted",
    (id) =>
      `mutation { result: deleteSystemAuthForIntegrationSystem(authID: ${text(id("client credentials"))}) { id auth { ${auth} } } }`,
  ],
  [
    "integration system deleted",
    (id) =>
      `mutation { result: unregisterIntegrationSystem(id: ${text(id("integration system"))}) { id name } }`,
  ],
  ["viewer", () => "query { result: viewer { id type } }"],
  ["tenants", () => "query { result: tenants { id internalID name initialized } }"],
  ["runtimes", () => `query { result: runtimes(first: 100, after: "") { ${page(runtime)} } }`],
  [
    "health checks",
    () =>
      `query { result: healthChecks(types: [MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK]) { ${page("type condition origin message timestamp")} } }`,
  ],
];
