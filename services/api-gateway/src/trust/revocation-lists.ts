/** The Connector's revocation lists, kept until something is revoked or half of their time is over. */
import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { invalidData, isSextantError } from "@sextant/errors";
import type { Logger } from "@sextant/logging";
import type { Call, InternalClient, Reply, Route } from "@sextant/service";
import type { FeedListener } from "../feed/feed.ts";

type List = {
  readonly der: Buffer;
  readonly etag: string;
  readonly lastModified: string;
  /** In milliseconds since 1970. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** When a new one is due. */
  readonly dueAt: number;
  /** How many revocations were known when it was asked for. */
  readonly epoch: number;
};

/** Milliseconds from one request for a list to the next, however much is revoked. */
const SPACING = 500;
/** Milliseconds by which the Connector's clock may be ahead. A list from later than that was made before a clock was put back. */
const AHEAD = 60_000;
/** Lists of other issuers than the Connector knows are not kept: so many there can be. */
const MOST_LISTS = 16;
const keyForm = /^[0-9a-f]{40}$/;

/** Follows the feed, and serves `GET /v1/ca/crl`. */
export function createRevocationLists(
  connector: Pick<InternalClient, "send" | "errorOf">,
  isLive: () => boolean,
  now: () => number,
  log: Logger,
): FeedListener & { readonly route: Route } {
  const lists = new Map<string, List>();
  const asking = new Map<string, Promise<List>>();
  let epoch = 0;
  let lastAsked = Number.NEGATIVE_INFINITY;

  const ask = async (issuer: string): Promise<List> => {
    // No longer, also when the clock was put back meanwhile.
    const wait = Math.min(SPACING, lastAsked + SPACING - now());
    if (wait > 0) await pause(wait);
    lastAsked = now();
    const known = epoch;
    const path = `/v1/revocation-list${issuer === "" ? "" : `?issuer=${issuer}`}`;
    const reply = await connector.send({ method: "GET", path });
    if (reply.status !== 200) throw connector.errorOf(reply, path);
    const { body, headers } = reply;
    const lastModified = String(headers["last-modified"]);
    const thisUpdate = Date.parse(lastModified);
    const nextUpdate = Date.parse(String(headers["expires"]));
    const list = {
      der: body,
      etag: `"${createHash("sha256").update(body).digest("hex").slice(0, 32)}"`,
      lastModified,
      thisUpdate,
      nextUpdate,
      dueAt: (thisUpdate + nextUpdate) / 2,
      epoch: known,
    };
    if (lists.size >= MOST_LISTS) lists.clear();
    lists.set(issuer, list);
    return list;
  };

  const asked = (issuer: string): Promise<List> => {
    let list = asking.get(issuer);
    if (list === undefined) {
      list = ask(issuer).finally(() => asking.delete(issuer));
      asking.set(issuer, list);
    }
    return list;
  };

  const current = async (issuer: string): Promise<List> => {
    const isInTime = ({ thisUpdate, dueAt }: List): boolean =>
      thisUpdate <= now() + AHEAD && dueAt > now();
    const isFresh = (one: List): boolean => one.epoch === epoch && isInTime(one) && isLive();
    const kept = lists.get(issuer);
    if (kept !== undefined && isFresh(kept)) return kept;
    try {
      const list = await asked(issuer);
      // It may have been on its way when something more was revoked.
      return list.epoch === epoch ? list : await asked(issuer);
    } catch (error) {
      if (isSextantError(error) || kept === undefined || kept.nextUpdate <= now()) throw error;
      log.warn({ err: error }, "no new revocation list: the last one is served");
      return kept;
    }
  };

  const answer = async (call: Call): Promise<Reply> => {
    const issuer = call.query.get("issuer") ?? "";
    if (issuer !== "" && !keyForm.test(issuer)) {
      const message = "must be the key identifier of an authority: 40 hexadecimal digits";
      throw invalidData("Query", [{ field: "issuer", message }]);
    }
    const { der, etag, lastModified } = await current(issuer);
    const headers = { etag, "last-modified": lastModified, "cache-control": "public, max-age=60" };
    const known = call.headers["if-none-match"];
    if (known !== undefined && known.split(",").some((one) => one.trim() === etag))
      return { status: 304, headers };
    return {
      status: 200,
      headers: { ...headers, "content-type": "application/pkix-crl" },
      body: der,
    };
  };

  return {
    event(event) {
      if (event.type === "certificate.revoked") epoch += 1;
    },
    startOver() {
      epoch += 1;
    },
    route: { path: "/v1/ca/crl", methods: { GET: answer } },
  };
}
