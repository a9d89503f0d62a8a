/**
 * The kinds of things the Registry stores, each with its fields. A kind is a table, a field a column: the names follow from
 * these by {@link tableName} and {@link columnName}; a test of the registry compares them with the migrated database.
 *
 * Every kind has `id`, `revision`, `createdAt` and `updatedAt` beside the fields listed here; all but the tenant-less ones
 * belong to a tenant. This is long because it is one catalog. `content` is the exception: it never changes and its key is its hash.
 */

/**
 * How a field is stored and read:
 * - `uuid`, `text`, `int`, `bool`: as they say.
 * - `timestamp`: RFC 3339 text outside, `timestamptz` inside.
 * - `json`: JSON text, kept as it was sent and read as the value it denotes.
 * - `secret`: text sealed by the service that owns the kind; the Registry cannot read it.
 * - `texts`: an array of text.
 */
export type FieldType =
  | "uuid"
  | "text"
  | "int"
  | "bool"
  | "timestamp"
  | "json"
  | "secret"
  | "texts";

/** A field's declaration. */
export type Field = { readonly type: FieldType; readonly optional: boolean };

/** A field that is always there. */
export const required = <Type extends FieldType>(type: Type) =>
  ({ type, optional: false }) as const;
const optional = <Type extends FieldType>(type: Type) => ({ type, optional: true }) as const;

const status = {
  statusCondition: required("text"),
  statusTimestamp: required("timestamp"),
} as const;
const version = {
  versionValue: optional("text"),
  versionDeprecated: optional("bool"),
  versionDeprecatedSince: optional("text"),
  versionForRemoval: optional("bool"),
} as const;
const spec = {
  specType: optional("text"),
  specFormat: optional("text"),
  specContent: optional("text"),
} as const;
/** Work that is claimed under a lease, and tried again at `nextAttemptAt` until it is settled. */
const work = {
  attempts: required("int"),
  nextAttemptAt: optional("timestamp"),
  leaseToken: optional("uuid"),
  leaseUntil: optional("timestamp"),
} as const;

