import { column, equals, expression, type FieldRead, type ObjectRead } from "@sextant/graphql";

/** The stored text whose hash is in a column; read only where it is selected. */
export const contentText = (hashColumn: string): FieldRead =>
  expression({
    lookup: { kind: "content", where: equals("hash", { parent: hashColumn }), field: "text" },
  });

/** APISpec and EventSpec. */
export const specType: ObjectRead = {
  fields: {
    data: contentText("specContent"),
    format: column("specFormat"),
    type: column("specType"),
  },
};

export const versionType: ObjectRead = {
  fields: {
    value: column("versionValue"),
    deprecated: column("versionDeprecated"),
    deprecatedSince: column("versionDeprecatedSince"),
    forRemoval: column("versionForRemoval"),
  },
};
