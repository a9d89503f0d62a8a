/** Holders of secrets and tenants, remembered: the Registry's feed tells when one is revoked or changed. */
import type {
  EventType,
  FeedEvent,
  FindTenant,
  Registry,
  SecretHolder,
  SecretKind,
  StoredRecord,
} from "@sextant/registry-client";
import type { Feed, FeedListener } from "../feed/feed.ts";

/** What is remembered is there at once. */
type Found<Value> = Promise<Value | undefined> | Value | undefined;

/** Holders of secrets, and tenants. */
export type Known = FeedListener & {
  holder<K extends SecretKind>(kind: K, hash: string): Found<SecretHolder<K>>;
  tenant(by: FindTenant): Found<StoredRecord<"tenant">>;
  /** Whether a holder is remembered: its credential was good not long ago. */
  remembers(kind: SecretKind, hash: string): boolean;
  /** Whether a certificate or token was revoked since the gateway started. */
  isRevoked(hash: string): boolean;
};

const MAX_ENTRIES = 50_000;
/** How long an entry is used, in milliseconds. Of a tenant everything that changes is told by the feed. */
const HOLDER_LIFE = 60_000;
const TENANT_LIFE = 600_000;

/** Events that make something of it out of date. */
const changing: ReadonlySet<EventType> = new Set<EventType>([
  "certificate.revoked",
  "api-token.revoked",
  "client.changed",
  "application.unregistered",
  "runtime.unregistered",
  "tenant.changed",
]);

type Entry = { readonly value: unknown; readonly until: number };

/** Makes the memory. While the feed is not followed it is not used: every request asks the Registry. */
export function createKnown(
  registry: Pick<Registry, "findBySecret" | "findTenant">,
  feed: () => Pick<Feed, "isLive">,
  now: () => number,
): Known {
  const holders: Readonly<Record<SecretKind, Map<string, Entry>>> = {
    apiToken: new Map(),
    certificate: new Map(),
    oneTimeToken: new Map(),
    systemAuth: new Map(),
  };
  const tenants = new Map<string, Entry>();
  const revoked = new Set<string>();
  /** Hashes of client credentials by the ids of the credentials and of their holders. */
  const clients = new Map<string, Set<string>>();
  /** Grows with each of these events: what was asked before it may be out of date when the answer comes. */
  let changes = 0;

  const remembered = <Value>(
    map: Map<string, Entry>,
    life: number,
    key: string,
    find: () => Promise<Value | undefined>,
    isKept: (value: Value | undefined) => boolean,
  ): Found<Value> => {
    const entry = map.get(key);
    return entry !== undefined && entry.until > now() && feed().isLive()
      ? (entry.value as Value)
      : foundAnew(map, life, key, find, isKept);
  };

  const foundAnew = async <Value>(
    map: Map<string, Entry>,
    life: number,
    key: string,
    find: () => Promise<Value | undefined>,
    isKept: (value: Value | undefined) => boolean,
  ): Promise<Value | undefined> => {
    const before = changes;
    const value = await find();
    map.delete(key);
    if (isKept(value) && changes === before) {
      if (map.size >= MAX_ENTRIES) map.delete(map.keys().next().value as string);
      map.set(key, { value, until: now() + life });
    }
    return value;
  };

  const findClient = async (hash: string): Promise<SecretHolder<"systemAuth"> | undefined> => {
    const holder = await registry.findBySecret("systemAuth", hash);
    if (holder === undefined) return undefined;
    // Whoever is not in here is not in there either: it could not be forgotten in time.
    if (clients.size >= 2 * MAX_ENTRIES) {
      clients.clear();
      holders.systemAuth.clear();
    }
    const { id, applicationID, runtimeID, integrationSystemID } = holder;
    for (const name of [id, applicationID ?? runtimeID ?? integrationSystemID ?? id])
      clients.set(name, (clients.get(name) ?? new Set()).add(hash));
    return holder;
  };

  const forgetClients = (id: string): void => {
    for (const hash of clients.get(id) ?? []) holders.systemAuth.delete(hash);
    clients.delete(id);
  };

  return {
    holder<K extends SecretKind>(kind: K, hash: string) {
      // A one-time token is used once: remembering it would gain nothing.
      if (kind === "oneTimeToken") return registry.findBySecret(kind, hash);
      const find = (): Promise<SecretHolder<K> | undefined> =>
        kind === "systemAuth"
          ? (findClient(hash) as Promise<SecretHolder<K> | undefined>)
          : registry.findBySecret(kind, hash);
      return remembered(holders[kind], HOLDER_LIFE, hash, find, (value) => value !== undefined);
    },
    // That there is no such tenant is remembered too: tokens of users may name many that are not made yet.
    tenant: (by) =>
      remembered(
        tenants,
        TENANT_LIFE,
        "id" in by ? by.id : `external ${by.externalID}`,
        () => registry.findTenant(by),
        () => true,
      ),
    remembers: (kind, hash) => holders[kind].has(hash),
    isRevoked: (hash) => revoked.has(hash),
    event(event: FeedEvent) {
      if (!changing.has(event.type)) return;
      changes += 1;
      switch (event.type) {
        case "certificate.revoked":
        case "api-token.revoked": {
          const hash = String(event.data["hash"]);
          revoked.add(hash);
          holders.certificate.delete(hash);
          holders.apiToken.delete(hash);
          break;
        }
        case "client.changed":
        case "application.unregistered":
        case "runtime.unregistered":
          forgetClients(event.id);
          break;
        default:
          tenants.clear();
      }
    },
    startOver() {
      changes += 1;
      for (const ofKind of Object.values(holders)) ofKind.clear();
      clients.clear();
      tenants.clear();
    },
  };
}
