import {
  all,
  column,
  embedded,
  equals,
  none,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import { MAX_ASSIGNMENTS } from "./automatic-group-assignment.ts";

export const assignmentsRead: RootRead = {
  read: "page",
  scopes: ["runtime:read"],
  where: () => all(),
};

export const assignmentForGroupRead: RootRead = {
  read: "one",
  scopes: ["runtime:read"],
  args: { bind: (args) => ({ groupName: String(args["groupName"]) }) },
  where: (param) => equals("groupName", param("groupName")),
};

export const assignmentsForSelectorRead: RootRead = {
  read: "list",
  scopes: ["runtime:read"],
  args: {
    bind: (args) => {
      const { key, value } = args["selector"] as { readonly key: string; readonly value: string };
      return { selectorKey: key, selectorValue: value };
    },
  },
  where: (param) =>
    all(
      equals("selectorKey", param("selectorKey")),
      equals("selectorValue", param("selectorValue")),
    ),
  max: MAX_ASSIGNMENTS,
};

/** Admins' alone: a paired caller is told of its own groups by its label. */
export const assignmentType: ObjectRead = {
  kind: "automaticGroupAssignment",
  visible: (viewer) => (viewer === "APPLICATION" || viewer === "RUNTIME" ? none : undefined),
  fields: { groupName: column("groupName"), selector: embedded(), revision: column("revision") },
};

/** A label that is told with the object it belongs to. */
export const selectorType: ObjectRead = {
  fields: { key: column("selectorKey"), value: column("selectorValue") },
};
