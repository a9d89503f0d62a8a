/** Which credential a request shows. No I/O. */
import { hash as digest } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { unauthenticated } from "@sextant/errors";
import type { ShownCertificate } from "../trust/shown-certificate.ts";
import type { DoorName } from "../trust/tls.ts";

/** What was shown, by its hash. A `jwt` is a token that says itself who has it, and is shown whole. */
export type Credential =
  | { readonly kind: "apiToken" | "oneTimeToken" | "certificate"; readonly hash: string }
  | { readonly kind: "jwt"; readonly hash: string; readonly token: string };

const MAX_TOKEN = 512;
/** What fits beside other headers into the 16 KiB that Node reads of them. */
const MAX_JWT = 12 * 1024;
const jwtForm = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** What a request shows by `Authorization: Bearer`. */
function bearerToken(authorization: string | undefined): string | undefined {
  return authorization?.startsWith("Bearer ") === true ? authorization.slice(7) : undefined;
}

/** What was made of the bearer token that a connection showed last: most show the same with each request. */
const shownLast = new WeakMap<
  Socket,
  { readonly authorization: string; readonly credential: Credential }
>();

/** The token of a request to the public listener; throws UNAUTHENTICATED when there is none, or more than one. */
function tokenOf({ headers, socket }: IncomingMessage, query: URLSearchParams): Credential {
  const header = headers["connector-token"];
  const oneTime = typeof header === "string" ? header : (query.get("token") ?? undefined);
  const { authorization } = headers;
  if (oneTime === undefined && authorization !== undefined) {
    const last = shownLast.get(socket);
    if (last?.authorization === authorization) return last.credential;
    const credential = readToken(undefined, bearerToken(authorization));
    shownLast.set(socket, { authorization, credential });
    return credential;
  }
  return readToken(oneTime, bearerToken(authorization));
}

function readToken(oneTime: string | undefined, bearer: string | undefined): Credential {
  if (oneTime !== undefined && bearer !== undefined) {
    throw unauthenticated("show one credential: a bearer token or a one-time token");
  }
  const token = oneTime ?? bearer;
  if (token === undefined || token === "") {
    throw unauthenticated(
      "a token is required: `Authorization: Bearer <token>`, or `Connector-Token: <one-time token>` to pair",
    );
  }
  const isJWT = oneTime === undefined && jwtForm.test(token);
  if (token.length > (isJWT ? MAX_JWT : MAX_TOKEN))
    throw unauthenticated(isJWT ? `the token is larger than ${MAX_JWT} bytes` : UNKNOWN);
  const hash = digest("sha256", token);
  if (isJWT) return { kind: "jwt", hash, token };
  return { kind: oneTime === undefined ? "apiToken" : "oneTimeToken", hash };
}

const UNKNOWN = "the token is not known";

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
