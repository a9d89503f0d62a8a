import {
  column,
  embedded,
  equals,
  expression,
  labels,
  me,
  type ObjectRead,
  ownedBy,
  type RootRead,
} from "@sextant/graphql";
import { runtimeEventing } from "../eventing/eventing.read.ts";
import { runtimesOfApplication } from "../group/group.read.ts";
import { bindFilter, filterCondition, filterShape } from "../label/label-filter.ts";
import { contextsOfRuntime } from "../runtime-context/runtime-context.read.ts";
import { byIDArgument } from "../read/arguments.ts";

export const runtimesRead: RootRead = {
  read: "page",
  scopes: ["runtime:read"],
  args: { shape: filterShape, bind: bindFilter },
  where: filterCondition,
};

export const runtimeRead: RootRead = { read: "one", scopes: ["runtime:read"], ...byIDArgument };

export const runtimeType: ObjectRead = {
  kind: "runtime",
  entityScopes: ["runtime:read"],
  visible: (viewer) => {
    if (viewer === "APPLICATION") return runtimesOfApplication(me);
    return viewer === "RUNTIME" ? equals("id", me) : undefined;
  },
  fields: {
    id: column("id"),
    metadata: embedded(),
    name: column("name"),
    description: column("description"),
    labels,
    status: embedded(),
    runtimeContexts: contextsOfRuntime,
    syncState: { read: "one", where: () => ownedBy("id") },
    lastSeen: column("lastSeen"),
    online: expression({
      choose: [
        {
          when: { op: "within", field: "lastSeen", seconds: { param: "onlineSeconds" } },
          then: "true",
        },
      ],
      otherwise: "false",
    }),
    auths: {
      read: "list",
      scopes: ["runtime:write"],
      emptyFor: ["APPLICATION"],
      where: () => ownedBy("runtimeID"),
      max: 1000,
    },
    eventingConfiguration: runtimeEventing,
    revision: column("revision"),
  },
};

export const runtimeMetadataType: ObjectRead = {
  fields: { creationTimestamp: column("createdAt") },
};

export const runtimeStatusType: ObjectRead = {
  fields: { condition: column("statusCondition"), timestamp: column("statusTimestamp") },
};

export const syncStateType: ObjectRead = {
  kind: "syncState",
  inherits: true,
  fields: {
    desiredRevision: column("desiredRevision"),
    appliedRevision: column("appliedRevision"),
    applied: column("applied"),
    ready: column("ready"),
    reportedAt: column("reportedAt"),
    lastError: column("lastError"),
  },
};
