/** The answering end of links. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { invalidData } from "@sextant/errors";
import type { Logger } from "@sextant/logging";
import { type Call, type Dispatcher, type Reply, requestIDOf } from "../dispatcher.ts";
import { type CallHead, FRAME, type Frame, FrameReader, FrameWriter, HeadReader } from "./frame.ts";
import { LINK_PROTOCOL, MOST_IDS } from "./protocol.ts";

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
/** Status of the reply to a call that was cancelled, which nobody reads. */
const CANCELLED = 499;

/** A call that came over a link. */
class LinkCall implements Call {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly #search: string;
  readonly #frame: Frame;
  readonly #largest: number;
  #requestID: string | undefined;
  #gone: AbortController | undefined;

  constructor(
    { method, path, headers }: CallHead,
    frame: Frame,
    largest: (path: string) => number,
  ) {
    const mark = path.indexOf("?");
    this.method = method;
    this.path = mark < 0 ? path : path.slice(0, mark);
    this.headers = headers;
    this.#search = mark < 0 ? "" : path.slice(mark + 1);
    this.#frame = frame;
    this.#largest = largest(this.path);
  }

  get requestID(): string {
    return (this.#requestID ??= requestIDOf(this.headers));
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

  body(): Promise<Buffer> {
    if (this.#frame.bodyLength <= this.#largest) return Promise.resolve(this.#frame.body());
    const message = `is larger than ${this.#largest} bytes`;
    return Promise.reject(invalidData("request", [{ field: "body", message }]));
  }
}

/** Answers calls by the same dispatcher as the HTTP server beside it. */
export function createLinkServer(dispatcher: Dispatcher, log: Logger): LinkServer {
  const links = new Set<{ drain(): void; destroy(): void }>();
  let draining = false;

  const serve = (socket: Duplex, head: Buffer): void => {
    const writer = new FrameWriter(socket);
    const reader = new FrameReader();
    const heads = new HeadReader();
    // By id. A map that gets and loses an entry with each call would be copied again and again.
    const calls: (LinkCall | undefined)[] = [];
    let open = 0;
    let closing = false;

    const endWhenIdle = (): void => {
      if (!closing || open > 0 || socket.destroyed) return;
      writer.flush();
      socket.end();
    };
    const reply = (id: number, { status, headers, body }: Reply): void => {
      calls[id] = undefined;
      open -= 1;
      writer.reply(id, status, headers ?? {}, body);
      if (open < MOST_CALLS && socket.isPaused()) socket.resume();
      endWhenIdle();
    };
    const answer = (frame: Frame): void => {
      const { id } = frame;
      if (id >= MOST_IDS) throw new Error(`a call has the id ${id}`);
      if (calls[id] !== undefined) throw new Error(`the call ${id} is open`);
      const call = new LinkCall(heads.call(frame), frame, dispatcher.largestBody);
      calls[id] = call;
      open += 1;
      if (open >= MOST_CALLS) socket.pause();
      void dispatcher.answer(call).then((answered) => {
        // A call that was cancelled has been replied.
        if (calls[id] === call) reply(id, answered);
      });
    };
    const cancel = (id: number): void => {
      const call = calls[id];
      // Its reply may be on the way.
      if (call === undefined) return;
      reply(id, { status: CANCELLED });
      call.abort();
    };
    const receive = (piece: Buffer): void => {
      try {
        for (const frame of reader.read(piece)) {
          if (frame.kind === FRAME.call) answer(frame);
          if (frame.kind === FRAME.cancel) cancel(frame.id);
        }
      } catch (error) {
        log.warn({ err: error }, "a link sent what is no frame");
        socket.destroy();
      }
    };

    const link = {
      drain(): void {
        closing = true;
        writer.notice(FRAME.closing, 0);
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
      const left = calls.splice(0);
      for (const call of left) call?.abort();
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
