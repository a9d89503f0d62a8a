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
