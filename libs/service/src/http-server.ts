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
import type { LinkServer } from "./link/link-server.ts";
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
/** Bodies up to so many bytes are sent together with their head. */
const ONE_WRITE = 64 * 1024;
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
export function requestIDOf(headers: IncomingHttpHeaders): string {
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
  // Head and body go out in one write when the body is a text: bytes are one in Latin-1, each as it is.
  if (reply.body instanceof Buffer && length <= ONE_WRITE)
    response.end(reply.body.toString("latin1"), "latin1");
  else response.end(reply.body);
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

  return {
    largestBody: (path) => byPath.get(path)?.maxBody ?? ONE_MEBIBYTE,
    async answer(call) {
      try {
        return await dispatch(call);
      } catch (thrown) {
        if (call.signal.aborted) return { status: 499 };
        const error = publicError(thrown, log.child({ requestID: call.requestID }));
        const reply = json(toJSON(error), httpStatus(error));
        const retry: Record<string, string> =
          error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
        return { ...reply, headers: { ...reply.headers, ...retry } };
      }
    },
  };
}

/** A call that came by HTTP. What only some handlers look at is made when they do. */
class HTTPCall implements Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly requestID: string;
  readonly request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #search: string;
  readonly #largest: number;
  #gone: AbortController | undefined;
  #body: Promise<Buffer> | undefined;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    largest: Dispatcher["largestBody"],
  ) {
    const target = request.url ?? "/";
    const mark = target.indexOf("?");
    this.method = request.method ?? "GET";
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.headers = request.headers;
    this.requestID = requestIDOf(request.headers);
    this.request = request;
    this.#response = response;
    this.#search = mark < 0 ? "" : target.slice(mark + 1);
    this.#largest = largest(this.path);
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#search);
  }

  get signal(): AbortSignal {
    if (this.#gone === undefined) {
      const gone = (this.#gone = new AbortController());
      const response = this.#response;
      const look = (): void => {
        if (!response.writableFinished) gone.abort();
      };
      if (response.destroyed) look();
      else response.on("close", look);
    }
    return this.#gone.signal;
  }

  body(): Promise<Buffer> {
    return (this.#body ??= readBody(this.request, this.#largest));
  }
}

/** The handler of Node's HTTP servers for a table of routes. */
export function requestListener(
  routes: readonly Route[],
  log: Logger,
): (request: IncomingMessage, response: ServerResponse) => void {
  const dispatcher = createDispatcher(routes, log);
  return (request, response) => {
    const call = new HTTPCall(request, response, dispatcher.largestBody);
    dispatcher
      .answer(call)
      .then((reply) => send(response, call.requestID, reply))
      .catch((thrown: unknown) =>
        log.error({ requestID: call.requestID, err: thrown }, "reply failed"),
      );
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
  /** Serves the connections that ask to become links; without, they are refused. */
  readonly links?: LinkServer | undefined;
}): Promise<Listener> {
  const { address, listener, tls, links } = options;
  const limits = { keepAliveTimeout: 75_000, headersTimeout: 20_000, requestTimeout: 120_000 };
  const server =
    tls === undefined
      ? createServer(limits, listener)
      : (createSecureServer({ ...limits, ...tls }, listener) as Server);
  if (links !== undefined)
    server.on("upgrade", (request, socket, head) => links.upgrade(request, socket, head));
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(address.port, address.host, () => {
      server.off("error", reject);
      const bound = server.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
      resolve({
        host: address.host,
        port,
        server,
        close: (grace) => closeServer(server, grace, links),
      });
    });
  });
}

/** Milliseconds between looks for idle connections of a server that ends. */
const SWEEP_EVERY = 50;

function closeServer(server: Server, grace: number, links: LinkServer | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
      links?.destroy();
    }, grace);
    links?.drain();
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
