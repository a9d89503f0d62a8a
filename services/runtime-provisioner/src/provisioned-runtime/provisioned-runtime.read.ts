import {
  all,
  column,
  jsonAsText,
  embedded,
  equals,
  expression,
  idParameter,
  type ObjectRead,
  ownedBy,
  type RootRead,
} from "@sextant/graphql";
import type { Condition } from "@sextant/registry-client";

const isThere: Condition = equals("removed", { param: "no" });

export const runtimeStatusRead: RootRead = {
  read: "one",
  scopes: ["provisioning:read"],
  args: { bind: (args) => ({ id: idParameter(args["id"]) }) },
  where: (param) => equals("id", param("id")),
};

export const provisionedRuntimesRead: RootRead = {
  read: "page",
  scopes: ["provisioning:read"],
  where: () => isThere,
};

/** Director's record of the runtime, whose agent's contact it shows. */
const record = (condition: Condition): Condition => ({
  op: "exists",
  kind: "runtime",
  where: all(ownedBy("id"), condition),
});
const heardLately: Condition = {
  op: "within",
  field: "lastSeen",
  seconds: { param: "onlineSeconds" },
};
const heardEver: Condition = { op: "not", condition: { op: "isNull", field: "lastSeen" } };

export const provisionedRuntimeStatusType: ObjectRead = {
  kind: "provisionedRuntime",
  fields: {
    runtimeID: column("id"),
    lastOperationStatus: { read: "one", where: () => ownedBy("id", "lastOperationID") },
    runtimeConnectionStatus: embedded(),
    runtimeConfiguration: embedded(),
  },
};

export const runtimeConnectionStatusType: ObjectRead = {
  fields: {
    status: expression({
      choose: [
        { when: record(heardLately), then: '"Connected"' },
        { when: record(heardEver), then: '"Disconnected"' },
      ],
      otherwise: '"Pending"',
    }),
    errors: {
      read: "sealed",
      expression: () => ({
        coalesce: [
          { lookup: { kind: "syncState", where: ownedBy("id"), field: "lastError" } },
          { constant: '""' },
        ],
      }),
      open: (stored) => (stored === "" ? [] : [stored]),
    },
  },
};

export const runtimeConfigurationType: ObjectRead = {
  fields: { name: column("name"), driver: column("driver"), parameters: jsonAsText("parameters") },
};

/** Director's runtime, as far as the provisioner knows it. */
export const runtimeType: ObjectRead = {
  entityScopes: ["provisioning:read"],
  fields: { id: column("id"), provisioning: { read: "one", where: () => ownedBy("id") } },
};
