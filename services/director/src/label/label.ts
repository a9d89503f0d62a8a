/** Labels and groups: their rules. */
import { invalidData } from "@sextant/errors";

/** Form of a label's key. */
export const labelKey = /^[a-zA-Z0-9_]{1,256}$/;

/** Size of a label's value as JSON text, in bytes. */
const MAX_VALUE = 64 * 1024;
/** Labels of one object. */
const MAX_LABELS = 200;
const MAX_GROUPS = 100;
const MAX_GROUP_LENGTH = 256;

/** How groups are called in this plane: the label's key, and the group of whoever is in no other. */
export type GroupNames = { readonly label: string; readonly fallback: string };

/** A label as it is stored: `json` is its value as JSON text. */
export type StoredLabel = { readonly key: string; readonly json: string };

type Fault = { readonly field: string; readonly message: string };

function groupFaults(value: unknown, field: string): Fault[] {
  const form = "must be an array of unique, non-empty strings";
  if (!Array.isArray(value) || value.some((name) => typeof name !== "string" || name === ""))
    return [{ field, message: form }];
  const names = value as string[];
  if (new Set(names).size !== names.length) return [{ field, message: form }];
  if (names.length > MAX_GROUPS) return [{ field, message: `has more than ${MAX_GROUPS} groups` }];
  const tooLong = names.some((name) => name.length > MAX_GROUP_LENGTH);
  return tooLong
    ? [{ field, message: `a group's name has more than ${MAX_GROUP_LENGTH} characters` }]
    : [];
}

/** What PostgreSQL and JSON cannot carry through unchanged. */
function hasUnstorableText(json: string): boolean {
  return json.includes("\\u0000") || !json.isWellFormed() || /\\ud[89a-f]/i.test(json);
}

/** Checks one label's key and value. */
export function labelFaults(
  key: string,
  value: unknown,
  field: string,
  groups: GroupNames,
): Fault[] {
  if (!labelKey.test(key))
    return [
      { field: `${field}.${key}`, message: "the key must be 1 to 256 letters, digits and _" },
    ];
  const json = JSON.stringify(value) ?? "null";
  if (Buffer.byteLength(json) > MAX_VALUE)
    return [{ field: `${field}.${key}`, message: `is larger than ${MAX_VALUE} bytes` }];
  if (hasUnstorableText(json))
    return [
      {
        field: `${field}.${key}`,
        message: "has a character that cannot be stored (NUL or a lone surrogate)",
      },
    ];
  return key === groups.label ? groupFaults(value, `${field}.${key}`) : [];
}

/** The stored form of one label. An empty list of groups is the default group. */
export function storedLabel(key: string, value: unknown, groups: GroupNames): StoredLabel {
  const isEmptyGroup = key === groups.label && Array.isArray(value) && value.length === 0;
  return { key, json: JSON.stringify(isEmptyGroup ? [groups.fallback] : value) ?? "null" };
}

/** The labels of a new object, in at least the default group; throws INVALID_DATA naming every wrong one. */
export function initialLabels(
  value: unknown,
  inputType: string,
  groups: GroupNames,
): readonly StoredLabel[] {
  const given = labelsOf(value, inputType, groups);
  return given.some((label) => label.key === groups.label)
    ? given
    : [...given, { key: groups.label, json: JSON.stringify([groups.fallback]) }];
}

function labelsOf(value: unknown, inputType: string, groups: GroupNames): readonly StoredLabel[] {
  if (value === undefined || value === null) return [];
  if (typeof value !== "object" || Array.isArray(value)) {
    throw invalidData(inputType, [{ field: "labels", message: "must be a JSON object" }]);
  }
  const entries = Object.entries(value);
  const faults = entries.flatMap(([key, one]) => labelFaults(key, one, "labels", groups));
  if (entries.length > MAX_LABELS)
    faults.push({ field: "labels", message: `has more than ${MAX_LABELS} labels` });
  if (faults.length > 0) throw invalidData(inputType, faults);
  return entries.map(([key, one]) => storedLabel(key, one, groups));
}
