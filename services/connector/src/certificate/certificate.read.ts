import { column, type Declarations, equals, me, type ObjectRead } from "@sextant/graphql";
import type { ConsumerType } from "@sextant/identity";
import type { Condition, Params } from "@sextant/registry-client";
import { consumerTypes, issuedList, issuedTo } from "../issued-list.ts";
import { oneTimeTokenReads } from "../one-time-token/one-time-token.read.ts";

const { filtered, state } = issuedList({
  texts: { serialNumber: (text) => text.toLowerCase() },
  states: [
    ["REVOKED", { op: "not", condition: { op: "isNull", field: "revokedAt" } }],
    ["ISSUING", { op: "isNull", field: "hash" }],
    ["EXPIRED", { op: "past", field: "notAfter" }],
  ],
  otherwise: "VALID",
});

const own = (viewer: ConsumerType): Condition | undefined =>
  viewer === "APPLICATION" || viewer === "RUNTIME" ? equals("consumerID", me) : undefined;

const certificateType: ObjectRead = {
  kind: "certificate",
  visible: own,
  fields: {
    id: column("id"),
    serialNumber: column("serialNumber"),
    fingerprint: column("hash"),
    consumerType: column("consumerType"),
    consumerID: column("consumerID"),
    subject: column("subject"),
    notBefore: column("notBefore"),
    notAfter: column("notAfter"),
    state,
    revokedAt: column("revokedAt"),
    revocationReason: column("revocationReason"),
    revocationCode: column("revocationCode"),
    issuerKeyID: column("issuerKeyID"),
    createdAt: column("createdAt"),
  },
};

const holder = (kind: "application" | "runtime"): ObjectRead => ({
  entityScopes: ["certificate:read"],
  fields: {
    id: column("id"),
    certificates: { read: "page", where: () => issuedTo(kind, { parent: "id" }) },
  },
});

/** Everything that the Connector reads for its API. */
export const declarations: Declarations = {
  queries: {
    ...oneTimeTokenReads.queries,
    certificates: { read: "page", scopes: ["certificate:read"], ...filtered },
  },
  types: {
    ...oneTimeTokenReads.types,
    Certificate: certificateType,
    Application: holder("application"),
    Runtime: holder("runtime"),
  },
};

/** Parameters that these declarations name. */
export const parameters: Params = consumerTypes;
