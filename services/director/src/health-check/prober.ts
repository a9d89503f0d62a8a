/** Asks applications for their health at their URLs, again and again. */
import { equals } from "@sextant/graphql";
import { type Claimed, type Outcome, timestamp, update } from "@sextant/registry-client";
import { type Context, parametersOf } from "../act/act.ts";
import type { Outbound } from "../outbound/outbound-client.ts";
import { tellApplication } from "../webhook/notification.ts";
import { type Health, type HealthChange, isNews, statusAfter } from "./health-check.ts";
import { storeChange } from "./store-change.ts";

/** Failures in a row that make FAILED. */
const FAILURES = 2;
/** The longest pause between two looks at something FAILED, as a multiple of the interval. */
const LONGEST_BACKOFF = 10;
const MAX_ANSWER = 16 * 1024;

/** How often is asked, and how long an answer may take, in seconds. */
export type ProbeTimes = { readonly interval: number; readonly timeout: number };

/** What is wrong; undefined: nothing. It says nothing of the network: whoever named the URL may not look around in it. */
async function problemOf(
  outbound: Pick<Outbound, "exchange">,
  url: string,
  timeout: number,
  ending: AbortSignal,
): Promise<string | undefined> {
  const inTime = AbortSignal.timeout(timeout * 1000);
  const signal = AbortSignal.any([ending, inTime]);
  try {
    const request = { method: "GET", url, headers: {}, signal, maxBytes: MAX_ANSWER } as const;
    const { status } = await outbound.exchange(request);
    return status >= 200 && status < 300 ? undefined : `the application answered ${status}`;
  } catch (error) {
    if (ending.aborted) throw error;
    return inTime.aborted
      ? `there was no answer within ${timeout} seconds`
      : "the application cannot be reached, or not understood";
  }
}

/** Seconds until the next look, with a tenth of jitter either way. `random` is in [0, 1). */
export function pauseUntilNext(interval: number, failures: number, random: () => number): number {
  const backoff = Math.min(2 ** Math.max(0, failures - FAILURES), LONGEST_BACKOFF);
  return interval * backoff * (0.9 + random() / 5);
}

/** Makes the handler of one claimed probe. */
export function createProber(
  context: Context,
  outbound: Pick<Outbound, "exchange">,
  { interval, timeout }: ProbeTimes,
  random: () => number,
) {
  return async (work: Claimed<"healthProbe">, ending: AbortSignal): Promise<Outcome> => {
    const { tenant, id } = work;
    const problem = await problemOf(outbound, work.url, timeout, ending);
    const failures = problem === undefined ? 0 : Number(work.failures) + 1;
    const before = (work.condition ?? undefined) as Health | undefined;
    const condition =
      problem === undefined ? "SUCCEEDED" : failures >= FAILURES ? "FAILED" : before;
    const pause = pauseUntilNext(interval, failures, random) * 1000;
    const outcome: Outcome = {
      done: false,
      values: { failures, attempts: 0 },
      nextAttemptAt: timestamp(context.now() + pause),
    };
    if (condition === undefined || condition === before) return outcome;

    const change: HealthChange = {
      type: "MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK",
      origin: id,
      reporter: null,
      condition,
      before,
      message: problem ?? null,
    };
    const now = context.now();
    const answer = await storeChange(
      context,
      tenant,
      { type: "SERVICE", id: "director" },
      change,
      {
        // Refused when the URL is another by now, or another Director has taken over.
        first: [
          update(
            "healthProbe",
            id,
            { condition, failures },
            {
              quiet: true,
              where: equals("leaseToken", { param: "leaseToken" }),
            },
          ),
        ],
        last: [
          ...statusAfter("application", change, timestamp(now)),
          ...(isNews(change)
            ? [tellApplication("health.changed", { applicationID: id }, now)]
            : []),
        ],
      },
      parametersOf(
        context,
        { tenant, consumer: { type: "SERVICE", id: "director" }, scopes: [] },
        { applicationID: id, leaseToken: work.leaseToken, failed: "FAILED" },
      ),
    );
    if (!answer.ok && !["NOT_FOUND", "PRECONDITION"].includes(answer.failure.reason))
      throw new Error(`a change of health was refused: ${answer.failure.reason}`);
    return outcome;
  };
}
