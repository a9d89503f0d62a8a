/** Access tokens of the client credentials grant: JWTs (RFC 9068) that the gateway signs and nobody else has to read. */
import { createPublicKey, randomUUID, type KeyObject } from "node:crypto";
import { unauthenticated } from "@sextant/errors";
import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { ServiceKeys } from "./keys.ts";

/** Issuer and audience: only the gateway makes them, for itself. */
export const ACCESS_TOKEN_ISSUER = "sextant";
const TYPE = "at+jwt";

/** What an access token says. */
export type AccessToken = {
  /** Id of the client credentials. */
  readonly clientID: string;
  /** By what they are found: they have to be there still whenever the token is shown. */
  readonly clientHash: string;
  readonly scopes: readonly string[];
  /** Seconds since 1970. */
  readonly expires: number;
};

const claims = z.object({
  client_id: z.string(),
  client_hash: z.string(),
  scope: z.string(),
  exp: z.number(),
});

/** Makes and verifies access tokens. */
export type AccessTokens = {
  issue(token: AccessToken): Promise<string>;
  /** Throws UNAUTHENTICATED for what is none, or over. */
  verify(token: string): Promise<AccessToken>;
};

/** Made of the gateway's keys, which are looked at for each token: they may change. `now` is in milliseconds. */
export function createAccessTokens(
  keys: Pick<ServiceKeys, "kid" | "privateKey" | "trust">,
  now: () => number,
): AccessTokens {
  const known = new WeakMap<object, KeyObject>();
  const keyOf = (kid: string | undefined): KeyObject => {
    const trusted = keys.trust.issuers["api-gateway"]?.find((one) => one.kid === kid);
    if (trusted === undefined) throw new Error("unknown key");
    let key = known.get(trusted);
    if (key === undefined) known.set(trusted, (key = createPublicKey(trusted.publicKey)));
    return key;
  };

  return {
    issue: ({ clientID, clientHash, scopes, expires }) =>
      new SignJWT({ client_id: clientID, client_hash: clientHash, scope: scopes.join(" ") })
        .setProtectedHeader({ alg: "EdDSA", typ: TYPE, kid: keys.kid })
        .setIssuer(ACCESS_TOKEN_ISSUER)
        .setAudience(ACCESS_TOKEN_ISSUER)
        .setSubject(clientID)
        .setJti(randomUUID())
        .setIssuedAt(Math.floor(now() / 1000))
        .setExpirationTime(expires)
        .sign(keys.privateKey),

    async verify(token) {
      try {
        const key = keyOf(decodeProtectedHeader(token).kid);
        const { payload } = await jwtVerify(token, key, {
          algorithms: ["EdDSA"],
          typ: TYPE,
          issuer: ACCESS_TOKEN_ISSUER,
          audience: ACCESS_TOKEN_ISSUER,
          currentDate: new Date(now()),
          requiredClaims: ["exp", "sub"],
        });
        const { client_id: clientID, client_hash: clientHash, scope, exp } = claims.parse(payload);
        const scopes = scope === "" ? [] : scope.split(" ");
        return { clientID, clientHash, scopes, expires: exp };
      } catch {
        throw unauthenticated(
          "the access token is not valid, or its time is over: get a new one at /oauth2/token",
        );
      }
    },
  };
}
