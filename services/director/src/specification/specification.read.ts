import { column, equals, expression, type FieldRead, type ObjectRead } from "@sextant/graphql";
import type { FetchOwner } from "../fetch-request/fetch-request.ts";
import { fetchRequestOf } from "../fetch-request/fetch-request.read.ts";

/** The stored text whose hash is in a column; read only where it is selected. */
export const contentText = (hashColumn: string): FieldRead =>
  expression({
    lookup: { kind: "content", where: equals("hash", { parent: hashColumn }), field: "text" },
  });

const specFields = (owner: FetchOwner): ObjectRead["fields"] => ({
  data: contentText("specContent"),
  format: column("specFormat"),
  type: column("specType"),
  fetchRequest: fetchRequestOf(owner),
});

/** It lives in the row of its API, which is what a mutation that answers with it reads. */
export const apiSpecType: ObjectRead = {
  kind: "apiDefinition",
  fields: specFields("apiDefinitionID"),
};

/** It lives in the row of its event definition. */
export const eventSpecType: ObjectRead = {
  kind: "eventDefinition",
  fields: specFields("eventDefinitionID"),
};

export const versionType: ObjectRead = {
  fields: {
    value: column("versionValue"),
    deprecated: column("versionDeprecated"),
    deprecatedSince: column("versionDeprecatedSince"),
    forRemoval: column("versionForRemoval"),
  },
};
