import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bitString,
  contextConstructed,
  namedBits,
  octetString,
  oid,
  sequence,
  setOf,
  TAG,
  time,
  tlv,
  unsignedInteger,
  utf8String,
} from "./der.ts";
import { DerError, readDer, readOid, readTime } from "./reader.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
const bytes = (max: number) => fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array));

const { tree } = fc.letrec<{ tree: Buffer; leaf: Buffer }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    tie("leaf"),
    fc.array(tie("tree"), { maxLength: 4 }).map((parts) => sequence(...parts)),
    fc.array(tie("tree"), { maxLength: 3 }).map((parts) => contextConstructed(1, ...parts)),
    fc
      .uniqueArray(tie("tree"), { maxLength: 3, selector: (part) => part.toString("hex") })
      .map((parts) => setOf(...parts)),
  ),
  leaf: fc.oneof(
    bytes(300).map(octetString),
    bytes(20).map(unsignedInteger),
    bytes(40).map(bitString),
    fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 5 }).map(namedBits),
    fc.string({ unit: "grapheme", maxLength: 20 }).map(utf8String),
    fc
      .date({ min: new Date("1950-01-01"), max: new Date("9999-01-01"), noInvalidDate: true })
      .map(time),
    fc.array(fc.nat(), { maxLength: 6 }).map((arcs) => oid(["1", "2", ...arcs].join("."))),
  ),
}));

function rewritten(node: ReturnType<typeof readDer>): Buffer {
  return node.tag & 0x20
    ? tlv(node.tag, ...node.children.map(rewritten))
    : tlv(node.tag, node.value);
}

describe("the reader", () => {
  it("reads everything that the writer writes, and it encodes to the same bytes again", () => {
    fc.assert(fc.property(tree, (der) => rewritten(readDer(der)).equals(der)));
  });

  it("throws nothing but DerError at random bytes, and what it accepts encodes to the same bytes again", () => {
    const der = fc.oneof(
      bytes(64),
      fc.tuple(tree, fc.nat(), fc.nat(255)).map(([der, at, octet]) => {
        const damaged = Buffer.from(der);
        damaged[at % damaged.length] = octet;
        return damaged;
      }),
    );
    fc.assert(
      fc.property(der, (input) => {
        try {
          return rewritten(readDer(input)).equals(input);
        } catch (error) {
          return error instanceof DerError;
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses every cut-off and every lengthened form of what it accepts", () => {
    fc.assert(
      fc.property(tree, fc.nat(), (der, cut) => {
        expect(() => readDer(der.subarray(0, cut % der.length))).toThrow(DerError);
        expect(() => readDer(Buffer.concat([der, Buffer.from([0])]))).toThrow(DerError);
      }),
    );
  });

  it.each([
    ["an indefinite length", "3080 0000"],
    ["a length in the long form that fits the short", "0481 0100"],
    ["a length with leading zeros", "0482 0001 00"],
    ["a length of more than four octets", "0485 0000000001 00"],
    ["a BOOLEAN that is neither 00 nor FF", "0101 01"],
    ["a padded INTEGER", "0202 0001"],
    ["a padded negative INTEGER", "0202 ff80"],
    ["an empty INTEGER", "0200"],
    ["a BIT STRING without its count of unused bits", "0300"],
    ["a BIT STRING with unused bits set", "0302 0101"],
    ["an empty BIT STRING that counts unused bits", "0301 01"],
    ["a NULL with content", "0501 00"],
    ["a padded OBJECT IDENTIFIER", "0603 2a8001"],
    ["an OBJECT IDENTIFIER that is cut short", "0602 2a81"],
    ["an empty OBJECT IDENTIFIER", "0600"],
    ["a constructed OCTET STRING", "2404 0402 0000"],
    ["a primitive SEQUENCE", "1000"],
    ["a high tag number", "1f81 0100"],
    ["an end-of-contents", "0000"],
    ["a UTF8String that is not UTF-8", "0c02 c328"],
    ["a PrintableString with an underscore", "1301 5f"],
    ["an IA5String with a high bit", "1601 e4"],
    ["a UTCTime without seconds", "170b 323630313031303030305a"],
    ["a GeneralizedTime with a fraction", "1811 32303530303130313030303030302e315a"],
    ["a SET out of order", "3106 0201 02 0201 01"],
    ["nothing at all", ""],
  ])("refuses %s", (_what, input) => {
    expect(() => readDer(hex(input))).toThrow(DerError);
  });

  it("gives up at a nesting of a thousand levels, and at thousands of elements, without reading them all", () => {
    let deep = sequence();
    for (let level = 0; level < 1_000; level += 1) deep = sequence(deep);
    expect(() => readDer(deep)).toThrow("nested too deep");
    expect(() => readDer(sequence(...Array.from({ length: 5_000 }, () => sequence())))).toThrow(
      "too many elements",
    );
  });

  it("reads object identifiers of every first arc, however large", () => {
    for (const id of ["0.9.2342.19200300.100.1.1", "1.3.101.112", "2.5.29.15", "2.999.1"]) {
      expect(readOid(readDer(oid(id)))).toBe(id);
    }
  });

  it("takes a two-digit year of 50 for 1950 and of 49 for 2049, and no day that does not exist", () => {
    const utc = (text: string) => readTime(TAG.utcTime, Buffer.from(text))?.toISOString();
    expect(utc("500101000000Z")).toBe("1950-01-01T00:00:00.000Z");
    expect(utc("491231235959Z")).toBe("2049-12-31T23:59:59.000Z");
    expect(utc("260230000000Z")).toBeUndefined();
    expect(utc("260101240000Z")).toBeUndefined();
  });
});
