/** Health: how what was found is kept, and what follows from a change. */
import { all, equals } from "@sextant/graphql";
import {
  type Commit,
  type CommitAnswer,
  type Condition,
  create,
  type Params,
  readList,
  type Step,
  timestamp,
  update,
} from "@sextant/registry-client";
import type { Context } from "../act/act.ts";

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

const series = (reporter: string | null): Condition =>
  all(
    equals("origin", { param: "origin" }),
    equals("type", { param: "healthCheckType" }),
    reporter === null
      ? { op: "isNull", field: "runtimeID" }
      : equals("runtimeID", { param: "reporter" }),
  );

/**
 * Stores a change with what follows from it, in one commit. Refused (UNIQUE, PRECONDITION, NOT_FOUND) when another one was stored
 * at the same moment, and as the steps that come first say.
 */
export async function storeChange(
  context: Context,
  tenant: string,
  actor: Commit["actor"],
  change: HealthChange,
  steps: { readonly first: readonly Step[]; readonly last: readonly Step[] },
  params: Params,
): Promise<CommitAnswer> {
  const { type, origin, reporter, condition, message } = change;
  const ofSeries = { origin, healthCheckType: type, reporter };
  const kept = await readList(
    context.registry,
    tenant,
    "healthCheck",
    series(reporter),
    ["id", "condition", "latest"],
    ofSeries,
    10 * KEPT_CHANGES,
  );
  const over = kept.slice(0, Math.max(0, kept.length - KEPT_CHANGES + 1)).map(({ id }) => id);
  const gone: Step = {
    op: "deleteAll",
    kind: "healthCheck",
    where: { op: "in", field: "id", values: { param: "over" } },
  };
  const latest = kept.find((one) => one.latest);
  // A report that came at the same moment was quicker to say the same.
  if (reporter !== null && latest?.condition === condition) return { ok: true, repeated: true };
  const ended =
    latest === undefined
      ? []
      : [
          update(
            "healthCheck",
            latest.id,
            { latest: false },
            {
              quiet: true,
              where: equals("latest", { param: "isLatest" }),
            },
          ),
        ];
  return context.registry.commit({
    id: context.newID(),
    tenant,
    actor,
    action: "noteHealth",
    observed: true,
    steps: [
      ...steps.first,
      ...ended,
      create("healthCheck", context.newID(), {
        type,
        origin,
        runtimeID: reporter,
        condition,
        message,
        timestamp: timestamp(context.now()),
        latest: true,
      }),
      ...(over.length === 0 ? [] : [gone]),
      ...steps.last,
    ],
    params: { ...params, ...ofSeries, isLatest: true, over },
  });
}

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
