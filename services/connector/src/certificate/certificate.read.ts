import {
  all,
  type Args,
  column,
  type Declarations,
  equals,
  expression,
  idParameter,
  me,
  type ObjectRead,
  type Where,
} from "@sextant/graphql";
import type { ConsumerType } from "@sextant/identity";
import type { Condition, Params } from "@sextant/registry-client";
import { oneTimeTokenReads } from "../one-time-token/one-time-token.read.ts";

type Filter = {
  readonly serialNumber?: string | null;
  readonly applicationID?: string | null;
  readonly runtimeID?: string | null;
  readonly state?: "ISSUING" | "VALID" | "EXPIRED" | "REVOKED" | null;
};

const filterOf = (args: Args): Filter => (args["filter"] as Filter | null | undefined) ?? {};

const isRevoked: Condition = { op: "not", condition: { op: "isNull", field: "revokedAt" } };
const isOver: Condition = { op: "past", field: "notAfter" };
const isNot = (condition: Condition): Condition => ({ op: "not", condition });
const isBegun: Condition = { op: "isNull", field: "hash" };
const states: Readonly<Record<string, Condition>> = {
  ISSUING: all(isNot(isRevoked), isBegun),
  VALID: all(isNot(isRevoked), isNot(isBegun), isNot(isOver)),
  EXPIRED: all(isNot(isRevoked), isNot(isBegun), isOver),
  REVOKED: isRevoked,
};

const shape = (args: Args): string => {
  const { serialNumber, applicationID, runtimeID, state } = filterOf(args);
  return (
    [serialNumber, applicationID, runtimeID].map((value) => typeof value).join() + String(state)
  );
};

const bind = (args: Args): Params => {
  const { serialNumber, applicationID, runtimeID } = filterOf(args);
  return {
    ...(typeof serialNumber === "string" ? { serialNumber: serialNumber.toLowerCase() } : {}),
    ...(typeof applicationID === "string" ? { applicationID: idParameter(applicationID) } : {}),
    ...(typeof runtimeID === "string" ? { runtimeID: idParameter(runtimeID) } : {}),
  };
};

const where: Where = (param, args) => {
  const { serialNumber, applicationID, runtimeID, state } = filterOf(args);
  return all(
    typeof serialNumber === "string" ? equals("serialNumber", param("serialNumber")) : undefined,
    typeof applicationID === "string" ? issuedTo("application", param("applicationID")) : undefined,
    typeof runtimeID === "string" ? issuedTo("runtime", param("runtimeID")) : undefined,
    typeof state === "string" ? states[state] : undefined,
  );
};

/** Certificates of one application or runtime. The names of the types are parameters of every plan. */
const issuedTo = (
  kind: "application" | "runtime",
  id: { param: string } | { parent: string },
): Condition => all(equals("consumerType", { param: kind }), equals("consumerID", id));

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
    state: expression({
      choose: [
        { when: isRevoked, then: '"REVOKED"' },
        { when: isBegun, then: '"ISSUING"' },
        { when: isOver, then: '"EXPIRED"' },
      ],
      otherwise: '"VALID"',
    }),
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
    certificates: { read: "page", scopes: ["certificate:read"], args: { shape, bind }, where },
  },
  types: {
    ...oneTimeTokenReads.types,
    Certificate: certificateType,
    Application: holder("application"),
    Runtime: holder("runtime"),
  },
};

/** Parameters that these declarations name. */
export const parameters: Params = { application: "APPLICATION", runtime: "RUNTIME" };
