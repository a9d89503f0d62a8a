import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FRAME, type Frame, FrameReader, FrameWriter, HeadReader } from "./frame.ts";
import { SLOTS } from "./texts.ts";

/** What a {@link FrameWriter} wrote. */
function written(write: (writer: FrameWriter) => void): Buffer {
  const pieces: Buffer[] = [];
  const writer = new FrameWriter({
    write: (bytes) => pieces.push(bytes),
    cork: () => undefined,
    uncork: () => undefined,
    destroyed: false,
  });
  write(writer);
  writer.flush();
  return Buffer.concat(pieces);
}

describe("frames", () => {
  const text = fc.string({ unit: "grapheme" });
  /** A few texts that come again and again, and others. */
  const value = fc.oneof(fc.constantFrom("a", "b", "c".repeat(5_000)), text);
  const headers = fc.dictionary(
    fc.oneof(
      fc.constantFrom("authorization", "x-request-id", "accept"),
      text.filter((name) => name !== "__proto__"),
    ),
    value,
  );
  const body = fc.oneof(
    text,
    fc.constant("ä€x".repeat(30_000)),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.constant(Buffer.alloc(70_000, "x")),
  );
  const id = fc.nat({ max: 0xffffffff });
  const anyFrame = fc.oneof(
    fc.record({
      kind: fc.constant(FRAME.call),
      id,
      head: fc.record({ method: fc.constantFrom("GET", "POST"), path: value, headers }),
      body,
    }),
    fc.record({
      kind: fc.constant(FRAME.reply),
      id,
      head: fc.record({ status: fc.nat({ max: 999 }), headers }),
      body,
    }),
    fc.record({ kind: fc.constantFrom(FRAME.cancel, FRAME.closing), id }),
  );

  it("come out as they went in, in whatever pieces they are received", () => {
    fc.assert(
      fc.property(fc.array(anyFrame), fc.integer({ min: 1, max: 50 }), (frames, size) => {
        const bytes = written((writer) => {
          for (const frame of frames) {
            const { kind, id } = frame;
            if (kind === FRAME.call) writer.call(id, frame.head, frame.body);
            else if (kind === FRAME.reply)
              writer.reply(id, frame.head.status, frame.head.headers, frame.body);
            else writer.notice(kind, id);
          }
        });
        const reader = new FrameReader();
        const heads = new HeadReader();
        const read: object[] = [];
        // Long bodies in larger pieces, or it takes too long.
        const step = bytes.length > 10_000 ? size * 1_000 : size;
        for (let at = 0; at < bytes.length; at += step) {
          for (const frame of reader.read(bytes.subarray(at, at + step))) {
            const { kind, id } = frame;
            const said = { kind, id, body: frame.body().toString("hex") };
            if (kind === FRAME.call) read.push({ ...said, head: heads.call(frame) });
            else if (kind === FRAME.reply) read.push({ ...said, head: heads.reply(frame) });
            else read.push(said);
          }
        }
        expect(read).toEqual(
          frames.map((frame) => ({
            ...frame,
            body: "body" in frame ? Buffer.from(frame.body).toString("hex") : "",
          })),
        );
      }),
    );
  });

  it("say again what was sent before in two bytes, as long as there is no new text for each slot", () => {
    const call = (authorization: string) => ({
      method: "GET",
      path: "/x",
      headers: { authorization },
    });
    const token = "t".repeat(1_400);
    const heads = new HeadReader();
    const reader = new FrameReader();
    const lengths: number[] = [];
    const bytes = written((writer) => {
      for (const one of [token, token, ...Array.from({ length: SLOTS }, (_, n) => `n${n}`), token])
        writer.call(0, call(one));
    });
    const said: string[] = [];
    for (const frame of reader.read(bytes)) {
      lengths.push(frame.bodyAt - frame.headAt);
      said.push(heads.call(frame).headers["authorization"] as string);
    }
    expect([said[0], said[1], said[2], said.at(-1)]).toEqual([token, token, "n0", token]);
    expect(lengths[0]).toBeGreaterThan(1_400);
    expect(lengths[1]).toBe(4 * 2);
    expect(lengths.at(-1)).toBeGreaterThan(1_400);
  });

  it("that are too long are refused before they are kept", () => {
    const start = Buffer.alloc(13);
    start.writeUInt32BE(0xffffffff, 9);
    expect(() => new FrameReader().read(start)).toThrow(/too long/);
  });

  it("whose head names what was never sent, or wants more kept than may be, are refused", () => {
    const call = (...texts: Buffer[]): Frame => {
      const head = Buffer.concat(texts);
      const start = Buffer.alloc(13);
      start.writeUInt8(FRAME.call, 0);
      start.writeUInt32BE(head.length, 5);
      const [frame] = new FrameReader().read(Buffer.concat([start, head]));
      return frame as Frame;
    };
    const word = (...numbers: number[]) => Buffer.from(numbers);
    const plain = (said: string) =>
      Buffer.concat([word(0xff, 0xff, 0, 0, 0, said.length), Buffer.from(said)]);
    const read = (...texts: Buffer[]) => new HeadReader().call(call(...texts));
    expect(read(plain("GET"), plain("/"))).toEqual({ method: "GET", path: "/", headers: {} });
    expect(() => read(word(0, 0), plain("/"))).toThrow(/nothing was sent/);
    expect(() => read(plain("GET"), word(0x7f, 0xff))).toThrow(/nothing was sent/);
    expect(() => read(plain("GET"), word(0x80 + SLOTS / 256, 0, 0, 0, 0, 1, 65))).toThrow(
      `no slot ${SLOTS}`,
    );
    const long = Buffer.concat([word(0x80, 0, 0, 0, 0x10, 1), Buffer.alloc(4_097, "x")]);
    expect(() => read(plain("GET"), long)).toThrow(/too long to be kept/);
    expect(() => read(plain("GET"), word(0xff, 0xff, 0, 0, 0, 2, 65))).toThrow(/longer than/);
    expect(() => read(plain("GET"), word(0xff, 0xff, 0))).toThrow(/longer than/);
    expect(() => read(plain("GET"))).toThrow(/ends too early/);
    expect(() => read(plain("GET"), plain("/"), plain("name"))).toThrow(/ends too early/);
    expect(() => read(plain("GET"), plain("/"), word(0))).toThrow(/ends too early/);
    expect(() => new HeadReader().reply(call(word(0)))).toThrow(/no status/);
  });
});
