/** Auth values: how a request is authenticated. Checked on the way in, sealed in the storage, opened on the way out. */
import type { Identity } from "@sextant/identity";
import { z } from "zod";
import { absoluteURL, text } from "../input/input.ts";
import type { Sealer } from "../secret/sealer.ts";

/** Opens a sealed auth value to what the API shows. */
export type OpenAuth = (sealed: unknown, identity: Identity) => unknown;

/** Opens a sealed text. */
export type OpenText = (sealed: unknown, identity: Identity) => unknown;

const MAX_SECRET = 10_000;
const MAX_ENTRIES = 100;

type Entries = Readonly<Record<string, readonly string[]>>;

const valuesByName = z
  .record(
    z.string().min(1, "must not be empty").max(256),
    z.array(z.string().max(8192)).max(MAX_ENTRIES),
  )
  .refine((map) => Object.keys(map).length <= MAX_ENTRIES, {
    error: `must have at most ${MAX_ENTRIES} names`,
  });

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const headers = valuesByName.refine(
  (map) =>
    Object.entries(map).every(
      ([name, values]) =>
        headerName.test(name) && values.every((value) => /^[\t\x20-\x7e\x80-\xff]*$/.test(value)),
    ),
  { error: "must be header names with arrays of header values (RFC 9110)" },
);

/** The same map, as a value or as JSON text: one of the two. */
const serialized = z.string().max(100_000).nullish();

const credential = z
  .object({
    basic: z
      .object({
        username: text(1, MAX_SECRET).refine((name) => !name.includes(":"), {
          error: "must not have a colon",
        }),
        password: text(0, MAX_SECRET),
      })
      .nullish(),
    oauth: z
      .object({
        clientId: text(1, MAX_SECRET),
        clientSecret: text(1, MAX_SECRET),
        url: absoluteURL,
      })
      .nullish(),
  })
  .refine((value) => (value.basic ?? null) === null || (value.oauth ?? null) === null, {
    error: "must have exactly one of basic and oauth",
  })
  .refine((value) => (value.basic ?? null) !== null || (value.oauth ?? null) !== null, {
    error: "must have exactly one of basic and oauth",
  });

const extras = {
  additionalHeaders: headers.nullish(),
  additionalHeadersSerialized: serialized,
  additionalQueryParams: valuesByName.nullish(),
  additionalQueryParamsSerialized: serialized,
};

type Extras = {
  additionalHeaders?: Entries | null | undefined;
  additionalHeadersSerialized?: string | null | undefined;
  additionalQueryParams?: Entries | null | undefined;
  additionalQueryParamsSerialized?: string | null | undefined;
};

function merged(
  given: Entries | null | undefined,
  json: string | null | undefined,
  schema: z.ZodType<Entries>,
  field: string,
  context: z.RefinementCtx,
): Entries | null {
  if (json === null || json === undefined) return given ?? null;
  const fail = (message: string) => {
    context.addIssue({ code: "custom", path: [field], message });
    return null;
  };
  if (given !== null && given !== undefined)
    return fail(`give either ${field.replace("Serialized", "")} or ${field}`);
  try {
    const parsed = schema.safeParse(JSON.parse(json));
    return parsed.success
      ? parsed.data
      : fail(parsed.error.issues[0]?.message ?? "has a wrong form");
  } catch {
    return fail("must be valid JSON");
  }
}

const withMergedExtras = <Value extends Extras>(value: Value, context: z.RefinementCtx) => {
  const {
    additionalHeaders,
    additionalHeadersSerialized,
    additionalQueryParams,
    additionalQueryParamsSerialized,
    ...rest
  } = value;
  return {
    ...rest,
    additionalHeaders: merged(
      additionalHeaders,
      additionalHeadersSerialized,
      headers,
      "additionalHeadersSerialized",
      context,
    ),
    additionalQueryParams: merged(
      additionalQueryParams,
      additionalQueryParamsSerialized,
      valuesByName,
      "additionalQueryParamsSerialized",
      context,
    ),
  };
};

const csrf = z
  .object({ tokenEndpointURL: absoluteURL, credential: credential.nullish(), ...extras })
  .transform(withMergedExtras);

/** An AuthInput; becomes the stored form. */
export const authInput = z
  .object({
    credential: credential.nullish(),
    ...extras,
    requestAuth: z.object({ csrf: csrf.nullish() }).nullish(),
  })
  .transform(withMergedExtras);

/** An auth value as it is stored, before it is sealed; agents get it in this form in their plans. */
export type StoredAuth = z.output<typeof authInput>;

/** Seals an auth value; null stays null. */
export function sealAuth(
  sealer: Sealer,
  tenant: string,
  auth: StoredAuth | null | undefined,
): string | null {
  return auth === null || auth === undefined
    ? null
    : sealer.seal(tenant, "auth", JSON.stringify(auth));
}

/** Opens a sealed auth value. */
export function openStoredAuth(sealer: Sealer, tenant: string, sealed: string): StoredAuth {
  return JSON.parse(sealer.open(tenant, "auth", sealed)) as StoredAuth;
}

function shownCredential(value: StoredAuth["credential"]): unknown {
  if (value?.basic) return { __typename: "BasicCredentialData", ...value.basic };
  if (value?.oauth) return { __typename: "OAuthCredentialData", ...value.oauth };
  return null;
}

const shownExtras = (value: {
  additionalHeaders: Entries | null;
  additionalQueryParams: Entries | null;
}) => ({
  additionalHeaders: value.additionalHeaders,
  additionalHeadersSerialized:
    value.additionalHeaders === null ? null : JSON.stringify(value.additionalHeaders),
  additionalQueryParams: value.additionalQueryParams,
  additionalQueryParamsSerialized:
    value.additionalQueryParams === null ? null : JSON.stringify(value.additionalQueryParams),
});

/** What the API shows of an auth value. */
export function shownAuth(auth: StoredAuth): unknown {
  const request = auth.requestAuth?.csrf;
  return {
    credential: shownCredential(auth.credential),
    ...shownExtras(auth),
    requestAuth: request
      ? {
          csrf: {
            tokenEndpointURL: request.tokenEndpointURL,
            credential: shownCredential(request.credential),
            ...shownExtras(request),
          },
        }
      : null,
  };
}
