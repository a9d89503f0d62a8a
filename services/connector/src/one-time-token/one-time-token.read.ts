import {
  all,
  type Args,
  column,
  type Declarations,
  equals,
  expression,
  idParameter,
  none,
  type ObjectRead,
  type Where,
} from "@sextant/graphql";
import type { Condition, Params } from "@sextant/registry-client";

type Filter = {
  readonly publicID?: string | null;
  readonly applicationID?: string | null;
  readonly runtimeID?: string | null;
  readonly purpose?: string | null;
  readonly state?: "UNUSED" | "USED" | "EXPIRED" | "REVOKED" | null;
};

const filterOf = (args: Args): Filter => (args["filter"] as Filter | null | undefined) ?? {};

const isNot = (condition: Condition): Condition => ({ op: "not", condition });
const isRevoked = isNot({ op: "isNull", field: "revokedAt" });
const isUsed = isNot({ op: "isNull", field: "usedAt" });
const isOver: Condition = { op: "past", field: "expiresAt" };

/** In the order in which they count. */
const states: readonly (readonly [string, Condition])[] = [
  ["REVOKED", isRevoked],
  ["USED", isUsed],
  ["EXPIRED", isOver],
];

function inState(state: string): Condition {
  const place = states.findIndex(([name]) => name === state);
  const before = states.slice(0, place === -1 ? states.length : place);
  return all(...before.map(([, condition]) => isNot(condition)), states[place]?.[1]);
}

const shape = (args: Args): string => {
  const { publicID, applicationID, runtimeID, purpose, state } = filterOf(args);
  const given = [publicID, applicationID, runtimeID, purpose].map((value) => typeof value);
  return given.join() + String(state);
};

const bind = (args: Args): Params => {
  const { publicID, applicationID, runtimeID, purpose } = filterOf(args);
  return {
    ...(typeof publicID === "string" ? { publicID } : {}),
    ...(typeof applicationID === "string" ? { applicationID: idParameter(applicationID) } : {}),
    ...(typeof runtimeID === "string" ? { runtimeID: idParameter(runtimeID) } : {}),
    ...(typeof purpose === "string" ? { purpose } : {}),
  };
};

const where: Where = (param, args) => {
  const { publicID, applicationID, runtimeID, purpose, state } = filterOf(args);
  const isFor = (kind: "application" | "runtime", name: string): Condition =>
    all(equals("consumerType", { param: kind }), equals("consumerID", param(name)));
  return all(
    typeof publicID === "string" ? equals("publicID", param("publicID")) : undefined,
    typeof applicationID === "string" ? isFor("application", "applicationID") : undefined,
    typeof runtimeID === "string" ? isFor("runtime", "runtimeID") : undefined,
    typeof purpose === "string" ? equals("purpose", param("purpose")) : undefined,
    typeof state === "string" ? inState(state) : undefined,
  );
};

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
    state: expression({
      choose: states.map(([state, when]) => ({ when, then: JSON.stringify(state) })),
      otherwise: '"UNUSED"',
    }),
  },
};

/** How one-time tokens are read: never their hashes. */
export const oneTimeTokenReads: Declarations = {
  queries: {
    oneTimeTokens: { read: "page", scopes: ["certificate:read"], args: { shape, bind }, where },
  },
  types: { OneTimeTokenRecord: record },
};
