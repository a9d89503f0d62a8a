/**
 * Writes DER (X.690). Hand assembled: a certificate is built some thousand times a second, and a generic tree of
 * objects costs more than the signature.
 */

/** Identifier octets of the types that are written or read. */
export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One TLV with any identifier octet. */
export function tlv(tag: number, ...parts: readonly Buffer[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = lengthOctets(tag, length);
  return Buffer.concat([header, ...parts], header.length + length);
}

function lengthOctets(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  if (length < 0x100) return Buffer.from([tag, 0x81, length]);
  if (length < 0x10000) return Buffer.from([tag, 0x82, length >> 8, length & 0xff]);
  if (length < 0x1000000)
    return Buffer.from([tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  throw new RangeError("a DER value of 16 MiB or more is not written");
}

export const sequence = (...parts: readonly Buffer[]): Buffer => tlv(TAG.sequence, ...parts);

/** SET OF: DER orders the elements by their encoding. */
export const setOf = (...parts: readonly Buffer[]): Buffer =>
  tlv(TAG.set, ...parts.toSorted((left, right) => Buffer.compare(left, right)));

/** `[n] EXPLICIT` or a constructed `[n] IMPLICIT`. */
export const contextConstructed = (number: number, ...parts: readonly Buffer[]): Buffer =>
  tlv(0xa0 | number, ...parts);

/** A primitive `[n] IMPLICIT`. */
export const contextPrimitive = (number: number, value: Buffer): Buffer =>
  tlv(0x80 | number, value);

export const derTrue: Buffer = Buffer.from([TAG.boolean, 1, 0xff]);
export const derNull: Buffer = Buffer.from([TAG.null, 0]);

/** A non-negative INTEGER from its big-endian bytes. */
export function unsignedInteger(bytes: Buffer): Buffer {
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start += 1;
  const value = bytes.length === 0 ? Buffer.from([0]) : bytes.subarray(start);
  return tlv(
    TAG.integer,
    (value[0] as number) & 0x80 ? Buffer.concat([Buffer.from([0]), value]) : value,
  );
}

/** A small non-negative INTEGER. */
export const smallInteger = (value: number): Buffer => unsignedInteger(Buffer.from([value]));

/** A BIT STRING of whole octets. */
export const bitString = (bytes: Buffer): Buffer => tlv(TAG.bitString, Buffer.from([0]), bytes);

/** A named bit list: trailing zero bits are not written (X.690 11.2.2). */
export function namedBits(bits: readonly number[]): Buffer {
  if (bits.length === 0) return tlv(TAG.bitString, Buffer.from([0]));
  const last = Math.max(...bits);
  const octets = Buffer.alloc((last >> 3) + 1);
  for (const bit of bits) octets[bit >> 3] = (octets[bit >> 3] as number) | (0x80 >> (bit & 7));
  return tlv(TAG.bitString, Buffer.from([7 - (last & 7)]), octets);
}

export const octetString = (bytes: Buffer): Buffer => tlv(TAG.octetString, bytes);

const oids = new Map<string, Buffer>();

/** An OBJECT IDENTIFIER from its dotted form. */
export function oid(dotted: string): Buffer {
  const known = oids.get(dotted);
  if (known !== undefined) return known;
  const arcs = dotted.split(".").map(Number);
  const [first, second, ...rest] = arcs;
  if (
    first === undefined ||
    second === undefined ||
    arcs.some((arc) => !Number.isSafeInteger(arc) || arc < 0)
  ) {
    throw new RangeError(`not an object identifier: ${dotted}`);
  }
  const encoded = tlv(TAG.oid, Buffer.from([first * 40 + second, ...rest].flatMap(base128)));
  oids.set(dotted, encoded);
  return encoded;
}

function base128(arc: number): number[] {
  const octets = [arc % 128];
  for (let rest = Math.floor(arc / 128); rest > 0; rest = Math.floor(rest / 128))
    octets.unshift((rest % 128) | 0x80);
  return octets;
}

export const utf8String = (text: string): Buffer => tlv(TAG.utf8String, Buffer.from(text, "utf8"));
export const printableString = (text: string): Buffer =>
  tlv(TAG.printableString, Buffer.from(text, "latin1"));

/** Time of a certificate: UTCTime through 2049, GeneralizedTime after (RFC 5280 4.1.2.5). Fractions of a second are cut. */
export function time(date: Date): Buffer {
  const year = date.getUTCFullYear();
  if (!(year >= 1950 && year <= 9999))
    throw new RangeError("a certificate's time lies between 1950 and 9999");
  const digits = date.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14);
  return year < 2050
    ? tlv(TAG.utcTime, Buffer.from(`${digits.slice(2)}Z`, "latin1"))
    : tlv(TAG.generalizedTime, Buffer.from(`${digits}Z`, "latin1"));
}
