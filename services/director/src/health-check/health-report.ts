/** What a runtime's agent reports of health: of the runtime itself, and of the applications that it reaches or does not. */
import { all, equals } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import { readList, type Step, timestamp } from "@sextant/registry-client";
import { z } from "zod";
import { type Context, parametersOf } from "../act/act.ts";
import { applicationsOfRuntime } from "../group/group.read.ts";
import { text } from "../input/input.ts";
import { tellApplication, tellApplications } from "../webhook/notification.ts";
import { type Health, type HealthChange, isNews, statusAfter } from "./health-check.ts";
import { storeChange } from "./store-change.ts";

const MAX_ENTRIES = 1000;

/** The part of a report that is about health. Without an application it is the runtime's own. */
export const healthReport = z
  .array(
    z.object({
      applicationID: z.guid("must be a UUID").toLowerCase().nullish(),
      condition: z.enum(["SUCCEEDED", "FAILED"]),
      message: text(0, 2000).nullish(),
    }),
  )
  .max(MAX_ENTRIES, `must have at most ${MAX_ENTRIES} entries`)
  .refine(
    (entries) =>
      new Set(entries.map(({ applicationID }) => applicationID ?? null)).size === entries.length,
    { error: "must name each application, and the runtime itself, once" },
  );

/** See {@link healthReport}. */
export type HealthReport = z.output<typeof healthReport>;

const runtimeType = "RUNTIME_HEALTHCHECK";

/**
 * Takes note of what a runtime's agent found, where it is not as it was. Applications that share no group with the runtime (any
 * more) are passed over: it may not have heard of it yet.
 */
export async function noteHealth(
  context: Context,
  identity: Identity,
  entries: HealthReport,
): Promise<void> {
  if (entries.length === 0) return;
  const tenant = authorise(identity, "health_checks:write");
  const { id: runtimeID } = identity.consumer;
  const latest = await readList(
    context.registry,
    tenant,
    "healthCheck",
    all(
      equals("runtimeID", { param: "me" }),
      equals("latest", { param: "isLatest" }),
      equals("type", { param: "type" }),
    ),
    ["origin", "condition"],
    { me: runtimeID, isLatest: true, type: runtimeType },
    10_000,
  );
  const known = new Map(latest.map(({ origin, condition }) => [origin, condition as Health]));

  for (const { applicationID, condition, message } of entries) {
    const origin = applicationID ?? runtimeID;
    const before = known.get(origin);
    if (condition === before) continue;
    const change: HealthChange = {
      type: runtimeType,
      origin,
      reporter: runtimeID,
      condition,
      before,
      message: condition === "FAILED" ? (message ?? null) : null,
    };
    const now = context.now();
    const own = origin === runtimeID;
    const mustShareGroup: Step = {
      op: "check",
      kind: "application",
      where: all(equals("id", { param: "origin" }), applicationsOfRuntime({ param: "me" })),
      expect: "some",
    };
    const told = own
      ? tellApplications("health.changed", runtimeID, now)
      : tellApplication("health.changed", { applicationID: origin, runtimeID }, now);
    const answer = await storeChange(
      context,
      tenant,
      identity.consumer,
      change,
      {
        first: own ? [] : [mustShareGroup],
        last: [
          ...(own ? statusAfter("runtime", change, timestamp(now)) : []),
          ...(isNews(change) ? [told] : []),
        ],
      },
      parametersOf(context, identity, { applicationID: origin, runtimeID, failed: "FAILED" }),
    );
    // Refused: it is out of the group, the runtime is gone, or another report of it came at the same moment.
    const passedOver = ["PRECONDITION", "REFERENCE", "UNIQUE", "NOT_FOUND"];
    if (!answer.ok && !passedOver.includes(answer.failure.reason))
      throw new Error(`a change of health was refused: ${answer.failure.reason}`);
  }
}
