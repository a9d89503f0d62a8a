/** Which credential a request shows. No I/O. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";
import { unauthenticated } from "@sextant/errors";
import type { SecretKind } from "@sextant/registry-client";
import { bearerToken } from "@sextant/service";

/** Which of the two listeners a request came by. */
export type Door = "public" | "mtls";

/** A secret that was shown, by its hash. */
export type Credential = { readonly kind: SecretKind; readonly hash: string };

const MAX_TOKEN = 512;
const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

const certificateHashes = new WeakMap<TLSSocket, string>();

/** The certificate of a connection; throws UNAUTHENTICATED unless it was signed by the plane's authority and is in its time. */
function certificateOf(socket: TLSSocket): Credential {
  let hash = certificateHashes.get(socket);
  if (hash === undefined) {
    const certificate = socket.getPeerX509Certificate();
    if (certificate === undefined)
      throw unauthenticated("a client certificate is required here: pair first");
    if (!socket.authorized)
      throw unauthenticated(
        "the client certificate was not signed by this plane, or its time is over",
      );
    hash = sha256(certificate.raw);
    certificateHashes.set(socket, hash);
  }
  return { kind: "certificate", hash };
}

/** The token of a request to the public listener; throws UNAUTHENTICATED when there is none, or more than one. */
function tokenOf(request: Pick<IncomingMessage, "headers">, query: URLSearchParams): Credential {
  const header = request.headers["connector-token"];
  const oneTime = typeof header === "string" ? header : (query.get("token") ?? undefined);
  const bearer = bearerToken(request.headers.authorization);
  if (oneTime !== undefined && bearer !== undefined) {
    throw unauthenticated("show one credential: a bearer token or a one-time token");
  }
  const token = oneTime ?? bearer;
  if (token === undefined || token === "") {
    throw unauthenticated(
      "a token is required: `Authorization: Bearer <token>`, or `Connector-Token: <one-time token>` to pair",
    );
  }
  if (token.length > MAX_TOKEN) throw unauthenticated("the token is not known");
  return { kind: oneTime === undefined ? "apiToken" : "oneTimeToken", hash: sha256(token) };
}

/** The credential of a request. */
export function credentialOf(
  door: Door,
  request: IncomingMessage,
  query: URLSearchParams,
): Credential {
  return door === "mtls" ? certificateOf(request.socket as TLSSocket) : tokenOf(request, query);
}
