/** Open connections by the certificate that they have shown: those of one that is revoked are closed. */
import type { TLSSocket } from "node:tls";
import type { FeedEvent } from "@sextant/registry-client";
import type { FeedListener } from "../feed/feed.ts";

/** Knows the open connections. */
export type Connections = FeedListener & {
  /** Takes note of a connection that has shown the certificate with this hash. */
  add(hash: string, socket: TLSSocket): void;
};

/** Milliseconds for which an answer that is under way may still be written. */
const LAST_WORDS = 250;

/** Makes it. */
export function createConnections(): Connections {
  const open = new Map<string, Set<TLSSocket>>();
  return {
    add(hash, socket) {
      const those = open.get(hash) ?? new Set();
      if (those.has(socket)) return;
      open.set(hash, those.add(socket));
      socket.once("close", () => {
        those.delete(socket);
        if (those.size === 0 && open.get(hash) === those) open.delete(hash);
      });
    },
    event({ type, data }: FeedEvent) {
      if (type !== "certificate.revoked") return;
      for (const socket of open.get(String(data["hash"])) ?? []) {
        // A held poll is answered that its certificate was revoked, before the end.
        setTimeout(() => socket.destroy(), LAST_WORDS);
      }
    },
    // What was missed is found out by the next request: each is checked.
    startOver: () => undefined,
  };
}
