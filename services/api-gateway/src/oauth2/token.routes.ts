/** `POST /oauth2/token`: the client credentials grant (RFC 6749, 4.4). */
import type { IncomingMessage } from "node:http";
import { type AccessTokens, clientHash } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import {
  isUUID,
  type NoteLog,
  RegistryUnavailableError,
  type SecretHolder,
} from "@sextant/registry-client";
import { type Call, publicError, type Reply, type Route } from "@sextant/service";
import { httpStatus } from "@sextant/errors";
import type { ClientAddresses } from "../door/address.ts";
import type { RequestLimits } from "../limit/limits.ts";
import { clientOf } from "../authentication/client.ts";
import { readTokenRequest, TokenRequestError } from "./token-request.ts";

const MAX_BODY = 8 * 1024;
/** For the audit log. */
const ACTION = "issueAccessToken";
const headers = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  pragma: "no-cache",
};

const reply = (status: number, body: object, more: Record<string, string> = {}): Reply => ({
  status,
  headers: { ...headers, ...more },
  body: JSON.stringify(body),
});

function refusal(error: TokenRequestError): Reply {
  const body = { error: error.fault, error_description: error.message };
  return error.fault === "invalid_client"
    ? reply(401, body, { "www-authenticate": 'Basic realm="sextant"' })
    : reply(400, body);
}

/** Makes the route. `lifetime` is in seconds, `now` in milliseconds. */
export function tokenRoute(options: {
  readonly findClient: (hash: string) => Promise<SecretHolder<"systemAuth"> | undefined>;
  readonly accessTokens: AccessTokens;
  readonly lifetime: number;
  readonly requestLimits: Pick<RequestLimits, "admit" | "requireNotGuessing" | "refused">;
  readonly addresses: Pick<ClientAddresses, "of">;
  readonly notes: Pick<NoteLog, "record">;
  readonly now: () => number;
  readonly log: Logger;
}): Route {
  const { findClient, accessTokens, lifetime, requestLimits, notes, log } = options;

  const grant = async (call: Call): Promise<Reply> => {
    const { clientID, clientSecret, scopes } = await readTokenRequest(call);
    const hash = clientHash(clientID, clientSecret);
    const address = options.addresses.of(call.request as IncomingMessage);
    requestLimits.requireNotGuessing(address);
    const holder = await findClient(hash);
    const from = { address, requestID: call.requestID };
    if (holder?.id !== clientID) {
      requestLimits.refused(address);
      void notes.record({
        tenant: undefined,
        actor: { type: "UNKNOWN", id: "", ...from },
        action: ACTION,
        code: "UNAUTHENTICATED",
        // Whatever else was sent there may be the secret.
        objects: isUUID(clientID) ? [{ kind: "systemAuth", id: clientID }] : [],
      });
      throw new TokenRequestError("invalid_client", "client id or secret is wrong");
    }
    const { consumer, scopes: allowed } = clientOf(holder);
    const identity = { tenant: holder.tenant, consumer, scopes: allowed };
    requestLimits.admit({ class: "administration", identity, address, cost: 1 });
    const noted = {
      tenant: holder.tenant,
      actor: { ...consumer, ...from },
      action: ACTION,
      objects: [{ kind: "systemAuth", id: clientID }],
    };
    const granted = scopes === undefined ? allowed : allowed.filter((one) => scopes.includes(one));
    if (scopes !== undefined && granted.length < scopes.length) {
      void notes.record({ ...noted, code: "INSUFFICIENT_SCOPES" });
      const message = `scope must be among: ${allowed.join(" ")}`;
      throw new TokenRequestError("invalid_scope", message);
    }
    if (!(await notes.record(noted)))
      throw new RegistryUnavailableError("the access token cannot be put on record now");
    const token = await accessTokens.issue({
      clientID,
      clientHash: hash,
      scopes: granted,
      expires: Math.floor(options.now() / 1000) + lifetime,
    });
    return reply(200, {
      access_token: token,
      token_type: "Bearer",
      expires_in: lifetime,
      scope: granted.join(" "),
    });
  };

  const handle = async (call: Call): Promise<Reply> => {
    try {
      return await grant(call);
    } catch (thrown) {
      if (thrown instanceof TokenRequestError) return refusal(thrown);
      const error = publicError(thrown, log.child({ requestID: call.requestID }));
      const status = httpStatus(error);
      const retry: Record<string, string> =
        error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
      const name =
        status === 503 || status === 429
          ? "temporarily_unavailable"
          : status < 500
            ? "invalid_request"
            : "server_error";
      return reply(status, { error: name, error_description: error.message }, retry);
    }
  };
  return { path: "/oauth2/token", maxBody: MAX_BODY, methods: { POST: handle } };
}
