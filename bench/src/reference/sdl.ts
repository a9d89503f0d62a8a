/** The part of the API that is measured, as a subgraph of its own. */
export const referenceSDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Query {
    applications(first: Int = 200): ApplicationPage!
    application(id: ID!): Application
    applicationsForRuntime(runtimeID: ID!, first: Int = 200): ApplicationPage!
    runtimes(first: Int = 200, after: ID): RuntimePage!
    runtime(id: ID!): Runtime
    plan(runtimeID: ID!): Plan
  }
  type ApplicationPage { data: [Application!]! }
  type Application @key(fields: "id") { id: ID! name: String! description: String status: Status! bundles(first: Int = 200): BundlePage }
  type Status { condition: String! }
  type BundlePage { data: [Bundle!]! }
  type Bundle { id: ID! name: String! description: String apiDefinitions(first: Int = 200): APIDefinitionPage }
  type APIDefinitionPage { data: [APIDefinition!]! }
  type APIDefinition { id: ID! name: String! description: String targetURL: String! group: String }
  scalar Labels
  type RuntimePage { data: [Runtime!]! }
  type Runtime @key(fields: "id") { id: ID! name: String! labels: Labels }
  type Plan { desiredRevision: Int! desiredHash: String }
`;

/** What another service adds to it. */
export const certificatesSDL = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Query { certificates(first: Int = 200): CertificatePage! }
  type Runtime @key(fields: "id") { id: ID! certificates(first: Int = 200): CertificatePage! }
  type CertificatePage { data: [Certificate!]! }
  type Certificate { id: ID! serialNumber: String! subject: String! }
`;
