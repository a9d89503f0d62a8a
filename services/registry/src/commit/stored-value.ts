/** Values of a commit in the form in which they are sent to the database. */
import type { Fault } from "@sextant/errors";
import { type Field, type FieldType, isUUID } from "@sextant/registry-client";
import { arrayText } from "../database/array-text.ts";

/** The SQL type of each type of field. */
export const COLUMN_TYPES: Readonly<Record<FieldType, string>> = {
  uuid: "uuid",
  text: "text",
  int: "integer",
  bool: "boolean",
  timestamp: "timestamptz",
  json: "text",
  secret: "text",
  texts: "text[]",
};

const isText = (value: unknown): value is string =>
  typeof value === "string" && !value.includes("\0");

/** The text of a value, or what is wrong with it. */
function textOf(type: FieldType, value: unknown): string | { readonly wrong: string } {
  switch (type) {
    case "uuid":
      return typeof value === "string" && isUUID(value) ? value : { wrong: "must be a UUID" };
    case "int":
      return Number.isSafeInteger(value) ? String(value) : { wrong: "must be a whole number" };
    case "bool":
      return typeof value === "boolean" ? String(value) : { wrong: "must be true or false" };
    case "texts":
      return Array.isArray(value) && value.every((one) => isText(one))
        ? arrayText(value)
        : { wrong: "must be an array of texts without the character NUL" };
    case "timestamp":
      return typeof value === "string" && !Number.isNaN(Date.parse(value))
        ? value
        : { wrong: "must be a time of RFC 3339" };
    default:
      return isText(value) ? value : { wrong: "must be a text without the character NUL" };
  }
}

/** The text of a field's value; a fault when it does not fit the field. */
export function storedValue(
  name: string,
  field: Field,
  value: unknown,
  faults: Fault[],
): string | null {
  if (value === null || value === undefined) {
    if (!field.optional) faults.push({ field: name, message: "is required" });
    return null;
  }
  const text = textOf(field.type, value);
  if (typeof text === "string") return text;
  faults.push({ field: name, message: text.wrong });
  return null;
}
