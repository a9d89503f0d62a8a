/** The planner: computes the plans of stale runtimes. Equal content makes no new revision. */
import {
  type Claimed,
  type CommitFailure,
  create,
  type Outcome,
  type Params,
  type Step,
  update,
  timestamp,
} from "@sextant/registry-client";
import { type Context } from "../act/act.ts";
import { openStoredAuth } from "../auth/auth.ts";
import { KEPT_PLANS, planContent, type PlanSource, planSource } from "./plan.ts";

const settled: Outcome = { done: true, values: {} };

/** Computes the plan of one stale runtime, and stores it when it is new. */
export async function planRuntime(
  context: Context,
  work: Claimed<"staleRuntime">,
): Promise<Outcome> {
  const { tenant, id: runtimeID } = work;
  const params: Params = {
    runtimeID,
    groupLabel: context.groups.label,
    succeeded: "SUCCEEDED",
    noKey: null,
  };
  const answer = await context.registry.read({ tenant, plan: planSource, params });
  const source = JSON.parse(answer.text) as PlanSource;
  const sync = source.runtime?.sync;
  if (sync === null || sync === undefined) return settled;
  const content = planContent(source, (sealed) => openStoredAuth(context.sealer, tenant, sealed));
  const hash = context.sealer.digest(tenant, content);
  if (hash === sync.desiredHash) return settled;

  const revision = sync.desiredRevision + 1;
  const stored = await context.registry.commit({
    id: context.newID(),
    tenant,
    actor: { type: "SERVICE", id: "director" },
    action: "plan",
    observed: true,
    steps: [
      update(
        "syncState",
        runtimeID,
        { desiredRevision: revision, desiredHash: hash, applied: false },
        {
          quiet: true,
          where: { op: "equals", field: "desiredRevision", value: { param: "before" } },
        },
      ),
      create("plan", context.newID(), {
        runtimeID,
        planRevision: revision,
        hash,
        content: context.sealer.seal(tenant, "plan", content),
        cause: work.cause,
      }),
      ...source.plans
        .filter((plan) => plan.planRevision <= revision - KEPT_PLANS)
        .map((plan): Step => ({ op: "delete", kind: "plan", id: plan.id })),
      { op: "event", type: "plan.changed", id: runtimeID, data: { revision, hash } },
    ],
    params: { before: sync.desiredRevision },
  });
  return stored.ok || isGone(stored.failure)
    ? settled
    : { done: false, values: {}, nextAttemptAt: timestamp(context.now()) };
}

/** The runtime was unregistered while its plan was computed. */
function isGone(failure: CommitFailure): boolean {
  return failure.reason === "NOT_FOUND" || failure.reason === "REFERENCE";
}
