/** The public keys of one issuer, remembered and renewed. */
import { readFileSync } from "node:fs";
import type { Logger } from "@sextant/logging";
import { ServiceAwayError } from "@sextant/service";
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from "jose";
import { z } from "zod";
import type { FetchJSON } from "./fetch-json.ts";
import type { Issuer } from "./issuer.ts";

/** Milliseconds after which keys are read again, in the background; and for which they go on while the issuer is away. */
const FRESH = 600_000;
const STALE = 86_400_000;
/** Milliseconds between two readings: for a key that is not known, and after one that failed. */
const COOLDOWN = 10_000;
const RETRY = 1_000;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) });

/** Gives the key for a token; throws ServiceAwayError while no keys are known and the issuer does not answer. */
export type IssuerKeys = {
  readonly key: JWTVerifyGetKey;
  /** Reads the keys ahead of the first token; a failure is logged and told by the next token. */
  prepare(): void;
};

/** Makes it. Nothing is read until it is used or prepared. */
export function createIssuerKeys(
  issuer: Issuer,
  options: {
    readonly fetchJSON: FetchJSON;
    readonly allowHTTP: boolean;
    readonly now: () => number;
    readonly log: Logger;
  },
): IssuerKeys {
  const { fetchJSON, now, log } = options;
  const ca = issuer.caFile === undefined ? undefined : readFileSync(issuer.caFile);
  let known: { readonly select: JWTVerifyGetKey; readonly readAt: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  let isAway = false;

  const keysURL = async (): Promise<string> => {
    if (issuer.jwksURL !== undefined) return issuer.jwksURL;
    const url = `${issuer.issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const found = discovery.parse(await fetchJSON(url, ca));
    if (found.issuer !== issuer.issuer)
      throw new Error(`${url} is of the issuer ${found.issuer}, not of ${issuer.issuer}`);
    if (!options.allowHTTP && !found.jwks_uri.startsWith("https:"))
      throw new Error(`${url} names keys that are not served over https`);
    return found.jwks_uri;
  };

  const read = (): Promise<void> =>
    (reading ??= (async () => {
      triedAt = now();
      try {
        const { keys } = keySet.parse(await fetchJSON(await keysURL(), ca));
        // A shared secret has no business among public keys.
        const usable = keys.filter(({ kty }) => kty !== "oct");
        known = { select: createLocalJWKSet({ keys: usable }), readAt: now() };
        if (isAway) log.info({ issuer: issuer.name }, "the identity provider is back");
        isAway = false;
      } catch (error) {
        if (!isAway)
          log.warn(
            { issuer: issuer.name, err: error },
            "the identity provider's keys cannot be read",
          );
        isAway = true;
        throw error;
      } finally {
        reading = undefined;
      }
    })());

  const current = async (): Promise<NonNullable<typeof known>> => {
    const age = known === undefined ? Number.POSITIVE_INFINITY : now() - known.readAt;
    if (age > STALE) {
      const isTooSoon = reading === undefined && isAway && now() - triedAt < RETRY;
      try {
        if (isTooSoon) throw new Error("it did not answer a moment ago");
        await read();
      } catch (error) {
        throw new ServiceAwayError(
          `the identity provider ${issuer.name}`,
          `the keys of ${issuer.issuer} cannot be read`,
          error,
        );
      }
    } else if (age > FRESH && now() - triedAt > COOLDOWN) void read().catch(() => undefined);
    return known as NonNullable<typeof known>;
  };

  return {
    async key(header, token) {
      const { select, readAt } = await current();
      try {
        return await select(header, token);
      } catch (error) {
        const mayBeNew = error instanceof errors.JWKSNoMatchingKey;
        if (!mayBeNew || (reading === undefined && now() - triedAt < COOLDOWN)) throw error;
        // The issuer may have a new key: it is asked once for all tokens that come meanwhile.
        await read().catch(() => undefined);
        if (known === undefined || known.readAt === readAt) throw error;
        return known.select(header, token);
      }
    },
    prepare: () => void read().catch(() => undefined),
  };
}
