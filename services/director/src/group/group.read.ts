import type { Condition, Value } from "@sextant/registry-client";

/** The parameter that holds the key of the label whose values are groups. */
export const groupLabel: Value = { param: "groupLabel" };

/** Applications that share a group with this runtime. */
export const applicationsOfRuntime = (runtimeID: Value): Condition => ({
  op: "sharesLabel",
  key: groupLabel,
  kind: "runtime",
  id: runtimeID,
});

/** Runtimes that share a group with this application. */
export const runtimesOfApplication = (applicationID: Value): Condition => ({
  op: "sharesLabel",
  key: groupLabel,
  kind: "application",
  id: applicationID,
});
