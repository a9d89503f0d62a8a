/** Automatic group assignments: their checked inputs, and the steps that keep runtimes in the groups that are assigned. No I/O. */
import { all, equals } from "@sextant/graphql";
import type { Condition, Step } from "@sextant/registry-client";
import { z } from "zod";
import { text } from "../input/input.ts";
import { type GroupNames, labelKey } from "../label/label.ts";

/** Assignments of one tenant. */
export const MAX_ASSIGNMENTS = 1_000;
/** Length of a text as JSON: longer ones are not found among the elements of labels. */
const MAX_JSON = 200;

const shortText = (min: number) =>
  text(min, MAX_JSON).refine((value) => JSON.stringify(value).length <= MAX_JSON, {
    error: `must have at most ${MAX_JSON} characters as JSON text`,
  });

/** LabelSelectorInput of an assignment. */
const selectorInput = (groups: GroupNames) =>
  z.object({
    key: z
      .string()
      .regex(labelKey, "must be 1 to 256 letters, digits and _")
      .refine((key) => key !== groups.label, {
        error: `must be another label than ${groups.label}, whose values are the groups themselves`,
      }),
    value: shortText(0),
  });

/** AutomaticGroupAssignmentSetInput. */
export const assignmentInput = (groups: GroupNames) =>
  z.object({ groupName: shortText(1), selector: selectorInput(groups) });

/** All runtimes of a tenant are changed in so many statements: one alone could take too long. */
const PARTS = 4;

/** The runtime in the parameter `runtimeID`. */
const theRuntime = equals("id", { param: "runtimeID" });

/** Groups are added to the label, or taken out, as assignments say. */
function assignGroups(
  groups: GroupNames,
  change: "add" | "remove",
  runtimes: Condition,
  assignments: Condition,
): Extract<Step, { op: "assign" }> {
  return {
    op: "assign",
    change,
    runtimes,
    assignments,
    label: groups.label,
    fallback: groups.fallback,
  };
}

/** Groups of all runtimes of the tenant. */
export const assignToAll = (
  groups: GroupNames,
  change: "add" | "remove",
  assignments: Condition,
): readonly Step[] =>
  Array.from({ length: PARTS }, (_, nr) => ({
    ...assignGroups(groups, change, all(), assignments),
    part: { nr, of: PARTS },
  }));

/** Puts the runtime in the parameter `runtimeID` into all groups that its labels match. */
export const assignAll = (groups: GroupNames): Step =>
  assignGroups(groups, "add", theRuntime, all());

/**
 * Goes before a change of the label in the parameter `labelKey` of the runtime in `runtimeID`: it leaves the groups whose selector
 * its new value, with the texts in `newTexts`, does not match.
 */
export const leaveUnmatched = (groups: GroupNames): Step =>
  assignGroups(
    groups,
    "remove",
    theRuntime,
    all(equals("selectorKey", { param: "labelKey" }), {
      op: "not",
      condition: { op: "in", field: "selectorValue", values: { param: "newTexts" } },
    }),
  );

/** Goes behind that change: it comes into the groups whose selector the new value matches. */
export const joinMatching = (groups: GroupNames): Step =>
  assignGroups(groups, "add", theRuntime, equals("selectorKey", { param: "labelKey" }));

/** Texts that a parameter may have. */
const MAX_TEXTS = 10_000;

/**
 * The texts that a label's value is or holds. Of a value with very many those behind count as new: their groups are left and joined
 * again.
 */
export function textsOf(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return [...new Set(items.filter((one) => typeof one === "string"))].slice(0, MAX_TEXTS);
}
