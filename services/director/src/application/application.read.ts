import {
  all,
  column,
  embedded,
  equals,
  labels,
  me,
  type ObjectRead,
  ownedBy,
  type RootRead,
  idParameter,
} from "@sextant/graphql";
import { applicationEventing } from "../eventing/eventing.read.ts";
import { byIDArgument } from "../read/arguments.ts";
import { bindFilter, filterCondition, filterShape } from "../label/label-filter.ts";
import { applicationsOfRuntime } from "../group/group.read.ts";

/** A page of applications for the argument `filter`. */
export const applicationsRead: RootRead = {
  read: "page",
  scopes: ["application:read"],
  args: { shape: filterShape, bind: bindFilter },
  where: filterCondition,
};

export const applicationRead: RootRead = {
  read: "one",
  scopes: ["application:read"],
  ...byIDArgument,
};

export const applicationsForRuntimeRead: RootRead = {
  read: "page",
  scopes: ["application:read"],
  require: { noun: "Runtime", argument: "runtimeID", type: "Runtime" },
  args: { bind: (args) => ({ runtimeID: idParameter(args["runtimeID"]) }) },
  where: (param) => applicationsOfRuntime(param("runtimeID")),
};

export const applicationType: ObjectRead = {
  kind: "application",
  entityScopes: ["application:read"],
  visible: (viewer) => {
    if (viewer === "RUNTIME") return applicationsOfRuntime(me);
    return viewer === "APPLICATION" ? equals("id", me) : undefined;
  },
  fields: {
    id: column("id"),
    name: column("name"),
    providerName: column("providerName"),
    description: column("description"),
    integrationSystemID: column("integrationSystemID"),
    labels,
    status: embedded(),
    webhooks: { read: "list", where: () => ownedBy("applicationID"), max: 100 },
    healthCheckURL: column("healthCheckURL"),
    bundles: { read: "page", where: () => ownedBy("applicationID") },
    bundle: {
      read: "one",
      args: { bind: (args) => ({ id: idParameter(args["id"]) }) },
      where: (param) => all(ownedBy("applicationID"), equals("id", param("id"))),
    },
    auths: {
      read: "list",
      scopes: ["application:write"],
      // Published agents select it of every application.
      emptyFor: ["RUNTIME"],
      where: () => ownedBy("applicationID"),
      max: 1000,
    },
    eventingConfiguration: applicationEventing,
    revision: column("revision"),
    createdAt: column("createdAt"),
    updatedAt: column("updatedAt"),
  },
};

export const applicationStatusType: ObjectRead = {
  fields: { condition: column("statusCondition"), timestamp: column("statusTimestamp") },
};
