/** Which applications the plane asks for their health: those that name a URL for it. No I/O. */
import { all, equals } from "@sextant/graphql";
import { type Condition, create, type Step } from "@sextant/registry-client";
import { recovered } from "./health-check.ts";

const fresh = (url: string, now: string) => ({
  url,
  condition: null,
  failures: 0,
  attempts: 0,
  nextAttemptAt: now,
});

/** The steps that have a new application asked; none without a URL. */
export function startProbing(
  applicationID: string,
  url: string | null | undefined,
  now: string,
): readonly Step[] {
  return url === null || url === undefined
    ? []
    : [create("healthProbe", applicationID, fresh(url, now))];
}

/** Values of the parameters that {@link changeProbing} names, beside `applicationID`. */
export const probingParameters = (url: string | null | undefined) => ({
  failed: "FAILED",
  healthCheckURL: url ?? null,
});

/**
 * The steps that have the application in the parameter `applicationID` asked at another URL, at once; or at the same one, as it
 * was; or no more. What was FAILED by the URL that is given up is so no longer, unless its status is decided otherwise.
 */
export function changeProbing(
  applicationID: string,
  url: string | null | undefined,
  now: string,
  isStatusGiven: boolean,
): readonly Step[] {
  const it = equals("id", { param: "applicationID" });
  const isOther: Condition = {
    op: "not",
    condition: equals("url", { param: "healthCheckURL" }),
  };
  const hasURL = url !== null && url !== undefined;
  const failedBy = all(
    equals("id", { parent: "id" }),
    equals("condition", { param: "failed" }),
    ...(hasURL ? [isOther] : []),
  );
  const which = all(it, { op: "exists", kind: "healthProbe", where: failedBy });
  const status = isStatusGiven ? [] : recovered("application", now, { which, quiet: true });
  if (!hasURL) return [...status, { op: "deleteAll", kind: "healthProbe", where: it }];
  const free = { leaseToken: null, leaseUntil: null };
  return [
    ...status,
    {
      op: "updateAll",
      kind: "healthProbe",
      where: all(it, isOther),
      values: { ...fresh(url, now), ...free },
    },
    { ...create("healthProbe", applicationID, fresh(url, now)), ifAbsent: true } as Step,
  ];
}
