/** Keeps the identity, and a certificate request that is on its way, in the agent's directory. */
import { join } from "node:path";
import { z } from "zod";
import { readIfPresent, removeDurably, writeDurably } from "../storage/durable-file.ts";
import { openIdentity, storedIdentity, type Identity, type StoredIdentity } from "./identity.ts";

/** A request that was begun: stored before it is sent, so that a repeat is the same request with the same key. */
const pendingRequest = z.object({
  version: z.literal(1),
  /** Hash of the one-time token, or `renewal`. */
  cause: z.string(),
  privateKey: z.string(),
  /** The second half, once the plane has answered the first. */
  signing: z
    .object({
      token: z.string().optional(),
      csr: z.string(),
      connectorUrl: z.string(),
      ca: z.string(),
    })
    .optional(),
});

/** See {@link pendingRequest}. */
export type PendingRequest = z.output<typeof pendingRequest>;

/** The files. A file that cannot be read is as good as none: the agent pairs or begins again. */
export type IdentityStore = {
  load(): Promise<Identity | undefined>;
  save(identity: StoredIdentity): Promise<Identity>;
  loadPending(cause: string): Promise<PendingRequest | undefined>;
  savePending(pending: PendingRequest): Promise<void>;
  clearPending(): Promise<void>;
};

/** Opens the store in `directory`. */
export function createIdentityStore(directory: string, random: () => number): IdentityStore {
  const identityFile = join(directory, "identity.json");
  const pendingFile = join(directory, "pending-request.json");
  return {
    async load() {
      const stored = await readAs(identityFile, storedIdentity);
      try {
        return stored === undefined ? undefined : openIdentity(stored, random);
      } catch {
        return undefined;
      }
    },
    async save(identity) {
      const opened = openIdentity(identity, random);
      await writeDurably(identityFile, JSON.stringify(identity, undefined, 2));
      return opened;
    },
    async loadPending(cause) {
      const pending = await readAs(pendingFile, pendingRequest);
      return pending?.cause === cause ? pending : undefined;
    },
    savePending: (pending) => writeDurably(pendingFile, JSON.stringify(pending, undefined, 2)),
    clearPending: () => removeDurably(pendingFile),
  };
}

async function readAs<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const content = await readIfPresent(path);
  if (content === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(content.toString()));
  } catch {
    return undefined;
  }
}
