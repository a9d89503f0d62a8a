/** Acts of Director: one commit each, with the parameters that its conditions name. */
import type { GraphCall } from "@sextant/graphql";
import type { Identity } from "@sextant/identity";
import {
  carryOut,
  type Params,
  type Refusals,
  type Registry,
  type Step,
} from "@sextant/registry-client";
import type { GroupNames } from "../label/label.ts";
import type { Sealer } from "../secret/sealer.ts";

/** What every use case of Director works with. */
export type Context = {
  readonly registry: Registry;
  readonly newID: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly groups: GroupNames;
  readonly sealer: Sealer;
  /** Whether webhooks may go to private addresses: on a local plane only. */
  readonly allowPrivateTargets: boolean;
};

/** The part of a call that a use case needs. */
export type ActingCall = Pick<GraphCall, "caller" | "returning">;

/** One act. */
export type Act = Refusals & {
  readonly tenant: string;
  readonly action: string;
  readonly steps: readonly Step[];
  readonly params?: Params;
  /** What the answer reads: the object before the act (of what is removed) or after it. */
  readonly answer?: "before" | "after";
};

/** Carries out an act for a caller; gives the text that the operation selects of the object `id`. */
export async function act(context: Context, call: ActingCall, what: Act): Promise<string> {
  const answer = what.answer === undefined ? {} : { [what.answer]: call.returning(what.id) };
  const result = await carryOut(
    context.registry,
    {
      id: context.newID(),
      tenant: what.tenant,
      actor: call.caller.identity.consumer,
      action: what.action,
      steps: what.steps,
      params: parametersOf(context, call.caller.identity, what.params),
      ...answer,
    },
    what,
  );
  return (what.answer === "before" ? result.before : result.after) ?? "";
}

/** The parameters that Director's conditions name: the caller, the group label, and the act's own. */
export function parametersOf(context: Context, identity: Identity, params: Params = {}): Params {
  return {
    me: identity.consumer.id,
    groupLabel: context.groups.label,
    configurationChanged: "CONFIGURATION_CHANGED",
    succeeded: "SUCCEEDED",
    ...params,
  };
}

/** `expectedRevision` as a step takes it. */
export function expecting(revision: number | null | undefined): { expectedRevision?: number } {
  return revision === null || revision === undefined ? {} : { expectedRevision: revision };
}
