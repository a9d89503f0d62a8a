/** The answering end of links. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { invalidData } from "@sextant/errors";
import type { Logger } from "@sextant/logging";
import { type Call, type Dispatcher, requestIDOf } from "../dispatcher.ts";
import { type CallHead, FRAME, FrameReader, FrameWriter } from "./frame.ts";
import { LINK_PROTOCOL } from "./protocol.ts";

/** Takes connections that ask to become links, and ends them in order. */
export type LinkServer = {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells the other ends to call no more, and ends each link with its last reply. */
  drain(): void;
  /** Ends all links at once. */
  destroy(): void;
};

/** Calls of one link at a time: behind that, reading waits. */
const MOST_CALLS = 2_000;

/** A call that came over a link. */
class LinkCall implements Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly requestID: string;
  readonly #search: string;
  readonly #body: Buffer;
  readonly #largest: number;
  #gone: AbortController | undefined;

  constructor(
    { method, path, headers }: CallHead,
    body: Buffer,
    largest: (path: string) => number,
  ) {
    const mark = path.indexOf("?");
    this.method = method;
    this.path = mark < 0 ? path : path.slice(0, mark);
    this.headers = headers;
    this.requestID = requestIDOf(headers);
    this.#search = mark < 0 ? "" : path.slice(mark + 1);
    this.#body = body;
    this.#largest = largest(this.path);
  }

  get query(): URLSearchParams {
    return new URLSearchParams(this.#search);
  }

  get signal(): AbortSignal {
    this.#gone ??= new AbortController();
    return this.#gone.signal;
  }

  abort(): void {
    this.#gone ??= new AbortController();
    this.#gone.abort();
  }

  async body(): Promise<Buffer> {
    if (this.#body.length > this.#largest) {
      const message = `is larger than ${this.#largest} bytes`;
      throw invalidData("request", [{ field: "body", message }]);
    }
    return this.#body;
  }
}

/** Answers calls by the same dispatcher as the HTTP server beside it. */
export function createLinkServer(dispatcher: Dispatcher, log: Logger): LinkServer {
  const links = new Set<{ drain(): void; destroy(): void }>();
  let draining = false;

  const serve = (socket: Duplex, head: Buffer): void => {
    const writer = new FrameWriter(socket);
    const reader = new FrameReader();
    const calls = new Map<number, LinkCall>();
    let closing = false;

    const endWhenIdle = (): void => {
      if (!closing || calls.size > 0 || socket.destroyed) return;
      writer.flush();
      socket.end();
    };
    const answer = (id: number, call: LinkCall): void => {
      calls.set(id, call);
      if (calls.size >= MOST_CALLS) socket.pause();
      void dispatcher.answer(call).then(({ status, headers, body }) => {
        // Who has cancelled a call does not wait for its reply.
        if (calls.delete(id))
          writer.write(FRAME.reply, id, JSON.stringify({ status, headers: headers ?? {} }), body);
        if (socket.isPaused() && calls.size < MOST_CALLS) socket.resume();
        endWhenIdle();
      });
    };
    const receive = (piece: Buffer): void => {
      try {
        for (const frame of reader.read(piece)) {
          if (frame.kind === FRAME.call) {
            const call = JSON.parse(frame.head) as CallHead;
            answer(frame.id, new LinkCall(call, frame.body, dispatcher.largestBody));
          }
          if (frame.kind === FRAME.cancel) {
            calls.get(frame.id)?.abort();
            calls.delete(frame.id);
            endWhenIdle();
          }
        }
      } catch (error) {
        log.warn({ err: error }, "a link sent what is no frame");
        socket.destroy();
      }
    };

    const link = {
      drain(): void {
        closing = true;
        writer.write(FRAME.closing, 0);
        endWhenIdle();
      },
      destroy: () => void socket.destroy(),
    };
    links.add(link);
    socket.on("data", receive);
    socket.on("error", () => socket.destroy());
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      links.delete(link);
      for (const call of calls.values()) call.abort();
      calls.clear();
    });
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${LINK_PROTOCOL}\r\n\r\n`,
    );
    if (head.length > 0) receive(head);
    if (draining) link.drain();
  };

  return {
    upgrade(request, socket, head) {
      if (request.headers.upgrade !== LINK_PROTOCOL) {
        // From here on nobody else listens to it, and an error that nobody hears ends the process.
        socket.on("error", () => socket.destroy());
        socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        return;
      }
      serve(socket, head);
    },
    drain() {
      draining = true;
      for (const link of links) link.drain();
    },
    destroy() {
      for (const link of links) link.destroy();
    },
  };
}
