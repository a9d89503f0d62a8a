/** Which addresses a message may go to: on a plane that many share, never inside its own network. */
import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import ipaddr from "ipaddr.js";

/** Whether an IP address is on the public internet: not private, loopback, link-local, reserved or a metadata service. */
export function isPublicAddress(address: string): boolean {
  let parsed: ipaddr.IPv4 | ipaddr.IPv6 = ipaddr.parse(address);
  if (parsed.kind() === "ipv6" && (parsed as ipaddr.IPv6).isIPv4MappedAddress())
    parsed = (parsed as ipaddr.IPv6).toIPv4Address();
  return parsed.range() === "unicast";
}

/** The host of a URL when it is an IP address, without the brackets of IPv6. */
function literalAddress(url: string): string | undefined {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? undefined : host;
}

/** What is wrong with a URL as a target, as far as it can be seen without asking DNS. */
export function targetFault(url: string): string | undefined {
  const address = literalAddress(url);
  const isLocal =
    address === undefined
      ? /(^|\.)localhost\.?$/i.test(new URL(url).hostname)
      : !isPublicAddress(address);
  return isLocal ? "must not be a private address" : undefined;
}

/** How names are looked up: all addresses of a host. */
export type SystemLookup = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Looks a host up and fails unless all its addresses are public. The connection uses the very addresses that were checked, so
 * an answer of DNS that changes between check and use gains nothing.
 */
export const onlyPublic =
  (lookup: SystemLookup = systemLookup): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, "", 0);
      if (!addresses.every(({ address }) => isPublicAddress(address))) {
        return callback(
          Object.assign(new Error("the host has a private address"), { code: "EPRIVATE" }),
          "",
          0,
        );
      }
      const [first] = addresses;
      if (options.all === true) return callback(null, addresses);
      return callback(null, first?.address ?? "", first?.family ?? 0);
    });
  };
