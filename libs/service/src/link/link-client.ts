/** The calling end of links: kept connections to one service, each with many calls at a time. */
import { request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Duplex } from "node:stream";
import { socketPath } from "@sextant/config";
import type { FollowedFiles } from "../follow-files.ts";
import type { InternalTLS } from "../internal-api.ts";
import { type CallHead, FRAME, FrameReader, FrameWriter, type ReplyHead } from "./frame.ts";
import { LINK_PROTOCOL } from "./protocol.ts";

/** A reply as it came. */
export type LinkReply = ReplyHead & { readonly body: Buffer };

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

type Pending = {
  readonly resolve: (reply: LinkReply) => void;
  readonly reject: (error: unknown) => void;
  readonly until: number;
};

/** Milliseconds for making a link, and for a reply. */
const CONNECT_TIMEOUT = 10_000;
const REPLY_TIMEOUT = 120_000;
const SWEEP_EVERY = 5_000;
/** A link takes no new calls after so many milliseconds: a service that was added since gets its share. */
const LIFE = 300_000;

const lost = (code: string, message: string) => Object.assign(new Error(message), { code });

/** One connection that has been made. */
class Link {
  readonly #socket: Duplex;
  readonly #writer: FrameWriter;
  readonly #reader = new FrameReader();
  readonly #pending = new Map<number, Pending>();
  readonly #until: number;
  #lastID = 0;
  #isClosing = false;
  onEnd: () => void = () => undefined;

  constructor(socket: Duplex, head: Buffer) {
    this.#socket = socket;
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
      // Lost in the moment in which it was made: nobody would tell.
      if (this.#socket.destroyed) {
        reject(lost("ECONNRESET", "the connection was lost"));
        return;
      }
      this.#lastID = (this.#lastID + 1) >>> 0;
      const id = this.#lastID;
      const until = performance.now() + REPLY_TIMEOUT;
      if (signal === undefined) {
        this.#pending.set(id, { resolve, reject, until });
      } else {
        const gone = (): void => {
          this.#pending.delete(id);
          this.#writer.write(FRAME.cancel, id);
          reject(signal.reason as Error);
          this.#endWhenIdle();
        };
        signal.addEventListener("abort", gone, { once: true });
        const settled =
          <Value>(then: (value: Value) => void) =>
          (value: Value): void => {
            signal.removeEventListener("abort", gone);
            then(value);
          };
        this.#pending.set(id, { resolve: settled(resolve), reject: settled(reject), until });
      }
      this.#writer.write(FRAME.call, id, JSON.stringify(head), body);
    });
  }

  /** Fails the calls that have waited too long. */
  sweep(): void {
    const now = performance.now();
    for (const [id, { reject, until }] of this.#pending) {
      if (until > now) continue;
      this.#pending.delete(id);
      this.#writer.write(FRAME.cancel, id);
      reject(lost("ETIMEDOUT", "there was no reply in time"));
    }
    this.#endWhenIdle();
  }

  /** Takes no new calls, and ends with the last of those it has. */
  retire(): void {
    this.#isClosing = true;
    this.#endWhenIdle();
  }

  #endWhenIdle(): void {
    if (!this.#isClosing || this.#pending.size > 0 || this.#socket.destroyed) return;
    this.#writer.flush();
    this.#socket.end();
  }

  #receive(piece: Buffer): void {
    try {
      for (const { kind, id, head, body } of this.#reader.read(piece)) {
        if (kind === FRAME.closing) this.#isClosing = true;
        if (kind !== FRAME.reply) continue;
        const pending = this.#pending.get(id);
        this.#pending.delete(id);
        pending?.resolve({ ...(JSON.parse(head) as ReplyHead), body });
      }
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
    this.#endWhenIdle();
  }

  #end(): void {
    this.#isClosing = true;
    for (const { reject } of this.#pending.values())
      reject(lost("ECONNRESET", "the connection was lost"));
    this.#pending.clear();
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

function connect(url: string, tls: InternalTLS | undefined): Promise<Link> {
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
      resolve(new Link(socket, head));
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

/** Makes the calling end. Links are made when they are needed, and made anew when they are lost. */
export function createLinkClient(options: {
  readonly url: string;
  /** Looked at for each link. */
  readonly tls?: Pick<FollowedFiles<InternalTLS>, "current"> | undefined;
  readonly links: number;
}): LinkClient {
  const places: (Promise<Link> | undefined)[] = Array.from({ length: options.links });
  const made = new Set<Link>();
  // Calls of one turn of the event loop go over the same link: in one write, and so do replies that are ready together.
  let turn = 0;
  let isTurnChosen = false;
  let closed = false;

  const make = async (place: number): Promise<Link> => {
    const connecting = connect(options.url, options.tls?.current());
    places[place] = connecting;
    try {
      const link = await connecting;
      made.add(link);
      link.onEnd = () => {
        made.delete(link);
        if (places[place] === connecting) places[place] = undefined;
      };
      if (closed) link.retire();
      return link;
    } catch (error) {
      if (places[place] === connecting) places[place] = undefined;
      throw error;
    }
  };

  const sweeper = setInterval(() => {
    for (const link of made) link.sweep();
  }, SWEEP_EVERY);
  sweeper.unref();

  return {
    async call(head, body, signal) {
      if (closed) throw lost("ECONNRESET", "the client is closed");
      signal?.throwIfAborted();
      if (!isTurnChosen) {
        turn = (turn + 1) % places.length;
        isTurnChosen = true;
        setImmediate(() => (isTurnChosen = false));
      }
      const known = places[turn];
      let link = known === undefined ? undefined : await known;
      if (link?.isOpen !== true) {
        // Another call may have found the same, and be at it.
        const other = places[turn];
        link = await (other === undefined || other === known ? make(turn) : other);
      }
      signal?.throwIfAborted();
      return link.call(head, body, signal);
    },
    async close() {
      closed = true;
      clearInterval(sweeper);
      for (const link of made) link.retire();
    },
  };
}
