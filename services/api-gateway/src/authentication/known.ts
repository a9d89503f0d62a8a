/** What the gateway remembers of credentials and tenants, as long as the feed says when it changes. */
import type {
  FeedEvent,
  FindTenant,
  Registry,
  SecretHolder,
  SecretKind,
  StoredRecord,
} from "@sextant/registry-client";
import type { Feed, FeedListener } from "../feed/feed.ts";
import type { Credential } from "./credential.ts";

/** Holders of secrets, and tenants. */
export type Known = FeedListener & {
  holder<K extends SecretKind>(
    credential: Credential & { readonly kind: K },
  ): Promise<SecretHolder<K> | undefined>;
  tenant(by: FindTenant): Promise<StoredRecord<"tenant"> | undefined>;
  /** Whether a holder is remembered: its credential was good not long ago. */
  remembers(hash: string): boolean;
  /** Whether a certificate or token was revoked since the gateway started. */
  isRevoked(hash: string): boolean;
};

const MAX_ENTRIES = 50_000;
/** How long an entry is used, in milliseconds. */
const LIFE = 60_000;

type Entry = { readonly value: unknown; readonly until: number };

/** Makes the memory. While the feed is not followed it is not used: every request asks the Registry. */
export function createKnown(
  registry: Pick<Registry, "findBySecret" | "findTenant">,
  feed: () => Pick<Feed, "isLive">,
  now: () => number,
): Known {
  const holders = new Map<string, Entry>();
  const tenants = new Map<string, Entry>();
  const revoked = new Set<string>();

  const remembered = async <Value>(
    map: Map<string, Entry>,
    key: string,
    find: () => Promise<Value | undefined>,
  ): Promise<Value | undefined> => {
    const entry = map.get(key);
    if (entry !== undefined && entry.until > now() && feed().isLive()) return entry.value as Value;
    const value = await find();
    map.delete(key);
    if (value !== undefined) {
      if (map.size >= MAX_ENTRIES) map.delete(map.keys().next().value as string);
      map.set(key, { value, until: now() + LIFE });
    }
    return value;
  };

  return {
    holder: (credential) =>
      // A one-time token is used once: remembering it would gain nothing.
      credential.kind === "oneTimeToken"
        ? registry.findBySecret(credential.kind, credential.hash)
        : remembered(holders, credential.hash, () =>
            registry.findBySecret(credential.kind, credential.hash),
          ),
    tenant: (by) =>
      remembered(tenants, "id" in by ? by.id : `external ${by.externalID}`, () =>
        registry.findTenant(by),
      ),
    remembers: (hash) => holders.has(hash),
    isRevoked: (hash) => revoked.has(hash),
    event(event: FeedEvent) {
      if (event.type === "certificate.revoked" || event.type === "api-token.revoked") {
        const hash = String(event.data["hash"]);
        revoked.add(hash);
        holders.delete(hash);
      }
      if (event.type === "tenant.changed") tenants.clear();
    },
    startOver() {
      holders.clear();
      tenants.clear();
    },
  };
}
