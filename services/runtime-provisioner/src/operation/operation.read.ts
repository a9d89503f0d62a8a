import { all, column, equals, idParameter, type ObjectRead, type RootRead } from "@sextant/graphql";
import type { Params } from "@sextant/registry-client";

export const runtimeOperationStatusRead: RootRead = {
  read: "one",
  scopes: ["provisioning:read"],
  args: { bind: (args) => ({ id: idParameter(args["id"]) }) },
  where: (param) => equals("id", param("id")),
};

export const runtimeOperationsRead: RootRead = {
  read: "page",
  scopes: ["provisioning:read"],
  args: {
    shape: (args) => typeof args["runtimeID"],
    bind: (args): Params =>
      typeof args["runtimeID"] === "string" ? { runtimeID: idParameter(args["runtimeID"]) } : {},
  },
  where: (param, args) =>
    typeof args["runtimeID"] === "string" ? equals("runtimeID", param("runtimeID")) : all(),
};

export const operationStatusType: ObjectRead = {
  kind: "operation",
  fields: {
    id: column("id"),
    operation: column("type"),
    state: column("state"),
    message: column("message"),
    runtimeID: column("runtimeID"),
    stage: column("stage"),
    lastError: {
      read: "sealed",
      expression: () => ({ field: "lastError" }),
      open: (stored) => stored,
    },
    createdAt: column("createdAt"),
    updatedAt: column("updatedAt"),
  },
};
