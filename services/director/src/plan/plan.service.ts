/** What a runtime's agent does: gets its plan, reports how far it is. */
import { concurrentUpdate, invalidData, notFound } from "@sextant/errors";
import { all, equals } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import { type ReadPlan, readOne, type Step, update, timestamp } from "@sextant/registry-client";
import { z } from "zod";
import { type Context, parametersOf } from "../act/act.ts";
import { connected, heardParameters, seen } from "../contact/contact.service.ts";
import { healthReport, noteHealth } from "../health-check/health-report.ts";
import { text } from "../input/input.ts";
import { tellApplications } from "../webhook/notification.ts";
import { planBody, planTag } from "./plan.ts";

const item = z.object({
  id: text(1, 256),
  applied: z.boolean("must be true or false"),
  ready: z.boolean("must be true or false"),
  message: text(0, 2000).nullish(),
});

/** A report of a runtime's agent. */
export const statusReport = z.object({
  revision: z.int("must be a whole number").min(0, "must not be negative"),
  applied: z.boolean("must be true or false"),
  ready: z.boolean("must be true or false"),
  items: z.array(item).max(10_000, "must have at most 10000 entries").default([]),
  health: healthReport.default([]),
});

/** See {@link statusReport}. */
export type StatusReport = z.output<typeof statusReport>;

/** A plan ready to be sent, with its entity tag. */
export type ServedPlan = { readonly tag: string; readonly body: Buffer };

const currentPlan: ReadPlan = {
  select: [
    {
      as: "sync",
      read: {
        one: "syncState",
        where: equals("id", { param: "me" }),
        select: [
          { as: "desiredRevision", field: "desiredRevision" },
          {
            as: "plan",
            read: {
              one: "plan",
              where: all(
                equals("runtimeID", { parent: "id" }),
                equals("planRevision", { parent: "desiredRevision" }),
              ),
              select: ["planRevision", "hash", "content", "cause"].map((field) => ({
                as: field,
                field,
              })),
            },
          },
        ],
      },
    },
  ],
};

type CurrentPlan = {
  readonly sync: {
    readonly plan: {
      readonly planRevision: number;
      readonly hash: string;
      readonly content: string;
      readonly cause: string;
    } | null;
  } | null;
};

/** What failed of a report, as one line. */
function lastErrorOf(values: StatusReport): string | null {
  const failed = values.items.filter((one) => !one.applied || !one.ready);
  const messages = failed.map((one) => `${one.id}: ${one.message ?? "not ready"}`);
  return messages.length === 0 ? null : messages.join("; ").slice(0, 2000);
}

/** What became of a report: it was noted, is older than another one, or something came in between. */
type Taken = "noted" | "outdated" | "overtaken";

/** How often a report is tried when others stand in its way. */
const ATTEMPTS = 5;

/** Serves agents. */
export function createPlanService(context: Context) {
  /** Notes a report by one commit. */
  const noted = async (
    tenant: string,
    identity: Identity,
    id: string,
    values: StatusReport,
  ): Promise<Taken> => {
    const fields = ["desiredRevision", "appliedRevision", "ready"] as const;
    const isIt = equals("id", { param: "me" });
    const sync = await readOne(context.registry, tenant, "syncState", isIt, fields, { me: id });
    if (sync === undefined) throw notFound("Runtime", id);
    if (values.revision > sync.desiredRevision) {
      throw invalidData("RuntimeStatus", [
        {
          field: "revision",
          message: `there is no plan ${values.revision}: the newest is ${sync.desiredRevision}`,
        },
      ]);
    }
    if (values.revision < sync.appliedRevision) return "outdated";
    const isNewest = values.revision === sync.desiredRevision;
    // A new plan does not end readiness: it would be told anew, and an application that answers by a change would never rest.
    const becomesReady = values.ready && !sync.ready;
    const now = timestamp(context.now());
    // Whoever is told and asks at once must find the runtime connected, though the gateway tells contacts a little later.
    const told: Step[] = becomesReady
      ? [
          seen("runtime", now),
          connected("runtime", now),
          tellApplications("runtime.ready", id, context.now()),
        ]
      : [];
    const columns = {
      appliedRevision: values.revision,
      reportedAt: now,
      lastError: lastErrorOf(values),
      ready: values.ready,
      ...(isNewest ? { applied: values.applied } : {}),
    };
    const unchanged = all(
      equals("appliedRevision", { param: "appliedBefore" }),
      equals("desiredRevision", { param: "desiredBefore" }),
      equals("ready", { param: "readyBefore" }),
    );
    const answer = await context.registry.commit({
      id: context.newID(),
      tenant,
      actor: identity.consumer,
      action: "reportStatus",
      observed: true,
      steps: [update("syncState", id, columns, { quiet: true, where: unchanged }), ...told],
      params: parametersOf(context, identity, {
        ...heardParameters([id]),
        runtimeID: id,
        appliedBefore: sync.appliedRevision,
        desiredBefore: sync.desiredRevision,
        readyBefore: sync.ready,
      }),
    });
    if (!answer.ok && answer.failure.reason === "NOT_FOUND") throw notFound("Runtime", id);
    return answer.ok ? "noted" : "overtaken";
  };

  return {
    /** The newest plan of the calling runtime; undefined before the first. */
    async current(identity: Identity): Promise<ServedPlan | undefined> {
      const tenant = authorise(identity, "runtime:read");
      const { id } = identity.consumer;
      const answer = await context.registry.read({ tenant, plan: currentPlan, params: { me: id } });
      const { sync } = JSON.parse(answer.text) as CurrentPlan;
      if (sync === null) throw notFound("Runtime", id);
      if (sync.plan === null) return undefined;
      const { planRevision: revision, hash, cause, content } = sync.plan;
      const opened = context.sealer.openBytes(tenant, "plan", content);
      return { tag: planTag(revision, hash), body: planBody({ revision, hash, cause }, opened) };
    },

    /**
     * Takes a report. One for an older revision than the last is answered and changes nothing. The applications are told when
     * the runtime comes to be ready.
     */
    async report(identity: Identity, values: StatusReport): Promise<void> {
      const tenant = authorise(identity, "runtime:write");
      const { id } = identity.consumer;
      // A newer plan or another report may come in between: what the report changes is decided anew.
      let taken: Taken = "overtaken";
      for (let attempt = 1; attempt <= ATTEMPTS && taken === "overtaken"; attempt += 1)
        taken = await noted(tenant, identity, id, values);
      if (taken === "overtaken") throw concurrentUpdate("Runtime", id);
      if (taken === "noted") await noteHealth(context, identity, values.health);
    },
  };
}

/** See {@link createPlanService}. */
export type PlanService = ReturnType<typeof createPlanService>;
