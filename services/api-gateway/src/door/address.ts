/** Where a request comes from: the address of the connection, or what a trusted proxy says of it. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP, isIPv6, type Socket } from "node:net";

/** Networks whose word is taken. */
export type TrustedProxies = { includes(address: string): boolean };

/** No proxy is believed. */
export const nobody: TrustedProxies = { includes: () => false };

/** Reads networks such as `10.0.0.0/8`, `fd00::/8` or single addresses. Undefined: one of them is not one; `wrong` is told which. */
export function trustedProxies(
  networks: readonly string[],
  wrong: (network: string) => void = () => undefined,
): TrustedProxies | undefined {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    const version = isIP(address);
    const longest = version === 6 ? 128 : 32;
    const bits = prefix === undefined ? longest : Number(prefix);
    const isNetwork =
      version !== 0 && /^\d{1,3}$/.test(prefix ?? "0") && bits >= 0 && bits <= longest;
    if (!isNetwork) {
      wrong(network);
      return undefined;
    }
    list.addSubnet(address, bits, version === 6 ? "ipv6" : "ipv4");
  }
  return {
    includes: (address) =>
      networks.length > 0 && list.check(address, isIPv6(address) ? "ipv6" : "ipv4"),
  };
}

/** An address of IPv4 that came by a socket of IPv6 (RFC 4291, 2.5.5.2) as the address of IPv4 that it is. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** Whom an address stands for: of IPv6 a /64, which is the least that one subscriber has (RFC 6177). */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const missing = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...rest];
  return all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":");
}

/** The address that `X-Forwarded-For` tells: the last one that is not of a trusted proxy, since only those behind it are proven. */
function forwardedFor(header: string | undefined, proxies: TrustedProxies): string | undefined {
  const named = (header ?? "").split(",").map((one) => plainAddress(one.trim()));
  const last = named.findLast((address) => isIP(address) === 0 || !proxies.includes(address));
  return last !== undefined && isIP(last) !== 0 ? last : undefined;
}

/** Tells the addresses of clients. */
export type ClientAddresses = {
  /** The address of who sent a request. */
  of(request: IncomingMessage): string;
  /** Whether the other end of a request's connection is a trusted proxy that speaks HTTP: what its headers say is believed. */
  isProxy(request: IncomingMessage): boolean;
  /** Takes note of who is at the other end of a connection, which a proxy passes on untouched. */
  learn(socket: Socket, address: string): void;
};

/** Makes it. */
export function createClientAddresses(proxies: TrustedProxies): ClientAddresses {
  const told = new WeakMap<Socket, string>();
  const isProxy = ({ socket }: IncomingMessage) =>
    !told.has(socket) && proxies.includes(plainAddress(socket.remoteAddress));
  return {
    isProxy,
    of(request) {
      const header = request.headers["x-forwarded-for"];
      const { socket } = request;
      return (
        told.get(socket) ??
        (isProxy(request)
          ? forwardedFor(Array.isArray(header) ? header.join(",") : header, proxies)
          : undefined) ??
        plainAddress(socket.remoteAddress)
      );
    },
    learn: (socket, address) => void told.set(socket, address),
  };
}
