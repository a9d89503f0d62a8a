/** Internal identities: short-lived tokens, signed with Ed25519 by the service that speaks, verified by the one that is called. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { unauthenticated } from "@sextant/errors";
import { z } from "zod";
import { signCompact, verifyCompact } from "./compact-jws.ts";
import { serviceScopes } from "./scopes.ts";
import { serviceName, type ServiceName } from "./service-name.ts";

/** What a caller is. ONE_TIME_TOKEN: someone who is pairing; SERVICE: a part of the plane. */
export const consumerTypes = [
  "USER",
  "APPLICATION",
  "RUNTIME",
  "INTEGRATION_SYSTEM",
  "ONE_TIME_TOKEN",
  "SERVICE",
] as const;

/** One of them. */
export type ConsumerType = (typeof consumerTypes)[number];

/** What a caller can show that is stored. */
const credentialKinds = ["apiToken", "oneTimeToken", "certificate", "systemAuth"] as const;

/** Who calls, for which tenant, with which scopes. */
export type Identity = {
  /** Internal id of the tenant that the call acts in; absent for a caller without one. */
  readonly tenant?: string | undefined;
  readonly consumer: {
    readonly type: ConsumerType;
    readonly id: string;
    /** What a human knows it by, where that is known; it decides nothing. */
    readonly name?: string | undefined;
  };
  readonly scopes: readonly string[];
  /** Internal ids of the tenants that a user may act in, `*`: every one. Absent: only `tenant`. */
  readonly tenants?: readonly string[] | undefined;
  /** The stored secret that the caller has shown, by kind and id. */
  readonly credential?:
    | { readonly kind: (typeof credentialKinds)[number]; readonly id: string }
    | undefined;
};

/** A verified call: the service that signed, and the identity it speaks for when it is not (only) its own. */
export type Caller = { readonly service: ServiceName; readonly identity: Identity };

const identitySchema = z.object({
  tenant: z.string().optional(),
  consumer: z.object({
    type: z.enum(consumerTypes),
    id: z.string(),
    name: z.string().optional(),
  }),
  scopes: z.array(z.string()),
  tenants: z.array(z.string()).optional(),
  credential: z.object({ kind: z.enum(credentialKinds), id: z.string() }).optional(),
});

const trustedKey = z.object({ kid: z.string(), publicKey: z.string() });

const claimsSchema = identitySchema.extend({ iss: z.string(), aud: z.string(), exp: z.number() });

/** Public keys of the services, as in a key directory's `trust.json`: of each the one that signs, and others that are trusted beside it. */
export const trustSchema = z.object({
  issuers: z.partialRecord(
    serviceName,
    z.union([z.array(trustedKey).min(1), trustedKey.transform((key) => [key])]),
  ),
});

/** See {@link trustSchema}. */
export type Trust = z.infer<typeof trustSchema>;

/** How long a signed token is valid, and how long before its end it is replaced, in seconds. To make and check one costs as much as a read. */
const LIFE = 300;
const RENEW_BEFORE = 60;
/** Difference between two machines' clocks that is forgiven, in seconds. */
const CLOCK_SKEW = 5;
/** Signed and verified tokens kept in memory, of each. */
const CACHE_SIZE = 20_000;

/** A map that forgets its oldest entries. */
class BoundedMap<Value> {
  readonly #entries = new Map<string, Value>();

