/**
 * The PROXY protocol, versions 1 and 2 (the HAProxy project's specification, "The PROXY protocol, versions 1 & 2"): a proxy that passes
 * TLS on untouched writes before it who has connected. No I/O.
 */
import { isIP } from "node:net";

/** What the start of a connection is: a header of so many bytes, not yet whole, or none. `address` undefined: the proxy speaks for itself. */
export type ProxyHeader =
  | { readonly is: "whole"; readonly length: number; readonly address: string | undefined }
  | { readonly is: "unfinished" }
  | { readonly is: "wrong" };

const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** The longest line of version 1, with its end. */
const LONGEST_LINE = 107;
/** Addresses and what proxies add to them take a few hundred bytes; more is not read. */
const LONGEST_PAYLOAD = 4_096;
const HEAD = 16;

const wrong = { is: "wrong" } as const;
const unfinished = { is: "unfinished" } as const;

function version1(data: Buffer): ProxyHeader {
  const end = data.subarray(0, LONGEST_LINE).indexOf("\r\n");
  if (end < 0) return data.length >= LONGEST_LINE ? wrong : unfinished;
  const [, family, source = "", ...rest] = data.toString("latin1", 0, end).split(" ");
  const length = end + 2;
  if (family === "UNKNOWN") return { is: "whole", length, address: undefined };
  const version = family === "TCP4" ? 4 : 6;
  const isRight =
    (family === "TCP4" || family === "TCP6") && isIP(source) === version && rest.length === 3;
  return isRight ? { is: "whole", length, address: source } : wrong;
}

function address6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16));
  return groups.join(":");
}

function version2(data: Buffer): ProxyHeader {
  if (data.length < HEAD) return unfinished;
  const [versionAndCommand = 0, familyAndProtocol = 0] = data.subarray(12);
  const payload = data.readUInt16BE(14);
  const command = versionAndCommand & 0x0f;
  if (versionAndCommand >> 4 !== 2 || command > 1 || payload > LONGEST_PAYLOAD) return wrong;
  const length = HEAD + payload;
  if (data.length < length) return unfinished;
  // LOCAL: the proxy looks whether we are there.
  if (command === 0) return { is: "whole", length, address: undefined };
  const family = familyAndProtocol >> 4;
  const address = data.subarray(HEAD, length);
  if (family === 1)
    return payload < 12
      ? wrong
      : { is: "whole", length, address: address.subarray(0, 4).join(".") };
  if (family === 2)
    return payload < 36
      ? wrong
      : { is: "whole", length, address: address6(address.subarray(0, 16)) };
  return { is: "whole", length, address: undefined };
}

/** Reads the header at the start of a connection. */
export function readProxyHeader(data: Buffer): ProxyHeader {
  const common = Math.min(data.length, SIGNATURE.length);
  if (data.subarray(0, common).equals(SIGNATURE.subarray(0, common)))
    return data.length < SIGNATURE.length ? unfinished : version2(data);
  const start = "PROXY ";
  const text = data.toString("latin1", 0, Math.min(data.length, start.length));
  if (!start.startsWith(text)) return wrong;
  return text.length < start.length ? unfinished : version1(data);
}
