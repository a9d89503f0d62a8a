/** The calling end of links: kept connections to one service, each with many calls at a time. */
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Duplex } from "node:stream";
import { socketPath } from "@sextant/config";
import type { FollowedFiles } from "../follow-files.ts";
import type { InternalTLS } from "../internal-api.ts";
import {
  type CallHead,
  FRAME,
  type Frame,
  FrameReader,
  FrameWriter,
  HeadReader,
  type ReplyHead,
} from "./frame.ts";
import { LINK_PROTOCOL, MOST_IDS } from "./protocol.ts";

/** A reply as it came. */
export type LinkReply = ReplyHead & {
  readonly body: Buffer;
  /** The body, read as UTF-8. */
  readonly text: string;
};

class Reply implements LinkReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly #frame: Frame;

  constructor({ status, headers }: ReplyHead, frame: Frame) {
    this.status = status;
    this.headers = headers;
    this.#frame = frame;
  }

  get body(): Buffer {
    return this.#frame.body();
  }

  get text(): string {
    return this.#frame.text();
  }
}

/** Calls one service over links. */
export type LinkClient = {
  /** Fails with a code of Node's (ECONNREFUSED, ECONNRESET, ETIMEDOUT, …) when the service cannot be reached or has gone. */
  call(
    head: CallHead,
    body: string | Buffer | undefined,
    signal: AbortSignal | undefined,
  ): Promise<LinkReply>;
  close(): Promise<void>;
};

/** Milliseconds for making a link, and for a reply. */
const CONNECT_TIMEOUT = 10_000;
const REPLY_TIMEOUT = 120_000;
const SWEEP_EVERY = 5_000;
/** A link takes no new calls after so many milliseconds: a service that was added since gets its share. */
const LIFE = 300_000;

const lost = (code: string, message: string) => Object.assign(new Error(message), { code });

/** A call whose reply has not come. */
class OpenCall {
  readonly until = performance.now() + REPLY_TIMEOUT;
  readonly #resolve: (reply: LinkReply) => void;
  readonly #reject: (error: unknown) => void;
  #signal: AbortSignal | undefined;
  #leave: (() => void) | undefined;
  /** Whether who called has been told: a reply that comes later is for nobody. */
  isSettled = false;

  constructor(resolve: (reply: LinkReply) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Fails when the caller goes before it is told anything; calls `left` then. */
  failOn(signal: AbortSignal, left: () => void): void {
    this.#signal = signal;
    this.#leave = () => {
      this.fail(signal.reason);
      left();
    };
    signal.addEventListener("abort", this.#leave, { once: true });
  }

  succeed(reply: LinkReply): void {
    this.#settle();
    this.#resolve(reply);
  }

  fail(error: unknown): void {
    this.#settle();
    this.#reject(error);
  }

  #settle(): void {
    this.isSettled = true;
    if (this.#leave !== undefined) this.#signal?.removeEventListener("abort", this.#leave);
  }
}

/** What a caller is told of a connection that was not made or was lost. */
type Failure = (error: unknown) => Error;

/** One connection that has been made. */
class Link {
  readonly #socket: Duplex;
  readonly #failure: Failure;
  readonly #writer: FrameWriter;
  readonly #reader = new FrameReader();
  readonly #heads = new HeadReader();
  /** By their ids; an id is free again with the reply. A map that gets and loses an entry with each call would be copied again and again. */
  readonly #calls: (OpenCall | undefined)[] = [];
  readonly #freeIDs: number[] = [];
  /** Calls that somebody waits for. */
  #waiting = 0;
  readonly #until: number;
  #isClosing = false;
  onEnd: () => void = () => undefined;

