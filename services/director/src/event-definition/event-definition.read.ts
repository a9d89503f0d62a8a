import { column, embedded, type ObjectRead } from "@sextant/graphql";

export const eventDefinitionType: ObjectRead = {
  kind: "eventDefinition",
  fields: {
    id: column("id"),
    name: column("name"),
    description: column("description"),
    group: column("group"),
    spec: embedded("specType"),
    version: embedded("versionValue"),
    revision: column("revision"),
    createdAt: column("createdAt"),
    updatedAt: column("updatedAt"),
  },
};
