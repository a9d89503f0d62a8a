/** Repeated mutations: the header Idempotency-Key makes a second one answer what the first one did, and do nothing. */
import { createHash } from "node:crypto";
import { invalidData, internal, invalidOperation } from "@sextant/errors";
import type { Identity } from "@sextant/identity";
import { readOne, type Registry, uuidOf } from "@sextant/registry-client";

/** One mutation under a key: `id` is made of the caller, the key and the place in the answer, `request` of what is asked. */
export type Repeat = { readonly id: string; readonly request: string };

/** What the first one was answered: a text that was read, or a value in the schema's shape. */
export type Repeated = { readonly request: string } & (
  | { readonly answer: string; readonly reveal: boolean }
  | { readonly value: unknown }
);

/** Where the answers are kept. */
export type Repeats = {
  find(identity: Identity, repeat: Repeat): Promise<Repeated | undefined>;
};

/**
 * Finds the answers in the Registry, which keeps them for a day. Values are kept sealed: `open` gives their JSON back. Texts that were
 * read hold their secrets sealed.
 */
export function createRepeats(
  registry: Registry,
  open: (tenant: string, sealed: string) => string = () => {
    throw new Error("a service that keeps no values has one");
  },
): Repeats {
  return {
    async find({ tenant }, { id }): Promise<Repeated | undefined> {
      if (tenant === undefined) return undefined;
      const fields = ["request", "answer", "value", "reveal"] as const;
      const isIt = { op: "equals", field: "id", value: { param: "id" } } as const;
      const kept = await readOne(registry, tenant, "idempotencyKey", isIt, fields, { id });
      if (kept === undefined) return undefined;
      const { request, answer, value, reveal } = kept;
      if (answer !== null) return { request, answer, reveal };
      return {
        request,
        value: value === null ? null : (JSON.parse(open(tenant, value)) as unknown),
      };
    },
  };
}

/** Thrown by a use case whose commit turns out to be carried out already, under the same key. */
export class RepeatedError extends Error {
  constructor() {
    super("the request was carried out before");
    this.name = "RepeatedError";
  }
}

/** Printable ASCII, as a header may hold it. */
const keyForm = /^[\x20-\x7e]{1,256}$/;

const digestOf = (parts: unknown): Buffer =>
  createHash("sha256").update(JSON.stringify(parts)).digest();

/** Names a mutation under a key. `place` is its key in the answer. Throws INVALID_DATA for a key that cannot be one. */
export function repeatOf(
  identity: Identity,
  key: string,
  asked: { readonly query: string; readonly operationName?: unknown; readonly variables?: unknown },
  place: string,
): Repeat {
  if (!keyForm.test(key)) {
    const message = "must have 1 to 256 printable ASCII characters";
    throw invalidData("Headers", [{ field: "Idempotency-Key", message }]);
  }
  const { type, id } = identity.consumer;
  return {
    id: uuidOf(digestOf([type, id, key, place])),
    request: digestOf([asked.query, asked.operationName ?? null, asked.variables ?? null]).toString(
      "hex",
    ),
  };
}

/** What is known of a repeat; throws INVALID_OPERATION when its key belongs to another request. */
export async function findRepeated(
  repeats: Repeats,
  identity: Identity,
  repeat: Repeat,
): Promise<Repeated | undefined> {
  const found = await repeats.find(identity, repeat);
  if (found !== undefined && found.request !== repeat.request) {
    throw invalidOperation(
      "the Idempotency-Key was used for another request within the last 24 hours: choose a new one",
    );
  }
  return found;
}

/** What is known of a repeat whose commit says that it was carried out. */
export async function requireRepeated(
  repeats: Repeats,
  identity: Identity,
  repeat: Repeat,
): Promise<Repeated> {
  const found = await findRepeated(repeats, identity, repeat);
  if (found === undefined) throw internal(crypto.randomUUID(), new Error("a kept answer is gone"));
  return found;
}
