import { column, type Declarations, none, type ObjectRead } from "@sextant/graphql";
import type { Condition } from "@sextant/registry-client";
import { asSent, issuedList } from "../issued-list.ts";

const isSet = (field: string): Condition => ({ op: "not", condition: { op: "isNull", field } });

const { filtered, state } = issuedList({
  texts: { publicID: asSent, purpose: asSent },
  states: [
    ["REVOKED", isSet("revokedAt")],
    ["USED", isSet("usedAt")],
    ["EXPIRED", { op: "past", field: "expiresAt" }],
  ],
  otherwise: "UNUSED",
});

const fields = [
  "id",
  "publicID",
  "purpose",
  "consumerType",
  "consumerID",
  "issuedByType",
  "issuedByID",
  "createdAt",
  "expiresAt",
  "usedAt",
  "usedFrom",
  "revokedAt",
];

const record: ObjectRead = {
  kind: "oneTimeToken",
  visible: (viewer) => (viewer === "APPLICATION" || viewer === "RUNTIME" ? none : undefined),
  fields: {
    ...Object.fromEntries(fields.map((field) => [field, column(field)])),
    state,
  },
};

/** How one-time tokens are read: never their hashes. */
export const oneTimeTokenReads: Declarations = {
  queries: {
    oneTimeTokens: { read: "page", scopes: ["certificate:read"], ...filtered },
  },
  types: { OneTimeTokenRecord: record },
};
