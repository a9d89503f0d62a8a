/**
 * Reads DER, and DER only: what X.690 chapters 10 and 11 forbid is refused, so that two readers of one certificate can
 * never see two things. Work is bounded before it is done: depth and number of elements have limits.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { oid, TAG } from "./der.ts";
import { OID } from "./oid.ts";

/** One element. Buffers are views of the input. */
export type DerNode = {
  /** The identifier octet, class and constructed bit included. */
  readonly tag: number;
  /** Content without header. */
  readonly value: Buffer;
  /** The element with its header. */
  readonly bytes: Buffer;
  /** Elements inside; empty for a primitive. */
  readonly children: readonly DerNode[];
};

/** The input is not DER. `offset` is where. */
export class DerError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.name = "DerError";
    this.offset = offset;
  }
}

const MAX_DEPTH = 16;
const MAX_NODES = 1_024;

/** Reads exactly one element that fills the whole input. */
export function readDer(input: Buffer): DerNode {
  const state = { input, nodes: 0 };
  const node = readNode(state, 0, input.length, 0);
  if (node.bytes.length !== input.length)
    throw new DerError("bytes follow the end", node.bytes.length);
  return node;
}

type ReadState = { readonly input: Buffer; nodes: number };

function readNode(state: ReadState, start: number, end: number, depth: number): DerNode {
  const { input } = state;
  if (depth > MAX_DEPTH) throw new DerError("nested too deep", start);
  state.nodes += 1;
  if (state.nodes > MAX_NODES) throw new DerError("too many elements", start);
  if (start + 2 > end) throw new DerError("cut short", start);
  const tag = input[start] as number;
  if ((tag & 0x1f) === 0x1f) throw new DerError("tag numbers above 30 are not used here", start);
  const { length, contentStart } = readLength(input, start + 1, end);
  const contentEnd = contentStart + length;
  if (contentEnd > end) throw new DerError("longer than what contains it", start);
  const value = input.subarray(contentStart, contentEnd);
  const constructed = (tag & 0x20) !== 0;
  const children: DerNode[] = [];
  if (constructed) {
    for (let at = contentStart; at < contentEnd;) {
      const child = readNode(state, at, contentEnd, depth + 1);
      children.push(child);
      at += child.bytes.length;
    }
  }
  const node = { tag, value, bytes: input.subarray(start, contentEnd), children };
  if ((tag & 0xc0) === 0) checkUniversal(node, start);
  return node;
}

function readLength(
  input: Buffer,
  at: number,
  end: number,
): { length: number; contentStart: number } {
  const first = input[at] as number;
  if (first < 0x80) return { length: first, contentStart: at + 1 };
  if (first === 0x80) throw new DerError("indefinite length", at);
  const octets = first & 0x7f;
  if (octets > 4) throw new DerError("length is too large", at);
  if (at + 1 + octets > end) throw new DerError("cut short", at);
  const length = input.readUIntBE(at + 1, octets);
  if (length < 0x80 || length < 2 ** (8 * (octets - 1)))
    throw new DerError("length is not minimal", at);
  return { length, contentStart: at + 1 + octets };
}

function checkUniversal(node: DerNode, at: number): void {
  const fault = universalFault(node);
  if (fault !== undefined) throw new DerError(fault, at);
}

function universalFault({ tag, value, children }: DerNode): string | undefined {
  switch (tag) {
    case TAG.sequence:
      return undefined;
    case TAG.set:
      return children.every((child, index) => {
        const before = children[index - 1];
        return before === undefined || Buffer.compare(before.bytes, child.bytes) < 0;
      })
        ? undefined
        : "SET is not in order";
    case TAG.boolean:
      return value.length === 1 && (value[0] === 0 || value[0] === 0xff)
        ? undefined
        : "BOOLEAN is not 00 or FF";
    case TAG.integer:
      return integerFault(value);
    case TAG.bitString:
      return bitStringFault(value);
    case TAG.octetString:
      return undefined;
    case TAG.null:
      return value.length === 0 ? undefined : "NULL is not empty";
    case TAG.oid:
      return oidFault(value);
    case TAG.utf8String:
      return isUtf8(value) ? undefined : "UTF8String is not UTF-8";
    case TAG.printableString:
      return /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value.toString("latin1"))
        ? undefined
        : "PrintableString has other characters";
    case TAG.ia5String:
      return isAscii(value) ? undefined : "IA5String is not ASCII";
    case TAG.utcTime:
      return readTime(tag, value) === undefined ? "UTCTime is not YYMMDDHHMMSSZ" : undefined;
    case TAG.generalizedTime:
      return readTime(tag, value) === undefined
        ? "GeneralizedTime is not YYYYMMDDHHMMSSZ"
        : undefined;
    case T61_STRING:
      return undefined;
    case BMP_STRING:
      return value.length % 2 === 0 ? undefined : "BMPString has an odd length";
    default:
      return `universal type 0x${tag.toString(16)} is not used here`;
  }
}

// Old tools still write a CSR's challenge password in these; nothing here reads their text.
const T61_STRING = 0x14;
const BMP_STRING = 0x1e;

function integerFault(value: Buffer): string | undefined {
  const [first, second] = value;
  if (first === undefined) return "INTEGER is empty";
  if (second === undefined) return undefined;
  const padded = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
  return padded ? "INTEGER is not minimal" : undefined;
}

function bitStringFault(value: Buffer): string | undefined {
  const unused = value[0];
  if (unused === undefined) return "BIT STRING is empty";
  if (unused > 7 || (unused > 0 && value.length === 1))
    return "BIT STRING has a wrong count of unused bits";
  const last = value[value.length - 1] as number;
  return unused > 0 && (last & ((1 << unused) - 1)) !== 0
    ? "BIT STRING has unused bits that are set"
    : undefined;
}

function oidFault(value: Buffer): string | undefined {
  if (value.length === 0 || value.length > 64) return "OBJECT IDENTIFIER has a wrong length";
  if ((value[value.length - 1] as number) & 0x80) return "OBJECT IDENTIFIER is cut short";
  let starts = true;
  for (const octet of value) {
    if (starts && octet === 0x80) return "OBJECT IDENTIFIER is padded";
    starts = octet < 0x80;
  }
  return undefined;
}

/** Dotted form of an OBJECT IDENTIFIER's content. */
export function readOid(node: DerNode): string {
  return KNOWN.get(node.value.toString("latin1")) ?? dottedOf(node);
}

/** Those of this library by their content. */
const KNOWN: ReadonlyMap<string, string> = new Map(
  Object.values(OID).map((dotted) => [oid(dotted).subarray(2).toString("latin1"), dotted]),
);

function dottedOf(node: DerNode): string {
  const arcs: bigint[] = [];
  let arc = 0n;
  for (const octet of node.value) {
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    if (octet < 0x80) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const head = arcs[0] ?? 0n;
  const first = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [first, head - first * 40n, ...arcs.slice(1)].join(".");
}

/** The date of a UTCTime or GeneralizedTime in the form of RFC 5280, or undefined. */
export function readTime(tag: number, value: Buffer): Date | undefined {
  const match =
    tag === TAG.utcTime
      ? /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(value.toString("latin1"))
      : /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(value.toString("latin1"));
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1)
    .map(Number);
  const fullYear = tag === TAG.utcTime ? (year < 50 ? 2000 : 1900) + year : year;
  const date = new Date(0);
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  // Date carries over what is too much, such as 31 February.
  const isSame =
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  return isSame ? date : undefined;
}
