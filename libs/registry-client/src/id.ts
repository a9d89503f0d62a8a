/** Ids of objects: UUIDs of version 7 (RFC 9562), whose order is the order of their creation. */
import { randomBytes } from "node:crypto";

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a text has the form of an id. */
export function isUUID(text: string): boolean {
  return form.test(text);
}

/** A hexadecimal text of 32 digits as a UUID is written. */
const written = (hex: string): string =>
  [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  );

/** A UUID of one's own making (RFC 9562, version 8) from the beginning of a digest. */
export function uuidOf(digest: Buffer): string {
  const bytes = Buffer.from(digest.subarray(0, 16));
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return written(bytes.toString("hex"));
}

/** Makes ids. Each is greater than the one before, also within a millisecond. */
export function createIDSource(
  now: () => number,
  random: (bytes: number) => Buffer = randomBytes,
): () => string {
  let last = 0;
  let counter = 0;
  return () => {
    const time = Math.max(now(), last);
    counter = time === last ? counter + 1 : random(2).readUInt16BE() & 0x07ff;
    last = counter > 0x0fff ? time + 1 : time;
    counter &= 0x0fff;
    const bytes = random(16);
    bytes.writeUIntBE(last, 0, 6);
    bytes.writeUInt16BE(0x7000 | counter, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    return written(bytes.toString("hex"));
  };
}
