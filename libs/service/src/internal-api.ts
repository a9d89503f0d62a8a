import { readFileSync } from "node:fs";
import { join } from "node:path";
import { forbidden } from "@sextant/errors";
import type { Caller, ServiceName, Verifier } from "@sextant/identity";
import type { ListenAddress, SocketAddress } from "@sextant/config";
import type { Logger } from "@sextant/logging";
import { createSecureContext } from "node:tls";
import type { Server as SecureServer, ServerOptions } from "node:https";
import { type Call, createDispatcher, type Handler, type Reply, type Route } from "./dispatcher.ts";
import type { FollowedFiles } from "./follow-files.ts";
import { listen, type Listener, listenerOf } from "./http-server.ts";
import { createLinkServer } from "./link/link-server.ts";

/** The certificate, key and CA of mutual TLS inside the plane. */
export type InternalTLS = { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer };

const files = {
  cert: "internal-cert.pem",
  key: "internal-key.pem",
  ca: "internal-ca.pem",
} as const;

/** Their paths in a key directory. */
export const internalTLSFiles = (keysDirectory: string): readonly string[] =>
  Object.values(files).map((name) => join(keysDirectory, name));

/** Reads them from a key directory. Throws when certificate and key do not belong together. */
export function readInternalTLS(keysDirectory: string): InternalTLS {
  const read = (name: string) => readFileSync(join(keysDirectory, name));
  const material = { cert: read(files.cert), key: read(files.key), ca: read(files.ca) };
  createSecureContext(material);
  return material;
}

/** A handler that knows who calls. Only the services named may call it; the others get FORBIDDEN. */
export function internalHandler(
  verifier: Verifier,
  allowed: readonly ServiceName[],
  handle: (call: Call, caller: Caller) => Promise<Reply> | Reply,
): Handler {
  return (call) => {
    const caller = verifier.verify(call.headers.authorization);
    if (!allowed.includes(caller.service))
      throw forbidden(`the service ${caller.service} may not call ${call.path}`);
    return handle(call, caller);
  };
}

/** Listens for the other services: each call over a link, or by HTTP. */
export async function listenInternally(options: {
  readonly address: ListenAddress | SocketAddress;
  readonly routes: readonly Route[];
  readonly tls: FollowedFiles<InternalTLS> | undefined;
  readonly log: Logger;
}): Promise<Listener> {
  const { address, routes, tls, log } = options;
  const dispatcher = createDispatcher(routes, log);
  const links = createLinkServer(dispatcher, log);
  // Nobody without a certificate of the plane gets in.
  const serverTLS = (files: InternalTLS): ServerOptions => ({
    ...files,
    requestCert: true,
    rejectUnauthorized: true,
  });
  const first = tls?.current();
  const listener = await listen({
    address,
    listener: listenerOf(dispatcher, log),
    tls: first === undefined ? undefined : serverTLS(first),
    links,
    log,
  });
  if (first !== undefined)
    tls?.onChange(first, (files) =>
      (listener.server as unknown as SecureServer).setSecureContext(serverTLS(files)),
    );
  return listener;
}
