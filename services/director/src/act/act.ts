/** Acts of Director: one commit each, with the parameters that its conditions name. */
import { actorOf, Answer, type GraphCall, RepeatedError } from "@sextant/graphql";
import type { Identity, Roles } from "@sextant/identity";
import {
  carryOut,
  type CommitFailure,
  create,
  type Params,
  type Refusals,
  type Registry,
  type Step,
} from "@sextant/registry-client";
import type { Schemas } from "../input/schemas.ts";
import type { GroupNames } from "../label/label.ts";
import { tooManyDefinitions } from "../label-definition/label-definition.ts";
import type { Sealer } from "../secret/sealer.ts";
import type { Specifications } from "../specification/checker.ts";

/** What every use case of Director works with. */
export type Context = {
  readonly registry: Registry;
  readonly newID: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly groups: GroupNames;
  readonly sealer: Sealer;
  /** JSON Schemas that come from outside. */
  readonly schemas: Schemas;
  readonly specifications: Specifications;
  /** Scopes by the names of roles. */
  readonly roles: Roles;
  /** Seconds that an API token may last at most; undefined: as long as who makes it says. */
  readonly longestToken: number | undefined;
  /** Whether webhooks may go to private addresses: on a local plane only. */
  readonly allowPrivateTargets: boolean;
};

/** The part of a call that a use case needs. */
export type ActingCall = Pick<
  GraphCall,
  "caller" | "requestID" | "clientAddress" | "returning" | "repeat"
>;

/** One act. */
export type Act = Refusals & {
  readonly tenant: string;
  readonly action: string;
  readonly steps: readonly Step[];
  readonly params?: Params;
  /** What the answer reads: the object before the act (of what is removed) or after it. */
  readonly answer: "before" | "after";
  /** Whether the answer shows the secrets that are shown once. */
  readonly reveal?: boolean;
};

/** An act whose answer is a value in the schema's shape, known before it is carried out. */
export type ValueAct<Value> = Omit<Act, "answer" | "reveal"> & { readonly value: Value };

async function commit(
  context: Context,
  call: ActingCall,
  what: Omit<Act, "answer"> & { readonly answer?: Act["answer"] },
  kept: { readonly reveal: boolean; readonly value?: string },
): Promise<string> {
  const { repeat } = call;
  const first =
    repeat === undefined
      ? []
      : [create("idempotencyKey", repeat.id, { request: repeat.request, ...kept })];
  const answer = what.answer === undefined ? {} : { [what.answer]: call.returning(what.id) };
  const explain = (failure: CommitFailure) => {
    // Another request with the same key was quicker, and has done all that this one wants.
    if (failure.constraint === "idempotency_key_pkey") throw new RepeatedError();
    const step = failure.step - first.length;
    if (failure.reason === "LIMIT" && what.steps[step]?.op === "label") return tooManyDefinitions();
    return what.explain?.({ ...failure, step });
  };
  const result = await carryOut(
    context.registry,
    {
      id: context.newID(),
      tenant: what.tenant,
      actor: actorOf(call),
      action: what.action,
      steps: [...first, ...what.steps],
      params: parametersOf(context, call.caller.identity, what.params),
      ...(repeat === undefined || what.answer === undefined ? {} : { keepAnswer: repeat.id }),
      ...answer,
    },
    { ...what, explain },
  );
  return (what.answer === "before" ? result.before : result.after) ?? "";
}

/** Carries out an act for a caller; answers what the operation selects of the object `id`. */
export async function act(context: Context, call: ActingCall, what: Act): Promise<Answer> {
  const reveal = what.reveal ?? false;
  return new Answer(await commit(context, call, what, { reveal }), reveal);
}

/** Carries out an act for a caller; answers the value. */
export async function actFor<Value>(
  context: Context,
  call: ActingCall,
  { value, ...what }: ValueAct<Value>,
): Promise<Value> {
  const sealed = context.sealer.seal(what.tenant, "answer", JSON.stringify(value));
  await commit(context, call, what, { reveal: false, value: sealed });
  return value;
}

/** Keeps what a request with an idempotency key is answered, where another service has acted. */
export async function keepValue(
  context: Context,
  call: ActingCall,
  tenant: string,
  value: unknown,
): Promise<void> {
  const { repeat } = call;
  if (repeat === undefined) return;
  const sealed = context.sealer.seal(tenant, "answer", JSON.stringify(value));
  const kept = { request: repeat.request, reveal: false, value: sealed };
  const answer = await context.registry.commit({
    id: context.newID(),
    tenant,
    actor: actorOf(call),
    action: "keepAnswer",
    observed: true,
    steps: [create("idempotencyKey", repeat.id, kept)],
    params: {},
  });
  if (!answer.ok || answer.repeated) throw new RepeatedError();
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
