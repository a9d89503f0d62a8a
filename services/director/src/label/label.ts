/** Labels and groups: their rules. */
import type { Step } from "@sextant/registry-client";
import { z } from "zod";
import { jsonFault } from "../input/input.ts";

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
  const fault = jsonFault(value);
  if (fault !== undefined) return [{ field: `${field}.${key}`, message: fault }];
  if (Buffer.byteLength(JSON.stringify(value) ?? "null") > MAX_VALUE)
    return [{ field: `${field}.${key}`, message: `is larger than ${MAX_VALUE} bytes` }];
  return key === groups.label ? groupFaults(value, `${field}.${key}`) : [];
}

/** The stored form of one label. An empty list of groups is the default group. */
export function storedLabel(key: string, value: unknown, groups: GroupNames): StoredLabel {
  const isEmptyGroup = key === groups.label && Array.isArray(value) && value.length === 0;
  return { key, json: JSON.stringify(isEmptyGroup ? [groups.fallback] : value) ?? "null" };
}

/** The field `labels` of an input: an object of labels, every wrong one named. Undefined when it is left out. */
export const labelsInput = (groups: GroupNames) =>
  z
    .unknown()
    .optional()
    .transform((value, context): readonly StoredLabel[] | undefined => {
      if (value === undefined || value === null) return undefined;
      const fail = (message: string) => {
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      };
      if (typeof value !== "object" || Array.isArray(value)) return fail("must be a JSON object");
      const entries = Object.entries(value);
      if (entries.length > MAX_LABELS) return fail(`has more than ${MAX_LABELS} labels`);
      for (const [key, one] of entries) {
        for (const { message } of labelFaults(key, one, "", groups))
          context.addIssue({ code: "custom", path: [key], message });
      }
      return entries.map(([key, one]) => storedLabel(key, one, groups));
    });

/** The labels of a new object: in at least the default group. */
export function initialLabels(
  given: readonly StoredLabel[] | undefined,
  groups: GroupNames,
): readonly StoredLabel[] {
  const labels = given ?? [];
  return labels.some((label) => label.key === groups.label)
    ? labels
    : [...labels, { key: groups.label, json: JSON.stringify([groups.fallback]) }];
}

/** The steps that give an object these labels, and take those of the keys in `absent` from it. */
export function labelSteps(
  kind: "application" | "runtime" | "runtimeContext",
  id: string,
  labels: readonly StoredLabel[],
  absent: readonly string[] = [],
): readonly Step[] {
  const step = (key: string, value: string | null): Step => ({ op: "label", kind, id, key, value });
  return [
    ...absent.map((key) => step(key, null)),
    ...labels.map(({ key, json }) => step(key, json)),
  ];
}
