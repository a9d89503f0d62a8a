/**
 * Frames: how calls and replies go over a link. Each has 13 bytes (kind, id of the call, length of the head, length of the body;
 * big-endian), then its head and its body.
 *
 * A head is texts: of a call its method and path, of a reply two bytes with its status; then of each header the name and the
 * value. Each text begins with two bytes: the number of the slot in which the other end has it ({@link SentTexts}), or
 * {@link FILL} and the number of the slot that it goes into, or {@link PLAIN}. In the last two cases four bytes with its length follow, and the text in UTF-8.
 */
import { KeptTexts, LONGEST_KEPT, SentTexts } from "./texts.ts";

/** What a frame is. */
export const FRAME = {
  /** A call; its head is a {@link CallHead}. The id is free again with the reply to it. */
  call: 1,
  /** The reply to the call of that id, one to each call; its head is a {@link ReplyHead}. */
  reply: 2,
  /** The caller of that id has gone: it is replied without waiting for an answer. */
  cancel: 3,
  /** The sender takes no more calls, and answers those it has. */
  closing: 4,
} as const;

type Headers = Readonly<Record<string, string>>;

/** Head of a call. */
export type CallHead = {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
};

/** Head of a reply. */
export type ReplyHead = { readonly status: number; readonly headers: Headers };

const START = 13;
const FILL = 0x80_00;
const PLAIN = 0xff_ff;
/** A longer frame ends the link: the largest body that a route takes, and its head. */
const LONGEST = 80 * 1024 * 1024;
/** Bodies up to this size are copied behind their head, so that they need one write. */
const COPIED = 64 * 1024;
/** Frames are written into pieces of memory of this size, one behind the other; into a new one when less than so much is left after a turn. */
const MEMORY = 64 * 1024;
const ENOUGH = 16 * 1024;
/** UTF-8 takes at most so many bytes for each character of a string; of longer ones it is worth counting them. */
const WIDEST = 3;
const SHORT = 2 * 1024;

/** Headers whose values are the same in many frames. Others are different each time, or rare. */
const KEPT_VALUES: ReadonlySet<string> = new Set([
  "accept",
  "authorization",
  "content-type",
  "x-client-address",
]);

/** One frame: a view of what was received. */
export class Frame {
  readonly kind: number;
  readonly id: number;
  readonly bytes: Buffer;
  readonly headAt: number;
  readonly bodyAt: number;
  readonly end: number;

  constructor(bytes: Buffer, at: number, headLength: number, end: number) {
    this.kind = bytes.readUInt8(at);
    this.id = bytes.readUInt32BE(at + 1);
    this.bytes = bytes;
    this.headAt = at + START;
    this.bodyAt = this.headAt + headLength;
    this.end = end;
  }

  get bodyLength(): number {
    return this.end - this.bodyAt;
  }

  body(): Buffer {
    return this.bytes.subarray(this.bodyAt, this.end);
  }

  /** The body, read as UTF-8. */
  text(): string {
    return this.bytes.toString("utf8", this.bodyAt, this.end);
  }
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
      this.#needed = START + headLength + bytes.readUInt32BE(at + 9);
      if (this.#needed > LONGEST) throw new Error(`a frame of ${this.#needed} bytes is too long`);
      if (bytes.length - at < this.#needed) break;
      const end = at + this.#needed;
      frames.push(new Frame(bytes, at, headLength, end));
      at = end;
    }
    this.#pieces = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#length = bytes.length - at;
    return frames;
  }
}

/** Reads the heads of one direction of a link: of all its frames, in their order, because they fill slots for those behind them. */
export class HeadReader {
  readonly #kept = new KeptTexts();
  #at = 0;

