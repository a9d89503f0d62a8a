import {
  all,
  type ArgsRead,
  column,
  jsonAsText,
  equals,
  type FieldRead,
  me,
  type ObjectRead,
  ownedBy,
  type RootRead,
  type Where,
  idParameter,
} from "@sextant/graphql";
import type { ConsumerType } from "@sextant/identity";
import type { Condition, Expression, Params } from "@sextant/registry-client";
import type { OpenAuth } from "../auth/auth.ts";

export const bundleByInstanceAuthRead: RootRead = {
  read: "one",
  scopes: ["application:read"],
  require: { noun: "BundleInstanceAuth", argument: "authID", type: "BundleInstanceAuth" },
  args: { bind: (args) => ({ authID: idParameter(args["authID"]) }) },
  where: (param) => ({
    op: "exists",
    kind: "bundleInstanceAuth",
    where: all(equals("id", param("authID")), ownedBy("bundleID")),
  }),
};

const ofTheBundle: Where = (param) => all(ownedBy("bundleID"), equals("id", param("id")));
const byID: ArgsRead = { bind: (args) => ({ id: idParameter(args["id"]) }) };
const oneOfTheBundle: FieldRead = { read: "one", where: ofTheBundle, args: byID };

/** A page of what is in the bundle; only one group of it when the argument `group` is given. */
const pageByGroup: FieldRead = {
  read: "page",
  args: {
    shape: (args) => (typeof args["group"] === "string" ? "group" : "all"),
    bind: (args): Params => (typeof args["group"] === "string" ? { group: args["group"] } : {}),
  },
  where: (param, args) =>
    typeof args["group"] === "string"
      ? all(ownedBy("bundleID"), equals("group", param("group")))
      : ownedBy("bundleID"),
};

/** The default credential; for a runtime its own, when it has one that works. */
const defaultAuth = (viewer: ConsumerType): Expression => {
  const succeeded: Condition = {
    op: "equals",
    field: "statusCondition",
    value: { param: "succeeded" },
  };
  const where = all(ownedBy("bundleID"), equals("runtimeID", me), succeeded);
  const own: Expression = { lookup: { kind: "bundleInstanceAuth", where, field: "auth" } };
  return viewer === "RUNTIME"
    ? { coalesce: [own, { field: "defaultInstanceAuth" }] }
    : { field: "defaultInstanceAuth" };
};

/** How bundles are read. `open` opens sealed credentials. */
export const bundleType = (open: OpenAuth): ObjectRead => ({
  kind: "bundle",
  fields: {
    id: column("id"),
    name: column("name"),
    description: column("description"),
    instanceAuthRequestInputSchema: jsonAsText("instanceAuthRequestInputSchema"),
    instanceAuth: oneOfTheBundle,
    instanceAuths: { read: "list", where: () => ownedBy("bundleID"), max: 1000 },
    defaultInstanceAuth: { read: "sealed", expression: defaultAuth, open },
    apiDefinitions: pageByGroup,
    eventDefinitions: pageByGroup,
    documents: { read: "page", where: () => ownedBy("bundleID") },
    apiDefinition: oneOfTheBundle,
    eventDefinition: oneOfTheBundle,
    document: oneOfTheBundle,
    revision: column("revision"),
    createdAt: column("createdAt"),
    updatedAt: column("updatedAt"),
  },
});
