import type { Caller } from "@sextant/identity";
import type { Actor, Params, ReadPlan } from "@sextant/registry-client";
import type { Repeat } from "./repeat.ts";

/** A read that gives the answer of a mutation: what the operation selects of the object with this id. */
export type Returning = (id: string) => { readonly plan: ReadPlan; readonly params: Params };

/** A call of one field that a service carries out. */
export type GraphCall = {
  readonly caller: Caller;
  readonly requestID: string;
  /** Network address of the client, as the gateway saw it. */
  readonly clientAddress?: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly signal: AbortSignal;
  /** Names a mutation that was sent with an idempotency key, where answers are kept: its commit keeps the answer under it. */
  readonly repeat?: Repeat | undefined;
  /** Only for fields whose type is stored as a kind. */
  readonly returning: Returning;
};

/** Who acts by a call, and from where: the actor of its commit. */
export function actorOf({
  caller,
  requestID,
  clientAddress,
}: Pick<GraphCall, "caller" | "requestID" | "clientAddress">): Actor {
  const { type, id, name } = caller.identity.consumer;
  return { type, id, name, address: clientAddress, requestID };
}

/**
 * The answer of a read made by {@link Returning}, unparsed. `reveal` shows the secrets that are shown once.
 */
export class Answer {
  readonly text: string;
  readonly reveal: boolean;

  constructor(text: string, reveal = false) {
    this.text = text;
    this.reveal = reveal;
  }
}

/** Carries out one field: gives an {@link Answer}, or a plain value in the schema's shape. */
export type Resolver = (args: never, call: GraphCall) => Promise<unknown>;

/** Fields that are carried out by a service. Queries that are not here are declared. */
export type Resolvers = {
  readonly Query?: Readonly<Record<string, Resolver>>;
  readonly Mutation?: Readonly<Record<string, Resolver>>;
};
