/** How a request to somebody else's server is authenticated by an auth value. */
import type { StoredAuth } from "../auth/auth.ts";
import type { Outbound, OutboundAnswer } from "./outbound-client.ts";

type Credential = StoredAuth["credential"];
/** An auth value, or the part of one that has its own. */
type Authentication = Pick<
  StoredAuth,
  "credential" | "additionalHeaders" | "additionalQueryParams"
>;

const MAX_TOKEN_ANSWER = 64 * 1024;

/** The server did not give what authenticates a request. `answer`: what it said; never shown as it is. */
export class AuthenticationError extends Error {
  readonly answer: OutboundAnswer;

  constructor(message: string, answer: OutboundAnswer) {
    super(message);
    this.answer = answer;
  }
}

/** The URL and headers of a request by its auth value; OAuth's token comes from elsewhere. */
export function authenticated(
  url: string,
  auth: Authentication | undefined,
): { readonly url: string; readonly headers: Readonly<Record<string, string>> } {
  const target = new URL(url);
  const headers: Record<string, string> = {};
  for (const [name, values] of Object.entries(auth?.additionalQueryParams ?? {})) {
    for (const value of values) target.searchParams.append(name, value);
  }
  for (const [name, values] of Object.entries(auth?.additionalHeaders ?? {}))
    headers[name.toLowerCase()] = values.join(", ");
  const basic = auth?.credential?.basic;
  if (basic)
    headers["authorization"] =
      `Basic ${Buffer.from(`${basic.username}:${basic.password}`).toString("base64")}`;
  return { url: target.href, headers };
}

/** The token in an answer. The parser's own error would repeat a part of it. */
function accessToken(body: Buffer): string | undefined {
  try {
    const { access_token: token } = JSON.parse(body.toString("utf8")) as { access_token?: unknown };
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

/** The header with a bearer token by OAuth 2.0 client credentials (RFC 6749, 4.4); none without such a credential. */
export async function bearer(
  outbound: Pick<Outbound, "exchange">,
  credential: Credential,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const oauth = credential?.oauth;
  if (oauth === null || oauth === undefined) return {};
  const client = [oauth.clientId, oauth.clientSecret].map(encodeURIComponent).join(":");
  const answer = await outbound.exchange({
    method: "POST",
    url: oauth.url,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from(client).toString("base64")}`,
    },
    body: "grant_type=client_credentials",
    signal,
    maxBytes: MAX_TOKEN_ANSWER,
  });
  if (answer.status !== 200)
    throw new AuthenticationError(`the token endpoint answered ${answer.status}`, answer);
  const token = accessToken(answer.body);
  if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
    throw new AuthenticationError("the token endpoint gave no access_token", answer);
  return { authorization: `Bearer ${token}` };
}

/**
 * The headers that a server protected against forged requests asks for: a token, and the session that the token belongs to. It is
 * asked at its own endpoint, by its own authentication.
 */
export async function csrf(
  outbound: Pick<Outbound, "exchange">,
  requestAuth: StoredAuth["requestAuth"],
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const asked = requestAuth?.csrf;
  if (asked === null || asked === undefined) return {};
  const target = authenticated(asked.tokenEndpointURL, asked);
  const answer = await outbound.exchange({
    method: "GET",
    url: target.url,
    headers: {
      ...target.headers,
      ...(await bearer(outbound, asked.credential, signal)),
      "x-csrf-token": "fetch",
    },
    signal,
    maxBytes: MAX_TOKEN_ANSWER,
  });
  if (answer.status < 200 || answer.status > 299)
    throw new AuthenticationError(`the CSRF token endpoint answered ${answer.status}`, answer);
  const token = answer.headers["x-csrf-token"];
  if (typeof token !== "string" || token === "")
    throw new AuthenticationError("the CSRF token endpoint gave no X-CSRF-Token", answer);
  const cookies = [answer.headers["set-cookie"] ?? []].flat();
  const session = cookies.map((cookie) => cookie.split(";", 1)[0]?.trim() ?? "").filter(Boolean);
  return {
    "x-csrf-token": token,
    ...(session.length === 0 ? {} : { cookie: session.join("; ") }),
  };
}
