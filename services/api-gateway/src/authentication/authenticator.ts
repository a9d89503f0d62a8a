/** Who calls, for which tenant: from a credential to an identity. One implementation for all ways in. */
import type { IncomingMessage } from "node:http";
import { isSextantError, tenantNotFound, unauthenticated } from "@sextant/errors";
import {
  ACCESS_TOKEN_ISSUER,
  type AccessToken,
  type AccessTokens,
  applicationScopes,
  type Identity,
  runtimeScopes,
} from "@sextant/identity";
import type { Actor, NoteLog, SecretHolder } from "@sextant/registry-client";
import type { Call } from "@sextant/service";
import { decodeJwt } from "jose";
import type { ClientAddresses } from "../door/address.ts";
import type { RequestLimits } from "../limit/limits.ts";
import type { UserToken, UserTokens } from "../oidc/user-tokens.ts";
import type { ShownCertificate } from "../trust/shown-certificate.ts";
import type { DoorName } from "../trust/tls.ts";
import { clientOf } from "./client.ts";
import { type Credential, credentialOf } from "./credential.ts";
import type { Known } from "./known.ts";
import { UnknownCredentialError } from "./unknown-credential.ts";
import { createVerifiedTokens } from "./verified-tokens.ts";

/** A request whose caller is known. */
export type Authenticated = { readonly identity: Identity; readonly credential: Credential };

/** Authenticates requests of one listener. */
export type Authenticator = (door: DoorName, call: Call) => Promise<Authenticated>;

/** Whose credential was shown, as soon as that is known: for the record of a refusal. */
type Shown = { holder?: { readonly tenant: string | undefined; readonly actor: Actor } };

/** What a signed token says: who has client credentials, or which user someone else vouches for. */
type Said = ({ readonly by: "client" } & AccessToken) | ({ readonly by: "user" } & UserToken);

/** The request itself: callers from outside come by HTTP only. */
function requestOf({ request }: Call): IncomingMessage {
  if (request === undefined)
    throw new Error("a call of the gateway came by something else than HTTP");
  return request;
}

/** The issuer that a token claims to be of; nothing is believed of it. */
function claimedIssuer(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    throw new UnknownCredentialError("the token is not a JWT that can be read");
  }
}

/** Acts where nobody can be named. */
const UNKNOWN: Actor = { type: "UNKNOWN", id: "" };

const unknownToken = () => new UnknownCredentialError("the token is not known");