  constructor(socket: Duplex, head: Buffer, failure: Failure) {
    this.#socket = socket;
    this.#failure = failure;
    this.#writer = new FrameWriter(socket);
    this.#until = performance.now() + LIFE;
    socket.on("data", (piece: Buffer) => this.#receive(piece));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#end());
    if (head.length > 0) this.#receive(head);
  }

  /** Whether new calls may go over it. */
  get isOpen(): boolean {
    if (!this.#isClosing && performance.now() > this.#until) this.retire();
    return !this.#isClosing && !this.#socket.destroyed;
  }

  call(
    head: CallHead,
    body: string | Buffer | undefined,
    signal: AbortSignal | undefined,
  ): Promise<LinkReply> {
    return new Promise((resolve, reject) => {
      const id = this.#freeIDs.pop() ?? this.#calls.length;
      // Lost in the moment in which it was made: nobody would tell.
      if (this.#socket.destroyed) {
        reject(this.#failure(lost("ECONNRESET", "the connection was lost")));
        return;
      }
      if (id >= MOST_IDS) {
        reject(this.#failure(lost("EAGAIN", `the link has ${MOST_IDS} open calls`)));
        return;
      }
      const call = new OpenCall(resolve, reject);
      if (signal !== undefined)
        call.failOn(signal, () => {
          this.#cancel(id);
          this.#endWhenIdle();
        });
      this.#calls[id] = call;
      this.#waiting += 1;
      this.#writer.call(id, head, body);
    });
  }

  /** Fails the calls that have waited too long. */
  sweep(): void {
    const now = performance.now();
    for (const [id, call] of this.#calls.entries()) {
      if (call === undefined || call.isSettled || call.until > now) continue;
      this.#cancel(id);
      call.fail(this.#failure(lost("ETIMEDOUT", "there was no reply in time")));
    }
    this.#endWhenIdle();
  }

  /** Takes no new calls, and ends with the last of those it has. */
  retire(): void {
    this.#isClosing = true;
    this.#endWhenIdle();
  }

  /** Says that nobody waits for a call any more. */
  #cancel(id: number): void {
    this.#waiting -= 1;
    this.#writer.notice(FRAME.cancel, id);
  }

  #endWhenIdle(): void {
    if (!this.#isClosing || this.#waiting > 0 || this.#socket.destroyed) return;
    this.#writer.flush();
    this.#socket.end();
  }

  #receive(piece: Buffer): void {
    try {
      for (const frame of this.#reader.read(piece)) {
        if (frame.kind === FRAME.closing) this.#isClosing = true;
        if (frame.kind === FRAME.reply) this.#answer(frame);
      }
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
    this.#endWhenIdle();
  }

  #answer(frame: Frame): void {
    const head = this.#heads.reply(frame);
    const call = this.#calls[frame.id];
    if (call === undefined) throw new Error(`the reply to ${frame.id} is to no call`);
    this.#calls[frame.id] = undefined;
    this.#freeIDs.push(frame.id);
    if (call.isSettled) return;
    this.#waiting -= 1;
    call.succeed(new Reply(head, frame));
  }

  #end(): void {
    this.#isClosing = true;
    const left = this.#calls.splice(0);
    for (const call of left)
      if (call?.isSettled === false)
        call.fail(this.#failure(lost("ECONNRESET", "the connection was lost")));
    this.#waiting = 0;
    this.onEnd();
  }
}

/** Where a service is, as Node's requests take it. */
function place(url: string): { host: string; port: string } | { socketPath: string } {
  const path = socketPath(url);
  if (path !== undefined) return { socketPath: path };
  const { hostname, port } = new URL(url);
  return { host: hostname, port };
}

function connect(url: string, tls: InternalTLS | undefined, failure: Failure): Promise<Link> {
  return new Promise((resolve, reject) => {
    const options = {
      ...place(url),
      path: "/",
      headers: { connection: "Upgrade", upgrade: LINK_PROTOCOL },
      timeout: CONNECT_TIMEOUT,
    };
    const request =
      tls === undefined
        ? plainRequest(options)
        : secureRequest({ ...options, ca: tls.ca, cert: tls.cert, key: tls.key });
    request.on("upgrade", (_response, socket, head) => {
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      resolve(new Link(socket, head, failure));
    });
    request.on("response", (response) => {
      response.resume();
      reject(lost("ECONNREFUSED", `the service makes no link: it answered ${response.statusCode}`));
    });
    request.on("timeout", () =>
      request.destroy(lost("ETIMEDOUT", "no connection was made in time")),
    );
    request.on("error", (error: NodeJS.ErrnoException) =>
      // A Unix socket is there when somebody listens.
      reject(error.code === "ENOENT" ? lost("ECONNREFUSED", error.message) : error),
    );
    request.end();
  });
}

/** Where one of a client's links is, or is being made. */
type Place = { link: Link | undefined; connecting: Promise<Link> | undefined };

/** Makes the calling end. Links are made when they are needed, and made anew when they are lost. */
export function createLinkClient(options: {
  readonly url: string;
  /** Looked at for each link. */
  readonly tls?: Pick<FollowedFiles<InternalTLS>, "current"> | undefined;
  readonly links: number;
  /** What callers are told instead of Node's errors. A caller that goes is told its own reason. */
  readonly failure?: Failure;
}): LinkClient {
  const { failure = (error) => error as Error } = options;
  const places = Array.from({ length: options.links }, (): Place => {
    return { link: undefined, connecting: undefined };
  });
  const made = new Set<Link>();
  // Calls of one turn of the event loop go over the same link: in one write, and so do replies that are ready together.
  let turn = 0;
  let isTurnChosen = places.length === 1;
  let closed = false;

  const make = async (place: Place): Promise<Link> => {
    const connecting = connect(options.url, options.tls?.current(), failure);
    place.connecting = connecting;
    try {
      const link = await connecting;
      made.add(link);
      place.link = link;
      link.onEnd = () => made.delete(link);
      if (closed) link.retire();
      return link;
    } finally {
      if (place.connecting === connecting) place.connecting = undefined;
    }
  };

  /** A link at a place that has none that is open. */
  const linkAt = async (place: Place): Promise<Link> => {
    if (closed) throw lost("ECONNRESET", "the client is closed");
    const { connecting } = place;
    if (connecting === undefined) return make(place);
    const link = await connecting;
    return link.isOpen ? link : (place.connecting ?? make(place));
  };

  const callAnew: (
    place: Place,
    ...call: Parameters<LinkClient["call"]>
  ) => Promise<LinkReply> = async (place, head, body, signal) => {
    let link: Link;
    try {
      signal?.throwIfAborted();
      link = await linkAt(place);
      signal?.throwIfAborted();
    } catch (error) {
      throw signal?.aborted === true ? error : failure(error);
    }
    return link.call(head, body, signal);
  };

  const sweeper = setInterval(() => {
    for (const link of made) link.sweep();
  }, SWEEP_EVERY);
  sweeper.unref();

  return {
    call(head, body, signal) {
      if (!isTurnChosen) {
        turn = (turn + 1) % places.length;
        isTurnChosen = true;
        setImmediate(() => (isTurnChosen = false));
      }
      const place = places[turn] as Place;
      const { link } = place;
      return !closed && link?.isOpen === true && signal?.aborted !== true
        ? link.call(head, body, signal)
        : callAnew(place, head, body, signal);
    },
    async close() {
      closed = true;
      clearInterval(sweeper);
      for (const link of made) link.retire();
    },
  };
}
