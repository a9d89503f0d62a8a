/** One of the two public listeners: from the connection to the reply's last header. The routes behind it decide what is answered. */
import type { Server as SecureServer, ServerOptions } from "node:https";
import type { TLSSocket } from "node:tls";
import type { ListenAddress } from "@sextant/config";
import type { Logger } from "@sextant/logging";
import {
  type Call,
  createDispatcher,
  type Dispatcher,
  listen,
  listenerOf,
  type Reply,
  type Route,
} from "@sextant/service";
import type { Acceptor } from "./acceptor.ts";
import type { ClientAddresses } from "./address.ts";
import type { Compression } from "./compression.ts";
import type { Cors } from "./cors.ts";

/** An open door. */
export type OpenDoor = {
  readonly port: number;
  /** Uses other certificates and keys from the next connection on. */
  renew(tls: ServerOptions): void;
  /** From now on each reply asks its client to come by another connection. */
  drain(): void;
  /** See `Listener.close`. */
  close(graceMilliseconds: number): Promise<void>;
};

/** Opens it. */
export async function openDoor(options: {
  readonly address: ListenAddress;
  readonly routes: readonly Route[];
  readonly tls: ServerOptions;
  readonly acceptor: Acceptor;
  readonly addresses: ClientAddresses;
  readonly compress: Compression;
  /** For browsers; undefined: none come here. */
  readonly cors: Cors | undefined;
  /** Tells browsers to come by TLS only (RFC 6797). */
  readonly strictTransport: boolean;
  readonly log: Logger;
}): Promise<OpenDoor> {
  const { acceptor, addresses, compress, cors, log } = options;
  const dispatcher = createDispatcher(options.routes, log);
  let draining = false;

  const everywhere: Readonly<Record<string, string>> = {
    "x-content-type-options": "nosniff",
    // Answers hold secrets, and are another's for another caller.
    "cache-control": "no-store",
    ...(options.strictTransport ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
  const dressed = (reply: Reply): Reply => {
    const headers: Record<string, string> = { ...everywhere, ...reply.headers };
    if (draining) headers["connection"] = "close";
    return { ...reply, headers };
  };
  const answer = async (call: Call): Promise<Reply> => {
    const asked = cors?.preflight(call);
    if (asked !== undefined) return dressed(asked);
    const reply = await compress(call, await dispatcher.answer(call));
    return dressed(cors === undefined ? reply : cors.open(call, reply));
  };
  const outer: Dispatcher = { ...dispatcher, answer };

  const listener = await listen({
    address: options.address,
    listener: listenerOf(outer, log),
    tls: options.tls,
    accept: (socket, pass) => acceptor.accept(socket, pass),
    log,
  });
  const server = listener.server as unknown as SecureServer;
  server.on("secureConnection", (socket: TLSSocket) => {
    const told = acceptor.told(socket);
    if (told !== undefined) addresses.learn(socket, told);
  });
  return {
    port: listener.port,
    renew: (tls) => server.setSecureContext(tls),
    drain: () => void (draining = true),
    close: (grace) => listener.close(grace),
  };
}
