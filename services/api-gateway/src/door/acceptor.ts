/** New connections: who it is when a proxy passes them on, and how many one address may have. Nothing of TLS is done for who is refused. */
import type { Socket } from "node:net";
import type { RateLimiter } from "../limit/rate-limiter.ts";
import { addressKey, plainAddress, type TrustedProxies } from "./address.ts";
import { readProxyHeader } from "./proxy-protocol.ts";

/** How many connections there may be at a time. */
export type ConnectionLimits = { readonly all: number; readonly perAddress: number };

/** Takes connections of one listener. */
export type Acceptor = {
  accept(socket: Socket, pass: () => void): void;
  /** The address that a proxy told of a connection, by the port and address at which the proxy has it. */
  told(socket: Pick<Socket, "remoteAddress" | "remotePort">): string | undefined;
  /** Connections that are open. */
  open(): number;
};

/** Milliseconds within which the header of the PROXY protocol has to come. */
const HEADER_WITHIN = 5_000;

const peerOf = ({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">) =>
  `${remoteAddress} ${remotePort}`;

/** Makes it. `onRefused` is told why a connection was refused. */
export function createAcceptor(options: {
  readonly limits: ConnectionLimits;
  readonly rate: RateLimiter | undefined;
  /** Whose connections begin with a header of the PROXY protocol; undefined: nobody's. */
  readonly proxies: TrustedProxies | undefined;
  readonly onRefused: (why: "limit" | "rate" | "proxy") => void;
}): Acceptor {
  const { limits, rate, proxies, onRefused } = options;
  const byAddress = new Map<string, number>();
  const told = new Map<string, string>();
  let open = 0;

  const refuse = (socket: Socket, why: Parameters<typeof onRefused>[0]): void => {
    onRefused(why);
    socket.destroy();
  };

  const admit = (socket: Socket, address: string, pass: () => void): void => {
    const key = addressKey(address);
    const ofAddress = byAddress.get(key) ?? 0;
    if (open >= limits.all || ofAddress >= limits.perAddress) return refuse(socket, "limit");
    if (rate !== undefined) {
      if (rate.wait(key, 1) > 0) return refuse(socket, "rate");
      rate.take(key, 1);
    }
    open += 1;
    byAddress.set(key, ofAddress + 1);
    socket.once("close", () => {
      open -= 1;
      const left = (byAddress.get(key) ?? 1) - 1;
      if (left === 0) byAddress.delete(key);
      else byAddress.set(key, left);
    });
    pass();
  };

  /** Reads the header and no byte more, since what follows is TLS. */
  const readHeader = (socket: Socket, pass: () => void): void => {
    let data = Buffer.alloc(0);
    const timer = setTimeout(() => refuse(socket, "proxy"), HEADER_WITHIN);
    const end = (): void => {
      clearTimeout(timer);
      socket.off("readable", look);
      socket.off("close", end);
    };
    const look = (): void => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      data = Buffer.concat([data, chunk]);
      const header = readProxyHeader(data);
      if (header.is === "unfinished") return;
      end();
      if (header.is === "wrong") return refuse(socket, "proxy");
      const rest = data.subarray(header.length);
      if (rest.length > 0) socket.unshift(rest);
      const { address } = header;
      if (address === undefined) return admit(socket, plainAddress(socket.remoteAddress), pass);
      const peer = peerOf(socket);
      told.set(peer, plainAddress(address));
      socket.once("close", () => told.delete(peer));
      admit(socket, plainAddress(address), pass);
    };
    socket.on("readable", look);
    socket.once("close", end);
  };

  return {
    accept(socket, pass) {
      // A connection may end at any moment; what is under way on it hears of it by itself.
      socket.on("error", () => undefined);
      const peer = plainAddress(socket.remoteAddress);
      if (proxies === undefined) admit(socket, peer, pass);
      else if (proxies.includes(peer)) readHeader(socket, pass);
      else refuse(socket, "proxy");
    },
    told: (socket) => told.get(peerOf(socket)),
    open: () => open,
  };
}
