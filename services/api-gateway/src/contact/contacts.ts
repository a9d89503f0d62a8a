/** Who was heard: told to Director in batches, each caller at most once in a while. */
import type { Identity } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import type { InternalClient } from "@sextant/service";

/** Takes note of contacts. */
export type Contacts = {
  heard(identity: Identity): void;
  close(): Promise<void>;
};

/** Milliseconds between two batches, and for which one note of a caller is enough. */
const EVERY = 500;
const ENOUGH = 30_000;
const MAX_WAITING = 50_000;
/** Milliseconds after which a batch is told again with the next: it must not hold up the end of the gateway. */
const TIMEOUT = 3_000;

/** Starts telling. A batch that cannot be told is told again with the next. */
export function createContacts(director: InternalClient, log: Logger, now: () => number): Contacts {
  const told = new Map<string, number>();
  let waiting = new Map<string, { tenant: string; type: string; id: string }>();
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
    const old = now() - ENOUGH;
    for (const [id, at] of told) {
      if (at > old) break;
      told.delete(id);
    }
  }, EVERY);

  return {
    heard({ tenant, consumer: { type, id } }) {
      const isPaired = type === "APPLICATION" || type === "RUNTIME";
      if (!isPaired || tenant === undefined || told.has(id) || waiting.size >= MAX_WAITING) return;
      told.set(id, now());
      waiting.set(id, { tenant, type, id });
    },
    async close() {
      clearInterval(timer);
      await sending;
      await flush();
    },
  };
}
