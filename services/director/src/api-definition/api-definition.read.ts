import { column, embedded, type ObjectRead } from "@sextant/graphql";

export const apiDefinitionType: ObjectRead = {
  kind: "apiDefinition",
  fields: {
    id: column("id"),
    name: column("name"),
    description: column("description"),
    spec: embedded("specType"),
    targetURL: column("targetURL"),
    group: column("group"),
    version: embedded("versionValue"),
    revision: column("revision"),
    createdAt: column("createdAt"),
    updatedAt: column("updatedAt"),
  },
};
