/** Cross-origin requests of browsers (the Fetch standard's CORS protocol), for the origins that the operator names. */
import type { Call, Reply } from "@sextant/service";

const ALLOWED_HEADERS =
  "authorization, content-type, connector-token, tenant, idempotency-key, x-request-id";
const EXPOSED_HEADERS = "x-request-id, retry-after, etag";
/** Seconds for which a browser need not ask again. */
const MAX_AGE = "600";

/** Whether it is an origin as browsers send it. */
export function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

/** Makes it. `origins`: those that may, or `*` for every one. No credentials are allowed: there are no cookies here. */
export function createCors(origins: readonly string[]) {
  const isEvery = origins.includes("*");
  const headersFor = (call: Pick<Call, "headers">): Record<string, string> => {
    const { origin } = call.headers;
    if (origin === undefined || !(isEvery || origins.includes(origin))) return {};
    return { "access-control-allow-origin": isEvery ? "*" : origin };
  };
  return {
    /** The answer to a browser that asks whether it may; undefined: the request is none of that. */
    preflight(call: Pick<Call, "method" | "headers">): Reply | undefined {
      if (call.method !== "OPTIONS" || call.headers["access-control-request-method"] === undefined)
        return undefined;
      const allowed = headersFor(call);
      if (allowed["access-control-allow-origin"] === undefined) return undefined;
      return {
        status: 204,
        headers: {
          ...allowed,
          "access-control-allow-methods": "GET, POST",
          "access-control-allow-headers": ALLOWED_HEADERS,
          "access-control-max-age": MAX_AGE,
          vary: "origin",
        },
      };
    },
    /** The reply as a browser of an allowed origin may read it. */
    open(call: Pick<Call, "headers">, reply: Reply): Reply {
      if (origins.length === 0) return reply;
      const vary = [reply.headers?.["vary"], "origin"].filter(Boolean).join(", ");
      const allowed = headersFor(call);
      const exposed: Record<string, string> =
        allowed["access-control-allow-origin"] === undefined
          ? {}
          : { "access-control-expose-headers": EXPOSED_HEADERS };
      return { ...reply, headers: { ...reply.headers, ...allowed, ...exposed, vary } };
    },
  };
}

/** See {@link createCors}. */
export type Cors = ReturnType<typeof createCors>;
