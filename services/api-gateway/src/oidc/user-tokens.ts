/** Tokens of users, for whom an issuer outside vouches (OpenID Connect; JWT: RFC 7519 and 8725). */
import { unauthenticated } from "@sextant/errors";
import type { Roles } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { errors, jwtVerify } from "jose";
import { UnknownCredentialError } from "../authentication/unknown-credential.ts";
import { mapClaims } from "./claims.ts";
import { type FetchJSON } from "./fetch-json.ts";
import { createIssuerKeys } from "./issuer-keys.ts";
import type { Issuer } from "./issuer.ts";

/** What a user's token says. */
export type UserToken = {
  /** `<name of the issuer>:<subject>`. */
  readonly id: string;
  readonly name: string | undefined;
  readonly scopes: readonly string[];
  /** External ids of the tenants that the user may act in, the first one at home; `*`: every tenant. */
  readonly tenants: readonly string[];
  /** Seconds since 1970. */
  readonly expires: number;
};

/** Verifies users' tokens. */
export type UserTokens = {
  /** Throws UNAUTHENTICATED for what is not exactly right, ServiceAwayError while the issuer's keys cannot be known. */
  verify(token: string, issuer: string | undefined): Promise<UserToken>;
};

/** Types of tokens that are taken: of access and ID tokens, with or without `application/`. Absent is fine too. */
const types = new Set(["jwt", "at+jwt"]);
/** At most 255 characters of ASCII (OpenID Connect Core, 2). */
const subjectForm = /^[\x20-\x7e]{1,255}$/;

/** What is wrong with a token, for who has sent it. What its issuer has not signed may be a guess. */
function refusalOf(thrown: errors.JOSEError): Error {
  if (thrown instanceof errors.JWTExpired) return unauthenticated("the token has expired");
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    if (thrown.claim === "aud") return unauthenticated("the token is for another audience");
    if (thrown.claim === "nbf") return unauthenticated("the token is not valid yet");
    return unauthenticated(`the token's claim ${thrown.claim} is missing or wrong`);
  }
  if (thrown instanceof errors.JOSEAlgNotAllowed)
    return new UnknownCredentialError("the token's algorithm is not accepted");
  if (thrown instanceof errors.JWKSNoMatchingKey)
    return new UnknownCredentialError("the token's key is none of its issuer's");
  if (thrown instanceof errors.JWKSMultipleMatchingKeys)
    return new UnknownCredentialError("the token does not name its key");
  if (thrown instanceof errors.JWSSignatureVerificationFailed)
    return new UnknownCredentialError("the token's signature is wrong");
  return new UnknownCredentialError("the token is not valid");
}

/** Makes the verifier; asks the issuers for their keys without waiting for them. `now` is in milliseconds. */
export function createUserTokens(options: {
  readonly issuers: readonly Issuer[];
  readonly roles: Roles;
  readonly fetchJSON: FetchJSON;
  readonly allowHTTP: boolean;
  readonly now: () => number;
  readonly log: Logger;
}): UserTokens {
  const { roles, now } = options;
  const known = new Map(
    options.issuers.map((issuer) => [
      issuer.issuer,
      { issuer, keys: createIssuerKeys(issuer, options) },
    ]),
  );
  for (const { keys } of known.values()) keys.prepare();

  return {
    async verify(token, claimed) {
      const found = claimed === undefined ? undefined : known.get(claimed);
      if (found === undefined)
        throw new UnknownCredentialError("the token's issuer is not known here");
      const { issuer, keys } = found;
      try {
        const { payload, protectedHeader } = await jwtVerify(token, keys.key, {
          algorithms: issuer.algorithms,
          issuer: issuer.issuer,
          audience: issuer.audiences,
          clockTolerance: issuer.clockSkew,
          currentDate: new Date(now()),
          requiredClaims: ["sub", "exp", "iat"],
        });
        const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, "");
        if (type !== undefined && !types.has(type))
          throw unauthenticated(`the token is of the type ${type.slice(0, 40)}`);
        const { sub, exp, iat } = payload;
        if (typeof sub !== "string" || !subjectForm.test(sub))
          throw unauthenticated("the token's claim sub is missing or wrong");
        if ((iat as number) > now() / 1000 + issuer.clockSkew)
          throw unauthenticated("the token was issued in the future");
        return {
          id: `${issuer.name}:${sub}`,
          expires: (exp as number) + issuer.clockSkew,
          ...mapClaims(issuer, roles, payload),
        };
      } catch (thrown) {
        if (!(thrown instanceof errors.JOSEError)) throw thrown;
        throw refusalOf(thrown);
      }
    },
  };
}