/** Makes the authenticator. */
export function createAuthenticator(options: {
  readonly known: Known;
  readonly certificateOf: ShownCertificate;
  readonly accessTokens: AccessTokens;
  readonly users: UserTokens;
  readonly guesses: Pick<RequestLimits, "requireNotGuessing" | "refused">;
  readonly addresses: Pick<ClientAddresses, "of">;
  readonly refusals: Pick<NoteLog, "record">;
  readonly now: () => number;
}): Authenticator {
  const { known, guesses, addresses, now } = options;
  const verified = createVerifiedTokens<Said>(now);
  const identities = new WeakMap<object, Identity>();

  /**
   * The identity of who shows the same again, for the same tenant: the object that was made before, because what was found out about
   * it, such as its signed form, is found again by it. `holder` and `tenant` alone decide what `make` makes.
   */
  const identityOnce = (
    holder: object,
    tenant: string | undefined,
    make: () => Identity,
  ): Identity => {
    const before = identities.get(holder);
    if (before !== undefined && before.tenant === tenant) return before;
    const identity = make();
    identities.set(holder, identity);
    return identity;
  };

  /** The tenant a caller acts in, by the header `Tenant`. A tenant that is not open to it and one that is not there look alike. */
  const tenantOf = <Home extends string | undefined>(
    home: Home,
    header: string | undefined,
    mayUse: (id: string) => boolean,
  ): Promise<string> | Home => (header === undefined ? home : tenantNamed(header, mayUse));

  const tenantNamed = async (header: string, mayUse: (id: string) => boolean): Promise<string> => {
    const tenant = await known.tenant({ externalID: header });
    if (tenant === undefined || !mayUse(tenant.id)) throw tenantNotFound(header);
    return tenant.id;
  };

  const byToken = async (
    holder: SecretHolder<"apiToken">,
    header: string | undefined,
  ): Promise<Identity> => {
    if (holder.revokedAt !== null) throw unauthenticated("the token was revoked");
    if (holder.expiresAt !== null && Date.parse(holder.expiresAt) <= now())
      throw unauthenticated("the token has expired");
    const mayUse = (id: string) =>
      id === holder.tenant || holder.tenants.includes("*") || holder.tenants.includes(id);
    const tenant = await tenantOf(holder.tenant, header, mayUse);
    return identityOnce(holder, tenant, () => ({
      tenant,
      consumer: { type: "USER", id: holder.id, name: holder.name },
      scopes: holder.scopes,
      tenants: [holder.tenant, ...holder.tenants],
      credential: { kind: "apiToken", id: holder.id },
    }));
  };

  const byCertificate = async (
    holder: SecretHolder<"certificate">,
    header: string | undefined,
  ): Promise<Identity> => {
    if (holder.revokedAt !== null)
      throw unauthenticated("the client certificate was revoked: pair anew");
    if (Date.parse(holder.notAfter) <= now())
      throw unauthenticated("the client certificate has expired: pair anew");
    const type = holder.consumerType === "APPLICATION" ? "APPLICATION" : "RUNTIME";
    const tenant = await tenantOf(holder.tenant, header, (id) => id === holder.tenant);
    return identityOnce(holder, tenant, () => ({
      tenant,
      consumer: { type, id: holder.consumerID },
      scopes: type === "APPLICATION" ? applicationScopes : runtimeScopes,
      credential: { kind: "certificate", id: holder.id },
    }));
  };

  const byOneTimeToken = async (
    holder: SecretHolder<"oneTimeToken">,
    header: string | undefined,
  ): Promise<Identity> => ({
    tenant: await tenantOf(holder.tenant, header, (id) => id === holder.tenant),
    consumer: { type: "ONE_TIME_TOKEN", id: holder.consumerID },
    scopes: [],
    credential: { kind: "oneTimeToken", id: holder.id },
  });

  /** An access token is as good as the client credentials that it was issued for: they have to be there still. */
  const byAccessToken = async (
    token: AccessToken,
    header: string | undefined,
    shown: Shown,
  ): Promise<Identity> => {
    const holder = await known.holder("systemAuth", token.clientHash);
    if (holder?.id !== token.clientID)
      throw unauthenticated("the client credentials of the access token are gone");
    const tenants = [holder.tenant, ...holder.tenants];
    const { consumer, scopes } = clientOf(holder);
    shown.holder = { tenant: holder.tenant, actor: consumer };
    return {
      tenant: await tenantOf(holder.tenant, header, (id) => tenants.includes(id)),
      consumer,
      scopes: scopes.filter((scope) => token.scopes.includes(scope)),
      credential: { kind: "systemAuth", id: holder.id },
    };
  };

  /** Tenants that a token names and that are not there (yet) count for nothing. */
  const byUser = async (
    token: UserToken,
    header: string | undefined,
    shown: Shown,
  ): Promise<Identity> => {
    const isEvery = token.tenants.includes("*");
    const named = token.tenants.filter((externalID) => externalID !== "*");
    const found = await Promise.all(named.map(async (externalID) => known.tenant({ externalID })));
    const ids = found.flatMap((tenant) => (tenant === undefined ? [] : [tenant.id]));
    const mayUse = (id: string) => isEvery || ids.includes(id);
    const consumer = { type: "USER", id: token.id, name: token.name } as const;
    shown.holder = { tenant: ids[0], actor: consumer };
    return {
      tenant: await tenantOf(ids[0], header, mayUse),
      consumer,
      scopes: token.scopes,
      tenants: isEvery ? [...ids, "*"] : ids,
    };
  };

  const verify = async (token: string): Promise<Said> => {
    const issuer = claimedIssuer(token);
    return issuer === ACCESS_TOKEN_ISSUER
      ? { by: "client", ...(await options.accessTokens.verify(token)) }
      : { by: "user", ...(await options.users.verify(token, issuer)) };
  };

  const identityOf = async (
    credential: Credential,
    header: string | undefined,
    shown: Shown,
  ): Promise<Identity> => {
    const { kind, hash } = credential;
    const requireInForce = () => {
      if (known.isRevoked(hash)) throw unauthenticated("the credential was revoked");
    };
    switch (kind) {
      case "jwt": {
        const said = await verified.of(hash, () => verify(credential.token));
        return said.by === "client"
          ? byAccessToken(said, header, shown)
          : byUser(said, header, shown);
      }
      case "apiToken": {
        const holder = await known.holder(kind, hash);
        if (holder === undefined) throw unknownToken();
        const { tenant, id, name } = holder;
        shown.holder = { tenant, actor: { type: "USER", id, name } };
        requireInForce();
        return byToken(holder, header);
      }
      case "certificate": {
        const holder = await known.holder(kind, hash);
        if (holder === undefined)
          throw new UnknownCredentialError("the client certificate is not known");
        const { tenant, consumerType, consumerID } = holder;
        shown.holder = { tenant, actor: { type: consumerType, id: consumerID } };
        requireInForce();
        return byCertificate(holder, header);
      }
      case "oneTimeToken": {
        const holder = await known.holder(kind, hash);
        if (holder === undefined) throw unknownToken();
        const { tenant, consumerID } = holder;
        shown.holder = { tenant, actor: { type: "ONE_TIME_TOKEN", id: consumerID } };
        return byOneTimeToken(holder, header);
      }
    }
  };

  /** Who came in vain: in the log of the holder's tenant, or in the plane's own. */
  const noteRefusal = (thrown: unknown, shown: Shown, call: Call, address: string): void => {
    for (const code of ["UNAUTHENTICATED", "TENANT_NOT_FOUND"] as const) {
      if (!isSextantError(thrown, code)) continue;
      const { tenant, actor = UNKNOWN } = shown.holder ?? {};
      void options.refusals.record({
        tenant,
        actor: { ...actor, address, requestID: call.requestID },
        action: "signIn",
        code,
      });
    }
  };

  return async (door, call) => {
    const request = requestOf(call);
    const credential = credentialOf(door, request, call.query, options.certificateOf);
    const shown: Shown = {};
    try {
      const sent = call.headers["tenant"];
      const header = typeof sent === "string" && sent !== "" ? sent : undefined;
      const { kind, hash } = credential;
      // Who is known goes on, whoever else guesses from the same address.
      if (!(kind === "jwt" ? verified.has(hash) : known.remembers(kind, hash)))
        guesses.requireNotGuessing(addresses.of(request));
      return { credential, identity: await identityOf(credential, header, shown) };
    } catch (thrown) {
      const address = addresses.of(request);
      if (thrown instanceof UnknownCredentialError) guesses.refused(address);
      noteRefusal(thrown, shown, call, address);
      throw thrown;
    }
  };
}