  get(key: string): Value | undefined {
    return this.#entries.get(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > CACHE_SIZE) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** How a token is shown in the header `Authorization`. */
const BEARER = "Bearer ";

/** A token as it is shown, and the second from which on a new one is made. */
type Signed = { readonly authorization: string; readonly renewAt: number };

/**
 * Signs what a service says. It gives values of the header `Authorization`: the same string again for the same pair of audience and
 * identity, until its token is nearly over.
 */
export type Signer = {
  /** For a call to `audience` on behalf of `identity`. */
  authorizationFor(audience: ServiceName, identity: Identity): string;
  /** For a call of the service itself, inside `tenant` when one is given. */
  ownAuthorization(audience: ServiceName, tenant?: string): string;
};

/** Makes the signer of one service. The key is looked at for each token: it may change. `now` is in milliseconds. */
export function createSigner(options: {
  readonly service: ServiceName;
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly now: () => number;
}): Signer {
  const signed = new BoundedMap<Signed>();
  /** The same by the identity as an object: who gives the same one again spares writing down what it says. */
  let byObject = new WeakMap<Identity, Partial<Record<ServiceName, Signed>>>();
  const own = new BoundedMap<Identity>();
  let lastKid = options.kid;

  const sign = (audience: ServiceName, identity: Identity): Signed => {
    const key = `${audience} ${JSON.stringify(identity)}`;
    const seconds = Math.floor(options.now() / 1000);
    const known = signed.get(key);
    if (known !== undefined && known.renewAt > seconds) return known;
    const times = { iat: seconds, exp: seconds + LIFE };
    const payload = { ...identity, iss: options.service, aud: audience, ...times };
    const authorization = BEARER + signCompact(payload, options.kid, options.privateKey);
    const made = { authorization, renewAt: seconds + LIFE - RENEW_BEFORE };
    signed.set(key, made);
    return made;
  };
  /** What another key has signed is not used any more. */
  const follow = (): void => {
    if (options.kid === lastKid) return;
    lastKid = options.kid;
    signed.clear();
    byObject = new WeakMap();
  };

  const authorizationFor = (audience: ServiceName, identity: Identity): string => {
    follow();
    let those = byObject.get(identity);
    const known = those?.[audience];
    if (known !== undefined && known.renewAt > options.now() / 1000) return known.authorization;
    const made = sign(audience, identity);
    if (those === undefined) byObject.set(identity, (those = {}));
    those[audience] = made;
    return made.authorization;
  };

  return {
    authorizationFor,
    ownAuthorization(audience, tenant) {
      let identity = own.get(tenant ?? "");
      if (identity === undefined) {
        identity = { tenant, consumer: { type: "SERVICE", id: options.service }, scopes: [] };
        own.set(tenant ?? "", identity);
      }
      return authorizationFor(audience, identity);
    },
  };
}

/** The keys of a trust by their ids. */
function trustedKeys(trust: Trust): Map<string, { service: ServiceName; key: KeyObject }> {
  const keys = new Map<string, { service: ServiceName; key: KeyObject }>();
  for (const [name, those] of Object.entries(trust.issuers)) {
    const service = serviceName.parse(name);
    for (const { kid, publicKey } of those)
      keys.set(kid, { service, key: createPublicKey(publicKey) });
  }
  return keys;
}

/** Verifies what other services say. */
export type Verifier = {
  /** The caller behind the header `Authorization`; throws UNAUTHENTICATED for anything that is not exactly right. */
  verify(authorization: string | undefined): Caller;
};

/**
 * Makes the verifier of one service. Only the gateway may speak for someone else; a service that speaks for itself has the
 * scopes of {@link serviceScopes}, whatever its token claims. The trust is looked at for each token: it may change.
 */
export function createVerifier(options: {
  readonly service: ServiceName;
  readonly trust: Trust;
  readonly now: () => number;
}): Verifier {
  let { trust } = options;
  let keys = trustedKeys(trust);
  const verified = new BoundedMap<{ caller: Caller; expires: number }>();

  /** Whoever is trusted no longer is not, from now on. */
  const follow = (): void => {
    if (options.trust === trust) return;
    ({ trust } = options);
    keys = trustedKeys(trust);
    verified.clear();
  };

  const check = (token: string): { caller: Caller; expires: number } => {
    const { payload, kid } = verifyCompact(token, (id) => {
      const known = keys.get(id);
      if (known === undefined) throw new Error("unknown key");
      return known.key;
    });
    const service = keys.get(kid)?.service;
    const claimed = claimsSchema.parse(payload);
    const { iss, aud, exp, ...identity } = claimed;
    if (service === undefined || iss !== service) throw new Error("issuer and key differ");
    if (aud !== options.service) throw new Error("for another service");
    if (exp + CLOCK_SKEW <= options.now() / 1000) throw new Error("over");
    const own: Identity = {
      tenant: identity.tenant,
      consumer: { type: "SERVICE", id: service },
      scopes: serviceScopes[service],
    };
    const speaksForOthers = service === "api-gateway" && identity.consumer.type !== "SERVICE";
    return {
      caller: { service, identity: speaksForOthers ? identity : own },
      expires: exp + CLOCK_SKEW,
    };
  };

  return {
    verify(authorization) {
      if (authorization?.startsWith(BEARER) !== true)
        throw unauthenticated("a signed identity is required");
      follow();
      const known = verified.get(authorization);
      if (known !== undefined && known.expires > options.now() / 1000) return known.caller;
      verified.delete(authorization);
      try {
        const result = check(authorization.slice(BEARER.length));
        verified.set(authorization, result);
        return result.caller;
      } catch {
        throw unauthenticated("the signed identity is not valid");
      }
    },
  };
}
