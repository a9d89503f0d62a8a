import {
  all,
  column,
  jsonAsText,
  embedded,
  equals,
  me,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import type { OpenAuth } from "../auth/auth.ts";
import { applicationsOfRuntime } from "../group/group.read.ts";
import { byIDArgument } from "../read/arguments.ts";

export const bundleInstanceAuthRead: RootRead = {
  read: "one",
  scopes: ["application:read"],
  ...byIDArgument,
};

/** How credentials are read. A runtime sees its own, while it shares a group with the application; an application those of its bundles. */
export const instanceAuthType = (open: OpenAuth): ObjectRead => ({
  kind: "bundleInstanceAuth",
  visible: (viewer) => {
    if (viewer === "APPLICATION") return equals("applicationID", me);
    if (viewer !== "RUNTIME") return undefined;
    const isOfTheApplication = equals("id", { parent: "applicationID" });
    const shared = all(isOfTheApplication, applicationsOfRuntime(me));
    return all(equals("runtimeID", me), { op: "exists", kind: "application", where: shared });
  },
  fields: {
    id: column("id"),
    runtimeID: column("runtimeID"),
    context: jsonAsText("context"),
    inputParams: jsonAsText("inputParams"),
    auth: { read: "sealed", expression: () => ({ field: "auth" }), open },
    status: embedded(),
    revision: column("revision"),
  },
});

export const instanceAuthStatusType: ObjectRead = {
  fields: {
    condition: column("statusCondition"),
    timestamp: column("statusTimestamp"),
    message: column("statusMessage"),
    reason: column("statusReason"),
  },
};
