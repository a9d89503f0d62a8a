/** Which service may do what: the one place that says so. Whatever is not listed is refused. */
import { forbidden } from "@sextant/errors";
import type { ServiceName } from "@sextant/identity";
import type { EventType, Kind, Queue, SecretKind } from "@sextant/registry-client";

/** What one service may do. */
export type Access = {
  readonly reads: readonly Kind[];
  readonly writes: readonly Kind[];
  readonly claims: readonly Queue[];
  readonly causes: readonly EventType[];
  readonly watches: readonly EventType[];
  readonly finds: readonly SecretKind[];
  readonly findsTenants: boolean;
  /** Whether it may ask how many trust whom, of all tenants. */
  readonly asksTrustState: boolean;
  /** Whether it may find what it has sealed, of all tenants, and put the same sealed anew in its place. */
  readonly reseals: boolean;
  /** Whether it may record in a tenant's audit log what it has refused, or what changes nothing that is stored. */
  readonly notes: boolean;
  /** Kinds that it may not read, but whose absence it may make the condition of a commit. */
  readonly checks: readonly Kind[];
  /** Whether it may read what was revoked, of all tenants. */
  readonly listsRevoked: boolean;
};

const EVERY_EVENT: readonly EventType[] = [
  "plan.changed",
  "certificate.revoked",
  "api-token.revoked",
  "client.changed",
  "runtime.unregistered",
  "application.unregistered",
  "tenant.changed",
];

const NOTHING: Access = {
  reads: [],
  writes: [],
  claims: [],
  causes: [],
  watches: [],
  finds: [],
  findsTenants: false,
  notes: false,
  checks: [],
  listsRevoked: false,
  asksTrustState: false,
  reseals: false,
};

/** The nouns that the Director owns. */
const DIRECTORS: readonly Kind[] = [
  "tenant",
  "apiToken",
  "application",
  "runtime",
  "syncState",
  "plan",
  "staleRuntime",
  "webhook",
  "delivery",
  "bundle",
  "apiDefinition",
  "eventDefinition",
  "document",
  "content",
  "bundleInstanceAuth",
  "runtimeContext",
  "labelDefinition",
  "automaticGroupAssignment",
  "fetchRequest",
  "integrationSystem",
  "tenantGrant",
  "systemAuth",
  "applicationTemplate",
  "healthCheck",
  "healthProbe",
  "idempotencyKey",
];

/** The table. */
export const ACCESS: Readonly<Record<ServiceName, Access>> = {
  registry: NOTHING,
  director: {
    reads: [...DIRECTORS, "auditEntry"],
    writes: DIRECTORS,
    claims: ["staleRuntime", "delivery", "fetchRequest", "healthProbe"],
    causes: [
      "plan.changed",
      "api-token.revoked",
      "client.changed",
      "runtime.unregistered",
      "application.unregistered",
      "tenant.changed",
    ],
    watches: EVERY_EVENT,
    finds: [],
    findsTenants: true,
    asksTrustState: false,
    reseals: true,
    notes: true,
    // What has certificates in force cannot be removed.
    checks: ["certificate"],
    listsRevoked: false,
  },
  connector: {
    reads: ["oneTimeToken", "certificate", "certificateKey", "application", "runtime", "tenant"],
    writes: ["oneTimeToken", "certificate", "certificateKey"],
    claims: [],
    causes: ["certificate.revoked"],
    watches: [
      "certificate.revoked",
      "runtime.unregistered",
      "application.unregistered",
      "tenant.changed",
    ],
    finds: ["oneTimeToken", "certificate"],
    findsTenants: true,
    asksTrustState: true,
    reseals: false,
    notes: true,
    checks: [],
    listsRevoked: true,
  },
  "runtime-provisioner": {
    ...NOTHING,
    // Director's record of a runtime, for its agent's contact.
    reads: ["operation", "provisionedRuntime", "idempotencyKey", "runtime", "syncState"],
    writes: ["operation", "provisionedRuntime", "idempotencyKey"],
    claims: ["operation"],
    watches: ["runtime.unregistered"],
    findsTenants: true,
    notes: true,
  },
  "api-gateway": {
    ...NOTHING,
    watches: EVERY_EVENT,
    finds: ["apiToken", "oneTimeToken", "certificate", "systemAuth"],
    findsTenants: true,
    notes: true,
  },
};

/** Throws FORBIDDEN unless the service may do this with all of these. */
export function demand<Name extends string>(
  service: ServiceName,
  verb: string,
  allowed: readonly Name[],
  asked: Iterable<Name>,
): void {
  for (const one of asked) {
    if (!allowed.includes(one)) throw forbidden(`the service ${service} may not ${verb} ${one}`);
  }
}
