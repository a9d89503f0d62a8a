/** What the agent reads of a plan, and what it reports. The rest of a plan is for those who read the agent's file. */
import { z } from "zod";

const plan = z.looseObject({
  revision: z.int().nonnegative(),
  resources: z.array(z.looseObject({ id: z.string() })).optional(),
  rules: z
    .array(z.looseObject({ applicationID: z.string(), mayCall: z.array(z.string()) }))
    .optional(),
});

/** The parts of a plan that the agent itself needs. */
export type PlanHead = {
  readonly revision: number;
  readonly itemIds: readonly string[];
  /** The URLs of each application that the runtime may call. */
  readonly targets: readonly { readonly applicationID: string; readonly urls: readonly string[] }[];
};

/** Reads a plan's text. Throws when it is not a plan. */
export function readPlanHead(text: string): PlanHead {
  const { revision, resources = [], rules = [] } = plan.parse(JSON.parse(text));
  return {
    revision,
    itemIds: resources.map(({ id }) => id),
    targets: rules.map(({ applicationID, mayCall }) => ({ applicationID, urls: mayCall })),
  };
}

/** What was found: without an application, of the runtime itself. */
export type HealthReport = readonly {
  readonly applicationID?: string;
  readonly condition: "SUCCEEDED" | "FAILED";
  readonly message?: string;
}[];

/** The report on one plan. */
export type StatusReport = {
  readonly revision: number;
  readonly applied: boolean;
  readonly ready: boolean;
  readonly items: readonly {
    readonly id: string;
    readonly applied: boolean;
    readonly ready: boolean;
    readonly message: string;
  }[];
  readonly health: HealthReport;
};

/** The report that the plan is in place, or, with `fault`, that it could not be put there. */
export function reportOn(
  { revision, itemIds }: Pick<PlanHead, "revision" | "itemIds">,
  health: HealthReport,
  fault?: string,
): StatusReport {
  const done = fault === undefined;
  return {
    revision,
    applied: done,
    ready: done,
    items: itemIds.map((id) => ({ id, applied: done, ready: done, message: fault ?? "" })),
    health,
  };
}
