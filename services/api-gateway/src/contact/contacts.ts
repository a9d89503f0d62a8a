/** Who was heard: told to Director in batches, each caller at most once in a while. */
import type { Identity } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import type { InternalClient } from "@sextant/service";

type Contact = {
  readonly tenant: string;
  readonly type: string;
  readonly id: string;
  readonly trustBundle?: string;
};

/** Takes note of contacts. */
export type Contacts = {
  /** `trustBundle`: hash of the trust bundle that a runtime's agent says it knows. */
  heard(identity: Identity, trustBundle?: string): void;
  close(): Promise<void>;
};

/** What Director notes of a caller: that an application or runtime was there, or that an API token was used. */
function contactOf({ tenant, tenants, consumer, credential }: Identity): Contact | undefined {
  const { type, id } = consumer;
  if (tenant !== undefined && (type === "APPLICATION" || type === "RUNTIME"))
    return { tenant, type, id };
  // The token belongs to the first of its tenants, whichever it acts in.
  const [home] = tenants ?? [];
  return credential?.kind === "apiToken" && home !== undefined
    ? { tenant: home, type: "API_TOKEN", id: credential.id }
    : undefined;
}

/** Milliseconds between two batches, and for which one note of a caller is enough. */
const EVERY = 500;
const ENOUGH = 30_000;
const MAX_WAITING = 50_000;
/** Milliseconds after which a batch is told again with the next: it must not hold up the end of the gateway. */
const TIMEOUT = 3_000;

/** Starts telling. A batch that cannot be told is told again with the next. */
export function createContacts(director: InternalClient, log: Logger, now: () => number): Contacts {
  const told = new Map<string, { readonly at: number; readonly trustBundle: string | undefined }>();
  let waiting = new Map<string, Contact>();
  let sending: Promise<void> = Promise.resolve();

  const flush = async (): Promise<void> => {
    if (waiting.size === 0) return;
    const batch = waiting;
    waiting = new Map();
    try {
      await director.text({
        method: "POST",
        path: "/v1/contacts",
        body: JSON.stringify([...batch.values()]),
        signal: AbortSignal.timeout(TIMEOUT),
      });
    } catch (error) {
      log.warn({ contacts: batch.size, err: error }, "contacts could not be told");
      waiting = new Map([...batch, ...waiting]);
    }
  };

  const timer = setInterval(() => {
    sending = sending.then(flush);
    const time = now();
    for (const [id, { at }] of told) {
      // What is noted for later than now was noted before the clock was put back.
      if (at > time - ENOUGH && at <= time) break;
      told.delete(id);
    }
  }, EVERY);

  return {
    heard(identity, trustBundle) {
      const contact = contactOf(identity);
      if (contact === undefined || waiting.size >= MAX_WAITING) return;
      const last = told.get(contact.id);
      if (last !== undefined && (trustBundle === undefined || trustBundle === last.trustBundle))
        return;
      told.set(contact.id, { at: last?.at ?? now(), trustBundle });
      waiting.set(contact.id, {
        ...contact,
        ...(trustBundle === undefined ? {} : { trustBundle }),
      });
    },
    async close() {
      clearInterval(timer);
      await sending;
      await flush();
    },
  };
}
