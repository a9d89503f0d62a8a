import {
  all,
  column,
  equals,
  jsonAsText,
  none,
  type ObjectRead,
  type RootRead,
} from "@sextant/graphql";
import { MAX_DEFINITIONS } from "./label-definition.ts";

export const labelDefinitionsRead: RootRead = {
  read: "list",
  scopes: ["label_definition:read"],
  where: () => all(),
  max: MAX_DEFINITIONS,
};

export const labelDefinitionRead: RootRead = {
  read: "one",
  scopes: ["label_definition:read"],
  args: { bind: (args) => ({ key: String(args["key"]) }) },
  where: (param) => equals("key", param("key")),
};

export const labelDefinitionType: ObjectRead = {
  kind: "labelDefinition",
  visible: (viewer) => (viewer === "APPLICATION" || viewer === "RUNTIME" ? none : undefined),
  fields: { key: column("key"), schema: jsonAsText("schema"), revision: column("revision") },
};
