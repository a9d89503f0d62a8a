/**
 * Frames: how calls and replies go over a link. Each has 13 bytes (kind, id of the call, length of the head, length of the body;
 * big-endian), then its head (JSON) and its body.
 */

/** What a frame is. */
export const FRAME = {
  /** A call; its head is a {@link CallHead}. */
  call: 1,
  /** The reply to the call of that id; its head is a {@link ReplyHead}. */
  reply: 2,
  /** The caller of that id has gone: nothing has to be answered. */
  cancel: 3,
  /** The sender takes no more calls, and answers those it has. */
  closing: 4,
} as const;

/** Head of a call. */
export type CallHead = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
};

/** Head of a reply. */
export type ReplyHead = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
};

/** One frame. The body is a view of what was received. */
export type Frame = {
  readonly kind: number;
  readonly id: number;
  readonly head: string;
  readonly body: Buffer;
};

const START = 13;
/** A longer frame ends the link: the largest body that a route takes, and its head. */
const LONGEST = 80 * 1024 * 1024;
/** Bodies up to this size are copied behind their head, so that they need one write. */
const COPIED = 64 * 1024;
/** Frames of up to this size together are copied to be one write; what is larger is written as it is. */
const TOGETHER = 512 * 1024;

/** A frame as it is written. */
export function frameBytes(
  kind: number,
  id: number,
  head = "",
  body: string | Buffer = "",
): readonly Buffer[] {
  const headLength = Buffer.byteLength(head);
  const bodyLength = Buffer.byteLength(body);
  const isCopied = bodyLength <= COPIED;
  const bytes = Buffer.allocUnsafe(START + headLength + (isCopied ? bodyLength : 0));
  bytes.writeUInt8(kind, 0);
  bytes.writeUInt32BE(id, 1);
  bytes.writeUInt32BE(headLength, 5);
  bytes.writeUInt32BE(bodyLength, 9);
  bytes.write(head, START);
  if (!isCopied) return [bytes, typeof body === "string" ? Buffer.from(body) : body];
  if (typeof body === "string") bytes.write(body, START + headLength);
  else body.copy(bytes, START + headLength);
  return [bytes];
}

/** Takes frames out of what is received, in whatever pieces it comes. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;
  #needed = START;

  /** The frames that are complete with this piece. Throws for what cannot be a frame. */
  read(piece: Buffer): readonly Frame[] {
    this.#pieces.push(piece);
    this.#length += piece.length;
    if (this.#length < this.#needed) return [];
    const bytes = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#length);
    const frames: Frame[] = [];
    let at = 0;
    for (;;) {
      this.#needed = START;
      if (bytes.length - at < START) break;
      const headLength = bytes.readUInt32BE(at + 5);
      const bodyLength = bytes.readUInt32BE(at + 9);
      this.#needed = START + headLength + bodyLength;
      if (this.#needed > LONGEST) throw new Error(`a frame of ${this.#needed} bytes is too long`);
      if (bytes.length - at < this.#needed) break;
      const bodyAt = at + START + headLength;
      frames.push({
        kind: bytes.readUInt8(at),
        id: bytes.readUInt32BE(at + 1),
        head: bytes.toString("utf8", at + START, bodyAt),
        body: bytes.subarray(bodyAt, bodyAt + bodyLength),
      });
      at += this.#needed;
    }
    this.#pieces = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#length = bytes.length - at;
    return frames;
  }
}

/** What a socket is to {@link FrameWriter}. */
type Sink = { write(bytes: Buffer): unknown; readonly destroyed: boolean };

/** Writes frames: all that come about in one turn of the event loop go out together. */
export class FrameWriter {
  readonly #sink: Sink;
  #waiting: Buffer[] = [];

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  write(...frame: Parameters<typeof frameBytes>): void {
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push(...frameBytes(...frame));
  }

  /** Writes what waits. */
  flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    if (waiting.length === 0 || this.#sink.destroyed) return;
    const size = waiting.reduce((sum, bytes) => sum + bytes.length, 0);
    const written =
      waiting.length > 1 && size <= TOGETHER ? [Buffer.concat(waiting, size)] : waiting;
    for (const bytes of written) this.#sink.write(bytes);
  }
}
