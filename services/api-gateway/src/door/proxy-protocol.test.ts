import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readProxyHeader } from "./proxy-protocol.ts";

const signature = "\r\n\r\n\0\r\nQUIT\n";
const bytes = (text: string) => Buffer.from(text, "latin1");

/** A header of version 2. */
function binary(command: number, family: number, payload: Buffer): Buffer {
  const head = Buffer.from([0x20 | command, (family << 4) | 1, 0, 0]);
  head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([bytes(signature), head, payload]);
}

const ports = Buffer.from([0x1f, 0x90, 0x01, 0xbb]);
const four = Buffer.concat([Buffer.from([203, 0, 113, 9, 10, 0, 0, 1]), ports]);
const six = Buffer.concat([
  Buffer.from("20010db8000000000000000000000007", "hex"),
  Buffer.alloc(16),
  ports,
]);

const whole: readonly (readonly [string, Buffer, string | undefined])[] = [
  ["version 1, IPv4", bytes("PROXY TCP4 203.0.113.9 10.0.0.1 50000 8443\r\n"), "203.0.113.9"],
  ["version 1, IPv6", bytes("PROXY TCP6 2001:db8::7 fd00::1 50000 8443\r\n"), "2001:db8::7"],
  ["version 1, unknown", bytes("PROXY UNKNOWN\r\n"), undefined],
  ["version 2, IPv4", binary(1, 1, four), "203.0.113.9"],
  ["version 2, IPv4 with more", binary(1, 1, Buffer.concat([four, bytes("more")])), "203.0.113.9"],
  ["version 2, IPv6", binary(1, 2, six), "2001:db8:0:0:0:0:0:7"],
  ["version 2, local", binary(0, 0, Buffer.alloc(0)), undefined],
  ["version 2, Unix socket", binary(1, 3, Buffer.alloc(216)), undefined],
];

describe("the header of the PROXY protocol", () => {
  it.each(whole)("is read: %s", (_, header, address) => {
    const data = Buffer.concat([header, bytes("\x16\x03\x01")]);
    expect(readProxyHeader(data)).toEqual({ is: "whole", length: header.length, address });
  });

  it.each(whole)("is waited for while a byte of it is missing: %s", (_, header) => {
    for (let length = 0; length < header.length; length += 1)
      expect(readProxyHeader(header.subarray(0, length))).toEqual({ is: "unfinished" });
  });

  it.each([
    ["TLS without it", bytes("\x16\x03\x01\x02\x00")],
    ["another protocol", bytes("GET / HTTP/1.1\r\n")],
    ["an address that is none", bytes("PROXY TCP4 999.0.113.9 10.0.0.1 1 2\r\n")],
    ["an address of the other family", bytes("PROXY TCP4 2001:db8::7 fd00::1 1 2\r\n")],
    ["a line with too few words", bytes("PROXY TCP4 203.0.113.9\r\n")],
    ["a line without end", bytes(`PROXY TCP4 ${"1".repeat(200)}`)],
    ["another version", Buffer.concat([bytes(signature), Buffer.from([0x31, 0x11, 0, 0])])],
    ["a command that does not exist", binary(7, 1, four)],
    ["addresses cut short", binary(1, 2, four)],
    [
      "a payload of 64 KiB",
      Buffer.concat([bytes(signature), Buffer.from([0x21, 0x11, 0xff, 0xff])]),
    ],
  ])("is refused: %s", (_, data) => {
    expect(readProxyHeader(data)).toEqual({ is: "wrong" });
  });

  it("is never longer than what was sent, whatever that is", () => {
    const start = fc.constantFrom(bytes(signature), bytes("PROXY TCP4 "), Buffer.alloc(0));
    fc.assert(
      fc.property(start, fc.uint8Array({ maxLength: 300 }), (head, tail) => {
        const data = Buffer.concat([head, tail]);
        const read = readProxyHeader(data);
        expect(read.is === "whole" ? read.length : 0).toBeLessThanOrEqual(data.length);
      }),
    );
  });
});
