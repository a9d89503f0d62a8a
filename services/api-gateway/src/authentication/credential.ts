/** Which credential a request shows. No I/O. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { unauthenticated } from "@sextant/errors";
import type { SecretKind } from "@sextant/registry-client";
import { bearerToken } from "@sextant/service";
import type { ShownCertificate } from "../trust/shown-certificate.ts";
import type { DoorName } from "../trust/tls.ts";

/** A secret that was shown, by its hash. */
export type Credential = { readonly kind: SecretKind; readonly hash: string };

const MAX_TOKEN = 512;
const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");

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
  door: DoorName,
  request: IncomingMessage,
  query: URLSearchParams,
  certificateOf: ShownCertificate,
): Credential {
  return door === "mtls"
    ? { kind: "certificate", hash: certificateOf(request) }
    : tokenOf(request, query);
}
