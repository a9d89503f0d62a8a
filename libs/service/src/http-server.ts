/** A small HTTP server: a table of routes, bounded bodies, errors as JSON, and an orderly end. */
import { randomUUID } from "node:crypto";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import {
  httpStatus,
  internal,
  invalidData,
  isSextantError,
  SextantError,
  toJSON,
} from "@sextant/errors";
import type { ListenAddress } from "@sextant/config";
import type { Logger } from "@sextant/logging";
import { ServiceAwayError } from "./service-away.ts";

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
  readonly request: IncomingMessage;
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
    log.warn({ away: thrown.service, err: thrown }, "a service is away");
    const message = `${thrown.service} is away: try again`;
    return new SextantError("INTERNAL", message, { retryAfter: RETRY_AFTER });
  }
  const errorId = (isSextantError(thrown) ? thrown.errorId : undefined) ?? randomUUID();
  log.error({ errorId, err: thrown }, "unexpected fault");
  return internal(errorId, thrown);
}

function readBody(request: IncomingMessage, max: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const tooLarge = () =>
      invalidData("request", [{ field: "body", message: `is larger than ${max} bytes` }]);
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared > max) {
      request.resume();
      reject(tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > max) {
        request.removeAllListeners("data");
        request.resume();
        reject(tooLarge());
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () =>
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size)),
    );
    request.on("error", reject);
    request.on("close", () => reject(new Error("the client went away")));
  });
}

/** The id that a request is known by: the one it was sent with, when it is printable, else a new one. */
function requestIDOf(headers: IncomingHttpHeaders): string {
  const sent = headers["x-request-id"];
  return typeof sent === "string" && /^[\x21-\x7e]{1,128}$/.test(sent) ? sent : randomUUID();
}

/** Writes a reply, unless the client is gone. */
function send(response: ServerResponse, requestID: string, reply: Reply): void {
  if (response.destroyed || response.headersSent) return;
  const length = reply.body === undefined ? 0 : Buffer.byteLength(reply.body);
  response.writeHead(reply.status, {
    ...reply.headers,
    "content-length": length,
    "x-request-id": requestID,
  });
  response.end(reply.body);
}

/** The handler of Node's HTTP servers for a table of routes. */
export function requestListener(
  routes: readonly Route[],
  log: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const byPath = new Map(routes.map((route) => [route.path, route]));

  const answer = async (call: Call, route: Route | undefined): Promise<Reply> => {
    if (route === undefined)
      return json({ code: "NOT_FOUND", message: `there is nothing at ${call.path}` }, 404);
    const method = call.method === "HEAD" ? "GET" : call.method;
    const handler = route.methods[method as keyof Route["methods"]];
    if (handler === undefined) {
      const allow = Object.keys(route.methods).join(", ");
      const reply = json(
        { code: "INVALID_OPERATION", message: `${call.path} takes ${allow}` },
        405,
      );
      return { ...reply, headers: { ...reply.headers, allow } };
    }
    return handler(call);
  };

  return (request, response) => {
    const target = request.url ?? "/";
    const mark = target.indexOf("?");
    const path = mark < 0 ? target : target.slice(0, mark);
    const route = byPath.get(path);
    const requestID = requestIDOf(request.headers);
    const gone = new AbortController();
    response.on("close", () => {
      if (!response.writableFinished) gone.abort();
    });
    let body: Promise<Buffer> | undefined;
    const call: Call = {
      method: request.method ?? "GET",
      path,
      query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
      headers: request.headers,
      requestID,
      signal: gone.signal,
      request,
      body: () => (body ??= readBody(request, route?.maxBody ?? ONE_MEBIBYTE)),
    };
    answer(call, route)
      .catch((thrown: unknown) => {
        if (gone.signal.aborted) return { status: 499 } satisfies Reply;
        const error = publicError(thrown, log.child({ requestID }));
        const reply = json(toJSON(error), httpStatus(error));
        const retry: Record<string, string> =
          error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
        return { ...reply, headers: { ...reply.headers, ...retry } };
      })
      .then((reply) => send(response, requestID, reply))
      .catch((thrown: unknown) => log.error({ requestID, err: thrown }, "reply failed"));
  };
}

/** A listening server. */
export type Listener = {
  readonly host: string;
  readonly port: number;
  readonly server: Server;
  /** Takes no new connection, lets open requests end for so many milliseconds, then closes what is left. */
  close(graceMilliseconds: number): Promise<void>;
};

/** Listens; over TLS when `tls` is given. Fails with the system's error, such as EADDRINUSE. */
export function listen(options: {
  readonly address: ListenAddress;
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  readonly tls?: ServerOptions | undefined;
}): Promise<Listener> {
  const { address, listener, tls } = options;
  const limits = { keepAliveTimeout: 75_000, headersTimeout: 20_000, requestTimeout: 120_000 };
  const server =
    tls === undefined
      ? createServer(limits, listener)
      : (createSecureServer({ ...limits, ...tls }, listener) as Server);
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => {
      server.off("error", reject);
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
      resolve({ host: address.host, port, server, close: (grace) => closeServer(server, grace) });
    });
  });
}

/** Milliseconds between looks for idle connections of a server that ends. */
const SWEEP_EVERY = 50;

function closeServer(server: Server, grace: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), grace);
    // A connection whose call ends later is idle later, and would be kept alive.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY);
    server.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}
