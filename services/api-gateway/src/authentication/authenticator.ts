/** Who calls, for which tenant: from a credential to an identity. One implementation for all ways in. */
import type { IncomingMessage } from "node:http";
import { tenantNotFound, unauthenticated } from "@sextant/errors";
import { applicationScopes, type Identity, runtimeScopes } from "@sextant/identity";
import type { SecretHolder } from "@sextant/registry-client";
import type { Call } from "@sextant/service";
import type { ClientAddresses } from "../door/address.ts";
import type { RequestLimits } from "../limit/limits.ts";
import type { ShownCertificate } from "../trust/shown-certificate.ts";
import type { DoorName } from "../trust/tls.ts";
import { type Credential, credentialOf } from "./credential.ts";
import type { Known } from "./known.ts";

/** A request whose caller is known. */
export type Authenticated = { readonly identity: Identity; readonly credential: Credential };

/** Authenticates requests of one listener. */
export type Authenticator = (door: DoorName, call: Call) => Promise<Authenticated>;

/** The request itself: callers from outside come by HTTP only. */
function requestOf({ request }: Call): IncomingMessage {
  if (request === undefined)
    throw new Error("a call of the gateway came by something else than HTTP");
  return request;
}

/** Makes the authenticator. */
export function createAuthenticator(
  known: Known,
  certificateOf: ShownCertificate,
  guesses: Pick<RequestLimits, "requireNotGuessing" | "refused">,
  addresses: Pick<ClientAddresses, "of">,
  now: () => number,
): Authenticator {
  /** The tenant a caller acts in, by the header `Tenant`. A tenant that is not open to it and one that is not there look alike. */
  const tenantOf = async (
    home: string,
    header: string | undefined,
    mayUse: (id: string) => boolean,
  ): Promise<string> => {
    if (header === undefined) return home;
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
    return {
      tenant: await tenantOf(holder.tenant, header, mayUse),
      consumer: { type: "USER", id: holder.id },
      scopes: holder.scopes,
      tenants: [holder.tenant, ...holder.tenants],
      credential: { kind: "apiToken", id: holder.id },
    };
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
    return {
      tenant: await tenantOf(holder.tenant, header, (id) => id === holder.tenant),
      consumer: { type, id: holder.consumerID },
      scopes: type === "APPLICATION" ? applicationScopes : runtimeScopes,
      credential: { kind: "certificate", id: holder.id },
    };
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

  return async (door, call) => {
    const request = requestOf(call);
    const credential = credentialOf(door, request, call.query, certificateOf);
    const sent = call.headers["tenant"];
    const header = typeof sent === "string" && sent !== "" ? sent : undefined;
    const { kind, hash } = credential;
    if (known.isRevoked(hash)) throw unauthenticated("the credential was revoked");
    // Who is known goes on, whoever else guesses from the same address.
    if (!known.remembers(hash)) guesses.requireNotGuessing(addresses.of(request));
    const unknown = () => {
      guesses.refused(addresses.of(request));
      return unauthenticated(
        kind === "certificate" ? "the client certificate is not known" : "the token is not known",
      );
    };
    if (kind === "apiToken") {
      const holder = await known.holder({ kind, hash });
      if (holder === undefined) throw unknown();
      return { credential, identity: await byToken(holder, header) };
    }
    if (kind === "certificate") {
      const holder = await known.holder({ kind, hash });
      if (holder === undefined) throw unknown();
      return { credential, identity: await byCertificate(holder, header) };
    }
    const holder = await known.holder({ kind, hash });
    if (holder === undefined) throw unknown();
    return { credential, identity: await byOneTimeToken(holder, header) };
  };
}
