/** Requests to the token endpoint (RFC 6749, 2.3.1, 4.4.2 and 5.2). No I/O. */
import type { Call } from "@sextant/service";

/** Why a request was refused, as the RFC names it. */
export type TokenFault =
  | "invalid_request"
  | "invalid_client"
  | "unsupported_grant_type"
  | "invalid_scope";

/** A request that is refused. */
export class TokenRequestError extends Error {
  readonly fault: TokenFault;

  constructor(fault: TokenFault, description: string) {
    super(description);
    this.fault = fault;
  }
}

/** What a client asks for. */
export type TokenRequest = {
  readonly clientID: string;
  readonly clientSecret: string;
  /** Undefined: all that it may have. */
  readonly scopes: readonly string[] | undefined;
};

const FORM = "application/x-www-form-urlencoded";
/** An access token's scope (RFC 6749, 3.3). */
const scopeForm = /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/;

const invalid = (description: string) => new TokenRequestError("invalid_request", description);

/** Client id and secret of the header `Authorization: Basic`, where each is form-encoded first. */
function basicCredentials(header: string | undefined): readonly [string, string] | undefined {
  if (header === undefined) return undefined;
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  const unreadable = () =>
    new TokenRequestError(
      "invalid_client",
      "the header Authorization must be Basic, with id and secret",
    );
  if (encoded === undefined) throw unreadable();
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  if (colon < 0) throw unreadable();
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part.replaceAll("+", " "));
    } catch {
      throw unreadable();
    }
  };
  return [decode(text.slice(0, colon)), decode(text.slice(colon + 1))];
}

/** Reads a request; throws {@link TokenRequestError}. */
export async function readTokenRequest(
  call: Pick<Call, "headers" | "body">,
): Promise<TokenRequest> {
  const [type = ""] = (call.headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== FORM) throw invalid(`the content type must be ${FORM}`);
  const form = new URLSearchParams((await call.body()).toString("utf8"));
  const parameter = (name: string): string | undefined => {
    const all = form.getAll(name);
    if (all.length > 1) throw invalid(`${name} must be sent once`);
    // A parameter without a value counts as left out (RFC 6749, 3.2).
    return all[0] === "" ? undefined : all[0];
  };
  const grant = parameter("grant_type");
  const [bodyID, bodySecret, scope] = [
    parameter("client_id"),
    parameter("client_secret"),
    parameter("scope"),
  ];
  if (grant === undefined) throw invalid("grant_type is missing");
  if (grant !== "client_credentials") {
    throw new TokenRequestError("unsupported_grant_type", "only client_credentials is served");
  }
  const basic = basicCredentials(call.headers.authorization);
  if (basic !== undefined && bodySecret !== undefined)
    throw invalid("send client id and secret in the header Authorization or in the body, not both");
  if (basic !== undefined && bodyID !== undefined && bodyID !== basic[0])
    throw invalid("client_id differs from the header Authorization");
  const [clientID, clientSecret] = basic ?? [bodyID, bodySecret];
  if (clientID === undefined || clientSecret === undefined) {
    throw new TokenRequestError("invalid_client", "client id and secret are required");
  }
  if (scope !== undefined && !scopeForm.test(scope))
    throw new TokenRequestError("invalid_scope", "scope must be names with single spaces between");
  return {
    clientID,
    clientSecret,
    scopes: scope === undefined ? undefined : [...new Set(scope.split(" "))],
  };
}
