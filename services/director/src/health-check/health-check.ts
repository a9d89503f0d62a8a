/** Health: what is found, and what follows from a change. No I/O. */
import { all, equals } from "@sextant/graphql";
import type { Condition, Step } from "@sextant/registry-client";

/** Who looks at what. */
export const healthCheckTypes = [
  "MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK",
  "RUNTIME_HEALTHCHECK",
] as const;

/** What was found. */
export type Health = "SUCCEEDED" | "FAILED";

/** Changes kept of one type, origin and reporter. */
export const KEPT_CHANGES = 20;

/** A change of what was found of `origin`, by the runtime `reporter` or by the plane. */
export type HealthChange = {
  readonly type: (typeof healthCheckTypes)[number];
  readonly origin: string;
  readonly reporter: string | null;
  readonly condition: Health;
  /** What was found before; undefined: it was not looked at. */
  readonly before: Health | undefined;
  readonly message: string | null;
};

const it = equals("id", { param: "origin" });
const isFailed = equals("statusCondition", { param: "failed" });

/** The status of an application or runtime whose health turned to FAILED. It counts as a change of the object. */
function turned(kind: "application" | "runtime", now: string): readonly Step[] {
  const values = { statusCondition: "FAILED", statusTimestamp: now };
  return [{ op: "updateAll", kind, where: all(it, { op: "not", condition: isFailed }), values }];
}

/** The status of one that is well again: CONNECTED when it was ever heard, else INITIAL; unless it is not FAILED any more. */
export function recovered(
  kind: "application" | "runtime",
  now: string,
  options: { readonly which?: Condition; readonly quiet?: boolean } = {},
): readonly Step[] {
  const { which = it, quiet = false } = options;
  const neverHeard: Condition = { op: "isNull", field: "lastSeen" };
  const to = (statusCondition: string, more: Condition): Step => ({
    op: "updateAll",
    kind,
    where: all(which, isFailed, more),
    values: { statusCondition, statusTimestamp: now },
    quiet,
  });
  return [to("CONNECTED", { op: "not", condition: neverHeard }), to("INITIAL", neverHeard)];
}

/** What a change makes of the status: nothing when it was not FAILED and is not. */
export function statusAfter(
  kind: "application" | "runtime",
  { condition, before }: Pick<HealthChange, "condition" | "before">,
  now: string,
): readonly Step[] {
  if (condition === "FAILED") return turned(kind, now);
  return before === "FAILED" ? recovered(kind, now) : [];
}

/** Whether a change is told: not when something is well at the first look. */
export const isNews = ({ condition, before }: Pick<HealthChange, "condition" | "before">) =>
  condition === "FAILED" || before === "FAILED";