  /** Throws for what is no head of a call. */
  call(frame: Frame): CallHead {
    this.#at = frame.headAt;
    const method = this.#text(frame);
    const path = this.#text(frame);
    return { method, path, headers: this.#headers(frame) };
  }

  /** Throws for what is no head of a reply. */
  reply(frame: Frame): ReplyHead {
    this.#at = frame.headAt + 2;
    if (this.#at > frame.bodyAt) throw new Error("a reply has no status");
    return { status: frame.bytes.readUInt16BE(frame.headAt), headers: this.#headers(frame) };
  }

  #headers(frame: Frame): Headers {
    const headers: Record<string, string> = {};
    while (this.#at < frame.bodyAt) {
      const name = this.#text(frame);
      headers[name] = this.#text(frame);
    }
    return headers;
  }

  #text({ bytes, bodyAt }: Frame): string {
    if (this.#at + 2 > bodyAt) throw new Error("a head ends too early");
    const word = bytes.readUInt16BE(this.#at);
    this.#at += 2;
    if (word < FILL) return this.#kept.get(word);
    const from = this.#at + 4;
    if (from <= bodyAt) this.#at = from + bytes.readUInt32BE(from - 4);
    if (from > bodyAt || this.#at > bodyAt) throw new Error("a text is longer than its head");
    const text = bytes.toString("utf8", from, this.#at);
    if (word !== PLAIN) this.#kept.fill(word - FILL, text);
    return text;
  }
}

/** What a socket is to {@link FrameWriter}. */
type Sink = {
  write(bytes: Buffer): unknown;
  cork(): void;
  uncork(): void;
  readonly destroyed: boolean;
};

/** Bytes that a body takes behind its head, at most. */
function copiedBytes(body: string | Buffer): number {
  if (body.length > COPIED) return 0;
  if (typeof body !== "string") return body.length;
  return body.length > SHORT ? Buffer.byteLength(body) : body.length * WIDEST;
}

/** Writes frames: all that come about in one turn of the event loop go out together. */
export class FrameWriter {
  readonly #sink: Sink;
  readonly #sent = new SentTexts();
  /** What was written into it stays as it is until it is sent, which may take its time: it is not used again. */
  #memory = Buffer.allocUnsafeSlow(MEMORY);
  /** Up to where it has gone to the socket, and up to where it is written. */
  #from = 0;
  #at = 0;
  /** What has to go out before that. */
  #before: Buffer[] = [];
  #isWaiting = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  call(id: number, { method, path, headers }: CallHead, body: string | Buffer = ""): void {
    const start = this.#begin(FRAME.call, id, method.length + path.length, headers, body);
    this.#text(method, true);
    this.#text(path, !path.includes("?"));
    this.#headers(headers);
    this.#end(start, body);
  }

  reply(id: number, status: number, headers: Headers, body: string | Buffer = ""): void {
    const start = this.#begin(FRAME.reply, id, 0, headers, body);
    this.#at = this.#memory.writeUInt16BE(status, this.#at);
    this.#headers(headers);
    this.#end(start, body);
  }

  /** A frame that has neither head nor body. */
  notice(kind: typeof FRAME.cancel | typeof FRAME.closing, id: number): void {
    this.#end(this.#begin(kind, id, 0, {}, ""), "");
  }

  /** Writes what waits. */
  flush(): void {
    this.#isWaiting = false;
    if (this.#sink.destroyed) return;
    const before = this.#before;
    if (before.length > 0) {
      this.#before = [];
      this.#sink.cork();
      for (const bytes of before) this.#sink.write(bytes);
    }
    if (this.#at > this.#from) this.#sink.write(this.#memory.subarray(this.#from, this.#at));
    this.#from = this.#at;
    if (before.length > 0) this.#sink.uncork();
    if (this.#memory.length - this.#at < ENOUGH) this.#renew(MEMORY);
  }

  #renew(size: number): void {
    this.#memory = Buffer.allocUnsafeSlow(size);
    this.#from = 0;
    this.#at = 0;
  }

  /** Lets what was written so far go out before what follows. */
  #setAside(): void {
    if (this.#at > this.#from) this.#before.push(this.#memory.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  /** Writes the start of a frame, for which there is room then. Gives where it is. */
  #begin(kind: number, id: number, length: number, headers: Headers, body: string | Buffer) {
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      setImmediate(() => this.flush());
    }
    // Two texts or a status, of six bytes and what they say; then those of the headers.
    let most = START + 12 + length * WIDEST + copiedBytes(body);
    for (const name in headers)
      most += 12 + (name.length + (headers[name] as string).length) * WIDEST;
    if (this.#at + most > this.#memory.length) {
      this.#setAside();
      this.#renew(Math.max(MEMORY, most));
    }
    const start = this.#at;
    this.#memory.writeUInt8(kind, start);
    this.#memory.writeUInt32BE(id, start + 1);
    this.#at = start + START;
    return start;
  }

  #headers(headers: Headers): void {
    for (const name in headers) {
      this.#text(name, true);
      this.#text(headers[name] as string, KEPT_VALUES.has(name));
    }
  }

  #text(text: string, isKept: boolean): void {
    const memory = this.#memory;
    let word = PLAIN;
    if (isKept && text.length <= LONGEST_KEPT) {
      const known = this.#sent.slotOf(text);
      if (known !== undefined) {
        this.#at = memory.writeUInt16BE(known, this.#at);
        return;
      }
      word = FILL + this.#sent.fill(text);
    }
    const from = memory.writeUInt16BE(word, this.#at) + 4;
    const length = memory.write(text, from);
    memory.writeUInt32BE(length, from - 4);
    this.#at = from + length;
  }

  /** Writes the body, and how long head and body are. */
  #end(start: number, body: string | Buffer): void {
    const memory = this.#memory;
    const at = this.#at;
    memory.writeUInt32BE(at - start - START, start + 5);
    if (body.length > COPIED) {
      const bytes = typeof body === "string" ? Buffer.from(body) : body;
      memory.writeUInt32BE(bytes.length, start + 9);
      this.#setAside();
      this.#before.push(bytes);
      return;
    }
    const length = typeof body === "string" ? memory.write(body, at) : body.copy(memory, at);
    memory.writeUInt32BE(length, start + 9);
    this.#at = at + length;
  }
}