/** The catalog. Keys are the names of the kinds. */
export const kinds = {
  /** Who owns objects. Belongs to no tenant itself. */
  tenant: {
    tenantless: true,
    labels: false,
    fields: { externalID: required("text"), name: required("text") },
  },
  /**
   * A bearer secret of an admin or a tool. `tenants` holds ids of tenants, or `*` for all; `tenantExternalIDs` the same as they
   * were called when it was made.
   */
  apiToken: {
    tenantless: false,
    labels: false,
    fields: {
      name: required("text"),
      hash: required("text"),
      scopes: required("texts"),
      tenants: required("texts"),
      tenantExternalIDs: required("texts"),
      expiresAt: optional("timestamp"),
      revokedAt: optional("timestamp"),
      lastUsed: optional("timestamp"),
    },
  },
  application: {
    tenantless: false,
    labels: true,
    fields: {
      name: required("text"),
      providerName: optional("text"),
      description: optional("text"),
      healthCheckURL: optional("text"),
      integrationSystemID: optional("uuid"),
      /** The runtime that was chosen for its events; whose it is without a choice is found at each read. */
      defaultEventingRuntimeID: optional("uuid"),
      ...status,
      lastSeen: optional("timestamp"),
    },
  },
  runtime: {
    tenantless: false,
    labels: true,
    fields: {
      name: required("text"),
      description: optional("text"),
      ...status,
      lastSeen: optional("timestamp"),
      trustBundle: optional("text"),
    },
  },
  /** Something a runtime says of what runs on it, such as one of its tenants: a key and a value, with labels. */
  runtimeContext: {
    tenantless: false,
    labels: true,
    fields: { runtimeID: required("uuid"), key: required("text"), value: required("text") },
  },
  /** A key of labels, with the JSON Schema that its values have to satisfy. */
  labelDefinition: {
    tenantless: false,
    labels: false,
    fields: { key: required("text"), schema: optional("json") },
  },
  /** Puts every runtime whose label `selectorKey` is (or holds) the text `selectorValue` into the group. */
  automaticGroupAssignment: {
    tenantless: false,
    labels: false,
    fields: {
      groupName: required("text"),
      selectorKey: required("text"),
      selectorValue: required("text"),
    },
  },
  /** How far a runtime is: one row a runtime, `id` is the runtime's. Revision 0: no plan yet. */
  syncState: {
    tenantless: false,
    labels: false,
    fields: {
      desiredRevision: required("int"),
      desiredHash: optional("text"),
      appliedRevision: required("int"),
      applied: required("bool"),
      ready: required("bool"),
      reportedAt: optional("timestamp"),
      lastError: optional("text"),
    },
  },
  /** A runtime's whole desired state, immutable. `content` is sealed: it holds credentials. */
  plan: {
    tenantless: false,
    labels: false,
    fields: {
      runtimeID: required("uuid"),
      planRevision: required("int"),
      hash: required("text"),
      content: required("secret"),
      cause: required("text"),
    },
  },
  /** Runtimes whose plan has to be computed anew; `id` is the runtime's. `version` grows with each mark. */
  staleRuntime: {
    tenantless: false,
    labels: false,
    fields: { version: required("int"), cause: required("text"), ...work },
  },
  webhook: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: optional("uuid"),
      runtimeID: optional("uuid"),
      integrationSystemID: optional("uuid"),
      type: required("text"),
      mode: optional("text"),
      url: optional("text"),
      auth: optional("secret"),
      correlationIdKey: optional("text"),
      retryInterval: optional("int"),
      timeout: optional("int"),
      urlTemplate: optional("text"),
      inputTemplate: optional("text"),
      headerTemplate: optional("text"),
      outputTemplate: optional("text"),
      statusTemplate: optional("text"),
      signingSecret: required("secret"),
    },
  },
  /** One webhook message on its way. `state`: PENDING, DELIVERED, FAILED. */
  delivery: {
    tenantless: false,
    labels: false,
    fields: {
      webhookID: required("uuid"),
      type: required("text"),
      body: required("json"),
      state: required("text"),
      lastStatus: optional("int"),
      lastError: optional("text"),
      deliveredAt: optional("timestamp"),
      ...work,
    },
  },
  bundle: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: required("uuid"),
      name: required("text"),
      description: optional("text"),
      instanceAuthRequestInputSchema: optional("json"),
      defaultInstanceAuth: optional("secret"),
    },
  },
  apiDefinition: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: required("uuid"),
      bundleID: required("uuid"),
      name: required("text"),
      description: optional("text"),
      targetURL: required("text"),
      group: optional("text"),
      ...version,
      ...spec,
    },
  },
  eventDefinition: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: required("uuid"),
      bundleID: required("uuid"),
      name: required("text"),
      description: optional("text"),
      group: optional("text"),
      ...version,
      ...spec,
    },
  },
  document: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: required("uuid"),
      bundleID: required("uuid"),
      title: required("text"),
      displayName: required("text"),
      description: required("text"),
      format: required("text"),
      kind: optional("text"),
      content: optional("text"),
    },
  },
  /**
   * A specification's or document's text, stored once a tenant by its SHA-256. It has no `id`, `revision` and `updatedAt`: the
   * key is `hash`. Other objects refer to it by its hash, and may do so only when it is there: a commit stores it first.
   */
  content: {
    tenantless: false,
    labels: false,
    fields: { hash: required("text"), text: required("text") },
  },
  /**
   * Where the text of a specification or document is fetched from: it belongs to exactly one API, event definition or document.
   * `nextAttemptAt` is null when nothing is to be fetched.
   */
  fetchRequest: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: required("uuid"),
      apiDefinitionID: optional("uuid"),
      eventDefinitionID: optional("uuid"),
      documentID: optional("uuid"),
      url: required("text"),
      auth: optional("secret"),
      mode: required("text"),
      filter: optional("text"),
      ...status,
      statusMessage: optional("text"),
      ...work,
    },
  },
  bundleInstanceAuth: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: required("uuid"),
      bundleID: required("uuid"),
      runtimeID: optional("uuid"),
      context: optional("json"),
      inputParams: optional("json"),
      auth: optional("secret"),
      ...status,
      statusMessage: required("text"),
      statusReason: required("text"),
    },
  },
  /** A program that manages applications on behalf of admins, in its own tenant and in those granted to it. */
  integrationSystem: {
    tenantless: false,
    labels: false,
    fields: { name: required("text"), description: optional("text") },
  },
  /** Lets an integration system of the tenant `homeTenantID` act in the tenant that the grant belongs to. */
  tenantGrant: {
    tenantless: false,
    labels: false,
    fields: { homeTenantID: required("uuid"), integrationSystemID: required("uuid") },
  },
  /**
   * OAuth 2.0 client credentials of one application, runtime or integration system. The client id is the object's id; `hash` is
   * the SHA-256 of `<client id>:<client secret>`.
   */
  systemAuth: {
    tenantless: false,
    labels: false,
    fields: {
      applicationID: optional("uuid"),
      runtimeID: optional("uuid"),
      integrationSystemID: optional("uuid"),
      hash: required("text"),
      auth: required("secret"),
    },
  },
  /** An application to be, with places to be filled in. `applicationInput` is sealed: it may hold credentials. */
  applicationTemplate: {
    tenantless: false,
    labels: false,
    fields: {
      name: required("text"),
      description: optional("text"),
      applicationInput: required("secret"),
      placeholders: required("json"),
      accessLevel: required("text"),
    },
  },
  /** A change of health: one row for each change of what was found of `origin`, by the plane or by the runtime `runtimeID`. */
  healthCheck: {
    tenantless: false,
    labels: false,
    fields: {
      type: required("text"),
      condition: required("text"),
      origin: required("uuid"),
      runtimeID: optional("uuid"),
      message: optional("text"),
      timestamp: required("timestamp"),
      /** Whether it is how things stand: one of each type, origin and reporter is. */
      latest: required("bool"),
    },
  },
  /** An application that the plane asks for its health; `id` is the application's. `condition` is what was found last. */
  healthProbe: {
    tenantless: false,
    labels: false,
    fields: {
      url: required("text"),
      condition: optional("text"),
      failures: required("int"),
      ...work,
    },
  },
  /**
   * What a repeated request is answered (see {@link Commit.keepAnswer}): the text that was read for it, or a sealed value. The id
   * is made of the caller and its key; `reveal` says whether the answer showed what is shown once.
   */
  idempotencyKey: {
    tenantless: false,
    labels: false,
    fields: {
      request: required("text"),
      answer: optional("text"),
      value: optional("secret"),
      reveal: required("bool"),
    },
  },
  /**
   * `purpose`: PAIRING or SIGNING. `publicID` is the part of the text that is no secret. `usedBy` says which repeat of the use gets
   * the same answer again.
   */
  oneTimeToken: {
    tenantless: false,
    labels: false,
    fields: {
      hash: required("text"),
      publicID: optional("text"),
      purpose: required("text"),
      consumerType: required("text"),
      consumerID: required("uuid"),
      issuedByType: optional("text"),
      issuedByID: optional("text"),
      expiresAt: required("timestamp"),
      usedAt: optional("timestamp"),
      usedBy: optional("text"),
      usedFrom: optional("text"),
      revokedAt: optional("timestamp"),
    },
  },
  /**
   * `hash` is the SHA-256 of the certificate's DER; `serialNumber` and `issuerKeyID` are lower-case hex. `tbs` is what was or is to be
   * signed, `signature` the signature on it, both base64 of DER. Without `hash` it is being issued.
   */
  certificate: {
    tenantless: false,
    labels: false,
    fields: {
      hash: optional("text"),
      serialNumber: required("text"),
      issuerKeyID: optional("text"),
      consumerType: required("text"),
      consumerID: required("uuid"),
      subject: required("text"),
      publicKeyHash: required("text"),
      notBefore: required("timestamp"),
      notAfter: required("timestamp"),
      revokedAt: optional("timestamp"),
      revocationReason: optional("text"),
      revocationCode: optional("text"),
      tbs: optional("text"),
      signature: optional("text"),
    },
  },
  /**
   * Whose a public key is: `hash` is the SHA-256 of the SubjectPublicKeyInfo, unique among all tenants. A certificate refers to that of
   * its holder, so that no two objects have certificates with one key.
   */
  certificateKey: {
    tenantless: false,
    labels: false,
    fields: {
      hash: required("text"),
      consumerType: required("text"),
      consumerID: required("uuid"),
    },
  },
  /** A persisted sequence of stages. `lastError` is `{ code, component, message }`. */
  operation: {
    tenantless: false,
    labels: false,
    fields: {
      runtimeID: optional("uuid"),
      type: required("text"),
      state: required("text"),
      stage: required("text"),
      message: required("text"),
      lastError: optional("json"),
      input: required("json"),
      progress: required("json"),
      ...work,
    },
  },
  /** What the provisioner made; `id` is the runtime's. */
  provisionedRuntime: {
    tenantless: false,
    labels: false,
    fields: {
      name: required("text"),
      driver: required("text"),
      parameters: required("json"),
      removed: required("bool"),
      lastOperationID: required("uuid"),
    },
  },
  /** Who did what to what; written by the Registry itself in each commit. `id` is the commit's. */
  auditEntry: {
    tenantless: false,
    labels: false,
    fields: {
      actorType: required("text"),
      actorID: required("text"),
      actorName: optional("text"),
      address: optional("text"),
      requestID: optional("text"),
      action: required("text"),
      objects: required("json"),
      outcome: required("text"),
      errorCode: optional("text"),
      times: required("int"),
    },
  },
} as const satisfies Record<
  string,
  { readonly tenantless: boolean; readonly labels: boolean; readonly fields: Record<string, Field> }
>;

/** The name of a kind. */
export type Kind = keyof typeof kinds;

const written = (name: string): string =>
  name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
/** The names of all kinds and of their fields: asked for with every step of every commit. */
const WRITTEN: ReadonlyMap<string, string> = new Map(
  Object.entries(kinds)
    .flatMap(([kind, { fields }]) => [kind, ...Object.keys(fields)])
    .map((name) => [name, written(name)]),
);

/** `healthCheckURL` → `health_check_url`. */
export function columnName(field: string): string {
  return WRITTEN.get(field) ?? written(field);
}

/** `apiDefinition` → `api_definition`. */
export function tableName(kind: Kind): string {
  return columnName(kind);
}

/** Whether a name is one of a kind. */
export function isKind(name: string): name is Kind {
  return Object.hasOwn(kinds, name);
}
