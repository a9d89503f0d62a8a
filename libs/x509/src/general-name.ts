/** Names in the subject alternative name extension (RFC 5280 4.2.1.6). */
import { isIP } from "node:net";
import { contextPrimitive, sequence } from "./der.ts";
import type { DerNode } from "./reader.ts";

/** The subject's other names, by type. */
export type AlternativeNames = {
  readonly dns?: readonly string[];
  /** IPv4 or IPv6 addresses in text form. */
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
};

const DNS = 2;
const URI = 6;
const IP = 7;

/** Content of the extension. */
export function encodeAlternativeNames(names: AlternativeNames): Buffer {
  return sequence(
    ...(names.dns ?? []).map((name) => contextPrimitive(DNS, Buffer.from(name, "latin1"))),
    ...(names.ip ?? []).map((address) => contextPrimitive(IP, addressBytes(address))),
    ...(names.uri ?? []).map((uri) => contextPrimitive(URI, Buffer.from(uri, "latin1"))),
  );
}

/** What is wrong with the names of an extension's content; empty when nothing is. */
export function alternativeNameFaults(node: DerNode): string[] {
  if (node.children.length === 0) return ["subject alternative name is empty"];
  return node.children.flatMap(({ tag, value }) => {
    const text = value.toString("latin1");
    if (tag === (0x80 | DNS)) return isDnsName(text) ? [] : [`"${text}" is not a DNS name`];
    if (tag === (0x80 | URI))
      return isAbsoluteUri(text) ? [] : [`"${text}" is not an absolute URI`];
    if (tag === (0x80 | IP))
      return value.length === 4 || value.length === 16 ? [] : ["IP address has a wrong length"];
    return [`subject alternative name has the type 0x${tag.toString(16)}`];
  });
}

/** The names of an extension's content; addresses in their canonical text form. */
export function readAlternativeNames(node: DerNode): Required<AlternativeNames> {
  const ofType = (type: number): Buffer[] =>
    node.children.filter(({ tag }) => tag === (0x80 | type)).map(({ value }) => value);
  return {
    dns: ofType(DNS).map((value) => value.toString("latin1")),
    ip: ofType(IP).map(addressText),
    uri: ofType(URI).map((value) => value.toString("latin1")),
  };
}

/** True for a name of letters, digits and hyphens, with or without a `*.` in front; names of other scripts come as punycode. */
export function isDnsName(name: string): boolean {
  if (name.length > 253 || isIP(name) !== 0) return false;
  return /^(?:\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/.test(
    name,
  );
}

/** True for an absolute URI in ASCII. */
export function isAbsoluteUri(text: string): boolean {
  return /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/i.test(text) && URL.canParse(text);
}

/** The 4 or 16 bytes of an address. */
export function addressBytes(address: string): Buffer {
  const version = isIP(address);
  if (version === 4) return Buffer.from(address.split(".").map(Number));
  if (version === 6 && !address.includes("%")) return ipv6Bytes(address);
  throw new RangeError(`not an IP address: ${address}`);
}

/** The canonical text form of 4 or 16 bytes: `127.0.0.1`, `2001:db8::1`. */
function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = bytes.toString("hex").match(/.{4}/g) ?? [];
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

/** The same address in its canonical text form. */
export const canonicalAddress = (address: string): string => addressText(addressBytes(address));

function ipv6Bytes(address: string): Buffer {
  // The URL parser writes every form, also ::ffff:10.0.0.1, as hexadecimal groups.
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [left = "", right] = groups.split("::");
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => "0");
  return Buffer.from(
    [...head, ...zeros, ...tail].map((group) => group.padStart(4, "0")).join(""),
    "hex",
  );
}
