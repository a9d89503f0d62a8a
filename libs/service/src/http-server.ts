/** A small HTTP server: a table of routes, bounded bodies, and an orderly end. */
import { chmodSync } from "node:fs";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer, type ServerOptions } from "node:https";
import {
  createServer as createSocketServer,
  type Server as SocketServer,
  type Socket,
} from "node:net";
import type { ListenAddress, SocketAddress } from "@sextant/config";
import { invalidData } from "@sextant/errors";
import type { Logger } from "@sextant/logging";
import {
  type Call,
  createDispatcher,
  type Dispatcher,
  type Reply,
  requestIDOf,
  type Route,
} from "./dispatcher.ts";
import type { LinkServer } from "./link/link-server.ts";
import { removeDeadSocket } from "./unix-socket.ts";

/** Of most requests; nobody writes to it. */
const NO_QUERY = new URLSearchParams();
/** Bodies up to so many bytes are sent together with their head. */
const ONE_WRITE = 64 * 1024;

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
    const gone = (): void => reject(new Error("the client went away"));
    if (request.destroyed) {
      gone();
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    let isWhole = false;
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
    request.on("end", () => {
      isWhole = true;
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size));
    });
    request.on("error", reject);
    // Every request closes, most of them well: an error is made only for those that do not.
    request.on("close", () => {
      if (!isWhole) gone();
    });
  });
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
    return this.#search === "" ? NO_QUERY : new URLSearchParams(this.#search);
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
export function requestListener(routes: readonly Route[], log: Logger): RequestListener {
  return listenerOf(createDispatcher(routes, log), log);
}

/** The handler of Node's HTTP servers for a dispatcher. */
export function listenerOf(dispatcher: Dispatcher, log: Logger): RequestListener {
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

/** Milliseconds: a request's head has to come, the whole request has to come. */
const TIMES = {
  // A connection rests between requests for as long as it may be silent: one timer for both, which no request sets anew.
  keepAliveTimeout: 0,
  headersTimeout: 20_000,
  requestTimeout: 120_000,
  // How often it is looked whether they are over.
  connectionsCheckingInterval: 5_000,
};
/** Longer than a poll is held. */
const SILENCE = 120_000;
/** Connections that wait for this process to take them. */
const BACKLOG = 1_024;

/** A listening server. */
export type Listener = {
  /** As a setting has it: `host:port`, or `unix:` and the path. */
  readonly at: string;
  /** 0: it listens at a Unix socket. */
  readonly port: number;
  readonly server: Server;
  /** Takes no new connection, lets open requests end for so many milliseconds, then closes what is left. */
  close(graceMilliseconds: number): Promise<void>;
};

/** Listens; over TLS when `tls` is given. Fails with the system's error, such as EADDRINUSE. */
export async function listen(options: {
  readonly address: ListenAddress | SocketAddress;
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  readonly tls?: ServerOptions | undefined;
  /** Serves the connections that ask to become links; without, they are refused. */
  readonly links?: LinkServer | undefined;
  /** Looks at each connection before anything is read from it: it calls `pass`, also later, or destroys the connection. */
  readonly accept?: ((socket: Socket, pass: () => void) => void) | undefined;
  readonly log: Logger;
}): Promise<Listener> {
  const { address, listener, tls, links, accept, log } = options;
  const server =
    tls === undefined
      ? createServer(TIMES, listener)
      : (createSecureServer({ ...TIMES, ...tls }, listener) as Server);
  // Who neither reads nor writes for so long is gone, or holds an answer up.
  server.timeout = SILENCE;
  if (links !== undefined)
    server.on("upgrade", (request, socket, head) => {
      // A link rests as long as it likes.
      (socket as Socket).setTimeout(0);
      links.upgrade(request, socket, head);
    });
  const front: SocketServer =
    accept === undefined
      ? server
      : createSocketServer({ noDelay: true }, (socket) =>
          accept(socket, () => void server.emit("connection", socket)),
        );
  if ("path" in address) await removeDeadSocket(address.path);
  return new Promise((resolve, reject) => {
    front.once("error", reject);
    front.listen({ ...address, backlog: BACKLOG }, () => {
      front.off("error", reject);
      // For this user alone, whatever the directory allows.
      if ("path" in address) chmodSync(address.path, 0o600);
      // A connection that could not be taken, for want of descriptors perhaps, is no reason to give up those that there are.
      front.on("error", (error) => log.error({ err: error }, "a connection could not be taken"));
      // By this a server begins to look after its connections: after their times, and after those that rest.
      if (front !== server) server.emit("listening");
      const bound = front.address();
      const port = typeof bound === "object" && bound !== null ? bound.port : 0;
      resolve({
        at: "path" in address ? `unix:${address.path}` : `${address.host}:${port}`,
        port,
        server,
        close: (grace) => closeServer(front, server, grace, links),
      });
    });
  });
}

/** Milliseconds between looks for idle connections of a server that ends. */
const SWEEP_EVERY = 50;

function closeServer(
  front: SocketServer,
  server: Server,
  grace: number,
  links: LinkServer | undefined,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
      links?.destroy();
    }, grace);
    links?.drain();
    // A connection whose call ends later is idle later, and would be kept alive.
    const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_EVERY);
    front.close(() => {
      clearTimeout(timer);
      clearInterval(sweep);
      if (front !== server) server.close();
      resolve();
    });
    server.closeIdleConnections();
  });
}
