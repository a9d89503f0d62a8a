/** Fetch requests: where the text of a specification or document comes from. Checked inputs and the steps that store them. */
import { create, type Step, timestamp } from "@sextant/registry-client";
import { z } from "zod";
import type { Context } from "../act/act.ts";
import { authInput, sealAuth } from "../auth/auth.ts";
import { absoluteURL, text } from "../input/input.ts";
import { targetFault } from "../outbound/target.ts";

/** FetchRequestInput. */
export const fetchRequestInput = (allowPrivateTargets: boolean) => {
  const target = (url: string | undefined, path: string[], context: z.RefinementCtx): void => {
    const message = url === undefined || allowPrivateTargets ? undefined : targetFault(url);
    if (message !== undefined) context.addIssue({ code: "custom", path, message });
  };
  return z
    .object({
      url: absoluteURL,
      auth: authInput.nullish(),
      mode: z.enum(["SINGLE", "BUNDLE", "INDEX"]).nullish(),
      filter: text(0, 256).nullish(),
    })
    .superRefine(({ url, auth }, context) => {
      const csrf = auth?.requestAuth?.csrf;
      target(url, ["url"], context);
      target(auth?.credential?.oauth?.url, ["auth", "credential", "oauth", "url"], context);
      const path = ["auth", "requestAuth", "csrf"];
      target(csrf?.tokenEndpointURL, [...path, "tokenEndpointURL"], context);
      target(csrf?.credential?.oauth?.url, [...path, "credential", "oauth", "url"], context);
    });
};

/** A checked fetch request. */
export type FetchRequestValues = z.output<ReturnType<typeof fetchRequestInput>>;

/** Who has a fetch request: at most one each. */
export type FetchOwner = "apiDefinitionID" | "eventDefinitionID" | "documentID";

/** The step that stores a fetch request, due at once. */
export function createFetchRequest(
  context: Pick<Context, "newID" | "now" | "sealer">,
  tenant: string,
  owner: { readonly applicationID: string } & Partial<Record<FetchOwner, string>>,
  input: FetchRequestValues,
): Step {
  const now = timestamp(context.now());
  return create("fetchRequest", context.newID(), {
    ...owner,
    url: input.url,
    auth: sealAuth(context.sealer, tenant, input.auth),
    mode: input.mode ?? "SINGLE",
    filter: input.filter ?? null,
    ...waiting(now),
  });
}

/** The columns of a fetch request that is to be carried out now. */
export function waiting(now: string) {
  return {
    statusCondition: "INITIAL",
    statusTimestamp: now,
    statusMessage: null,
    attempts: 0,
    nextAttemptAt: now,
    leaseToken: null,
    leaseUntil: null,
  };
}
