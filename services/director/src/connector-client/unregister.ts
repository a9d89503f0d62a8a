/** Removes who may hold certificates, so that none of them outlives it. */
import { invalidOperation } from "@sextant/errors";
import { actorOf, type Answer, all, equals } from "@sextant/graphql";
import type { Step } from "@sextant/registry-client";
import { type Act, act, type ActingCall, type Context } from "../act/act.ts";
import type { Trust, TrustSubject } from "./trust.ts";

/** Certificates are issued to it all the time: that this often one comes between is no accident. */
const MOST_ATTEMPTS = 10;

/** Refuses the commit while a certificate of the object is in force or being issued. After the removal: then no other can begin. */
const noneInForce: Step = {
  op: "check",
  kind: "certificate",
  where: all(
    equals("consumerType", { param: "holderType" }),
    equals("consumerID", { param: "holderID" }),
    { op: "isNull", field: "revokedAt" },
    { op: "not", condition: { op: "past", field: "notAfter" } },
  ),
  expect: "none",
};

/**
 * Carries out an act that removes an application or runtime. All trust in it ends first: a crash in between leaves an object without
 * certificates, never the other way round. One that was issued meanwhile refuses the act, and both are done again.
 */
export async function unregister(
  context: Context,
  call: ActingCall,
  trust: Trust,
  what: Omit<Act, "answer" | "explain"> & { readonly subject: TrustSubject },
): Promise<Answer> {
  const { subject, ...rest } = what;
  const steps = [...what.steps, noneInForce];
  const isHeld = invalidOperation("certificates are being issued to it: try again");
  for (let attempt = 1; ; attempt += 1) {
    await trust.revokeAll(what.tenant, subject, what.id, actorOf(call));
    try {
      return await act(context, call, {
        ...rest,
        steps,
        params: { ...what.params, holderType: subject, holderID: what.id },
        explain: ({ step }) => (step === steps.length - 1 ? isHeld : undefined),
        answer: "before",
      });
    } catch (error) {
      if (error !== isHeld || attempt === MOST_ATTEMPTS) throw error;
    }
  }
}
