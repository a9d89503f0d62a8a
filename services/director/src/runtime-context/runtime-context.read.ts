import {
  all,
  column,
  equals,
  type FieldRead,
  labels,
  me,
  type ObjectRead,
  ownedBy,
  type RootRead,
} from "@sextant/graphql";
import { runtimesOfApplication } from "../group/group.read.ts";
import { bindFilter, filterCondition, filterShape } from "../label/label-filter.ts";
import { byIDArgument } from "../read/arguments.ts";

export const runtimeContextsRead: RootRead = {
  read: "page",
  scopes: ["runtime:read"],
  args: { shape: filterShape, bind: bindFilter },
  where: filterCondition,
};

export const runtimeContextRead: RootRead = {
  read: "one",
  scopes: ["runtime:read"],
  ...byIDArgument,
};

/** The contexts of the runtime around. */
export const contextsOfRuntime: FieldRead = { read: "page", where: () => ownedBy("runtimeID") };

export const runtimeContextType: ObjectRead = {
  kind: "runtimeContext",
  visible: (viewer) => {
    if (viewer === "RUNTIME") return equals("runtimeID", me);
    if (viewer !== "APPLICATION") return undefined;
    const where = all(equals("id", { parent: "runtimeID" }), runtimesOfApplication(me));
    return { op: "exists", kind: "runtime", where };
  },
  fields: {
    id: column("id"),
    runtimeID: column("runtimeID"),
    key: column("key"),
    value: column("value"),
    labels,
    revision: column("revision"),
  },
};
