/** Label definitions: their checked inputs, and what a schema of groups may say. */
import { invalidOperation, type SextantError } from "@sextant/errors";
import { z } from "zod";
import { jsonText } from "../input/input.ts";
import { labelKey } from "../label/label.ts";

const MAX_SCHEMA = 256 * 1024;
/** Keys of labels that a tenant may have. */
export const MAX_DEFINITIONS = 1_000;

/** The error for a label whose key would be one too many. */
export const tooManyDefinitions = (): SextantError =>
  invalidOperation(
    `the tenant has ${MAX_DEFINITIONS} label definitions: delete one with deleteLabelDefinition first`,
  );

/** LabelDefinitionInput. */
export const labelDefinitionInput = z.object({
  key: z.string().regex(labelKey, "must be 1 to 256 letters, digits and _"),
  schema: jsonText(MAX_SCHEMA),
});

/** Words that say something of a schema, not of a value. */
const ANNOTATIONS = ["$schema", "$id", "$comment", "title", "description", "default", "examples"];
const OF_ARRAY = new Set([...ANNOTATIONS, "type", "items", "uniqueItems", "minItems"]);
const OF_ITEMS = new Set([
  ...ANNOTATIONS,
  "type",
  "enum",
  "const",
  "pattern",
  "minLength",
  "maxLength",
]);

const asRecord = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;

/**
 * What keeps a schema from being one for groups; undefined: nothing. Groups come and go one by one, so that a schema may speak of
 * each alone: an array of strings, whose items may have `enum`, `const`, `pattern`, `minLength` and `maxLength`.
 */
export function groupSchemaFault(schema: unknown): string | undefined {
  const record = asRecord(schema);
  if (record === undefined || record["type"] !== "array")
    return 'must have "type": "array": groups are an array of strings';
  const unknown = Object.keys(record).find((word) => !OF_ARRAY.has(word));
  if (unknown !== undefined)
    return `must not have ${JSON.stringify(unknown)}: of the array it may say items, uniqueItems and minItems`;
  const { minItems } = record;
  if (minItems !== undefined && minItems !== 0 && minItems !== 1)
    return "minItems must be 0 or 1: an object is in one group at least, and may be in one only";
  if (record["items"] === undefined) return undefined;
  const items = asRecord(record["items"]);
  if (items === undefined || items["type"] !== "string")
    return 'items must have "type": "string": groups are an array of strings';
  const other = Object.keys(items).find((word) => !OF_ITEMS.has(word));
  if (other === undefined) return undefined;
  return `items must not have ${JSON.stringify(other)}: of a group it may say enum, const, pattern, minLength and maxLength`;
}
