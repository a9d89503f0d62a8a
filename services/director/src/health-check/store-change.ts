/** Keeps changes of health: the newest of each type, origin and reporter. */
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
import { type HealthChange, KEPT_CHANGES } from "./health-check.ts";

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
