/** The client certificate that a request of the mTLS listener shows: by its connection, or by the proxy that ends TLS. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { unauthenticated } from "@sextant/errors";
import type { ClientAddresses } from "../door/address.ts";
import type { Connections } from "./connections.ts";
import { type CertificateHeader, readForwardedCertificate } from "./forwarded-certificate.ts";

/** SHA-256 of the certificate of a request; throws UNAUTHENTICATED when there is none that may be believed. */
export type ShownCertificate = (request: IncomingMessage) => string;

const sha256 = (data: Buffer) => createHash("sha256").update(data).digest("hex");

const required = () => unauthenticated("a client certificate is required here: pair first");

/** Makes it. `header` undefined: no proxy is believed. */
export function createShownCertificate(
  addresses: ClientAddresses,
  connections: Connections,
  header: CertificateHeader | undefined,
): ShownCertificate {
  const hashes = new WeakMap<TLSSocket, string>();

  const ofConnection = (socket: TLSSocket): string => {
    let hash = hashes.get(socket);
    if (hash === undefined) {
      const certificate = socket.getPeerX509Certificate();
      if (certificate === undefined) throw required();
      if (!socket.authorized)
        throw unauthenticated(
          "the client certificate was not signed by this plane, or its time is over",
        );
      hash = sha256(certificate.raw);
      hashes.set(socket, hash);
      connections.add(hash, socket);
    }
    return hash;
  };

  return (request) => {
    if (header === undefined || !addresses.isProxy(request))
      return ofConnection(request.socket as TLSSocket);
    const value = request.headers[header];
    if (typeof value !== "string" || value === "") throw required();
    // That it is one of ours is found out by its record: what is not recorded is not known.
    const certificate = readForwardedCertificate(header, value);
    if (certificate === undefined)
      throw unauthenticated(`the proxy's header ${header} holds no certificate that can be read`);
    return sha256(certificate);
  };
}
