/** Calls and their replies, by a table of routes: the same for what comes by HTTP and over a link. */
import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { httpStatus, internal, isSextantError, SextantError, toJSON } from "@sextant/errors";
import type { Logger } from "@sextant/logging";
import { logAway, ServiceAwayError } from "./service-away.ts";

/** A request as a handler sees it. */
export type Call = {
  readonly method: string;
  /** The path alone. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly requestID: string;
  /** Aborted when the client goes away before the answer. */
  readonly signal: AbortSignal;
  /** The request itself, of a call that came by HTTP. */
  readonly request?: IncomingMessage;
  /** The whole body, the same each time; throws INVALID_DATA when it is larger than the route allows. */
  body(): Promise<Buffer>;
};

/** What a handler answers. `body` absent: none. */
export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
};

/** Answers one request. What it throws becomes an error reply. */
export type Handler = (call: Call) => Promise<Reply> | Reply;

/** One path with its handlers by method, and the largest body it takes in bytes. */
export type Route = {
  readonly path: string;
  readonly methods: Readonly<
    Partial<Record<"GET" | "POST" | "PUT" | "DELETE" | "OPTIONS", Handler>>
  >;
  readonly maxBody?: number;
};

/** Seconds after which it is worth asking a service again that was away. */
const RETRY_AFTER = 1;
const ONE_MEBIBYTE = 1024 * 1024;
const jsonType = "application/json; charset=utf-8";

/** A JSON reply. */
export function json(value: unknown, status = 200): Reply {
  return { status, headers: { "content-type": jsonType }, body: JSON.stringify(value) };
}

/**
 * The error that a caller may see for whatever was thrown: an unexpected fault is logged under an id, and only that is shown. That
 * a service is away is said, with the time after which to try again.
 */
export function publicError(thrown: unknown, log: Logger): SextantError {
  if (isSextantError(thrown) && thrown.code !== "INTERNAL") return thrown;
  if (thrown instanceof ServiceAwayError) {
    logAway(thrown, log);
    const message = `${thrown.service} is away: try again`;
    return new SextantError("INTERNAL", message, { retryAfter: RETRY_AFTER });
  }
  const errorId = (isSextantError(thrown) ? thrown.errorId : undefined) ?? randomUUID();
  log.error({ errorId, err: thrown }, "unexpected fault");
  return internal(errorId, thrown);
}

/** The id that a request is known by: the one it was sent with, when it is printable, else a new one. */
export function requestIDOf(headers: IncomingHttpHeaders): string {
  const sent = headers["x-request-id"];
  return typeof sent === "string" && /^[\x21-\x7e]{1,128}$/.test(sent) ? sent : randomUUID();
}

/** Answers calls by a table of routes, however they came. */
export type Dispatcher = {
  /** Never fails: what a handler throws becomes an error reply. */
  answer(call: Call): Promise<Reply>;
  /** The largest body that a path takes, in bytes. */
  readonly largestBody: (path: string) => number;
};

/** Makes the dispatcher of a table of routes. */
export function createDispatcher(routes: readonly Route[], log: Logger): Dispatcher {
  const byPath = new Map(routes.map((route) => [route.path, route]));

  const dispatch = (call: Call): Promise<Reply> | Reply => {
    const route = byPath.get(call.path);
    if (route === undefined)
      return json({ code: "NOT_FOUND", message: `there is nothing at ${call.path}` }, 404);
    const method = call.method === "HEAD" ? "GET" : call.method;
    const handler = route.methods[method as keyof Route["methods"]];
    if (handler !== undefined) return handler(call);
    const allow = Object.keys(route.methods).join(", ");
    const reply = json({ code: "INVALID_OPERATION", message: `${call.path} takes ${allow}` }, 405);
    return { ...reply, headers: { ...reply.headers, allow } };
  };

  const refusal = (thrown: unknown, call: Call): Reply => {
    if (call.signal.aborted) return { status: 499 };
    const error = publicError(thrown, log.child({ requestID: call.requestID }));
    const reply = json(toJSON(error), httpStatus(error));
    const retry: Record<string, string> =
      error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
    return { ...reply, headers: { ...reply.headers, ...retry } };
  };

  return {
    largestBody: (path) => byPath.get(path)?.maxBody ?? ONE_MEBIBYTE,
    answer(call) {
      try {
        const reply = dispatch(call);
        return reply instanceof Promise
          ? reply.catch((thrown: unknown) => refusal(thrown, call))
          : Promise.resolve(reply);
      } catch (thrown) {
        return Promise.resolve(refusal(thrown, call));
      }
    },
  };
}
