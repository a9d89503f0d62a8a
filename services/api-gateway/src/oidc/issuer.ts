/** Issuers of users' tokens, and what is made of their claims: the setting SEXTANT_OIDC_ISSUERS. No I/O. */
import type { Roles } from "@sextant/identity";
import { z } from "zod";

/** Signatures that are accepted: by public keys only. */
export const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;

const MAX_SKEW = 300;
const values = z.array(z.string().min(1)).min(1, "must have at least one entry");
const url = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });

const byClaim = z.strictObject({
  /** Name of the claim; for one inside another, the names with dots between. */
  claim: z.string().min(1).optional(),
  /** What a value of the claim stands for. Absent: for itself. Values that are not in it stand for nothing. */
  map: z.record(z.string(), values).optional(),
  /** What every token of this issuer has. */
  always: values.optional(),
});

const issuer = z.strictObject({
  name: z.string().regex(/^[a-z0-9-]{1,32}$/, "must have 1 to 32 lower-case letters, digits and -"),
  issuer: url,
  audiences: values,
  algorithms: z
    .array(z.enum(algorithms, { error: `must be among ${algorithms.join(", ")}` }))
    .min(1, "must have at least one entry")
    .default([...algorithms]),
  /** Where its keys are, when it is not asked for its configuration. */
  jwksURL: url.optional(),
  /** PEM file with the authority of its TLS certificate, when it is none of the public ones. */
  caFile: z.string().min(1).optional(),
  /** Seconds by which its clock may differ. */
  clockSkew: z.int().min(0).max(MAX_SKEW).default(60),
  /** Claims that a human knows the user by: the first that is there. */
  displayName: values.default(["preferred_username", "email", "name"]),
  scopes: byClaim.optional(),
  roles: byClaim.optional(),
  tenants: byClaim,
});

/** One issuer, as the setting says. */
export type Issuer = z.output<typeof issuer>;

const isEmpty = (rule: z.output<typeof byClaim>): boolean =>
  rule.claim === undefined && rule.always === undefined;

/** Checks the setting; answers every fault of it. */
export function readIssuers(
  text: string,
  roles: Roles,
  allowHTTP: boolean,
): { readonly issuers: readonly Issuer[]; readonly faults: readonly string[] } {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    return { issuers: [], faults: ["is not valid JSON"] };
  }
  const read = z.array(issuer).safeParse(given);
  if (!read.success) {
    return {
      issuers: [],
      faults: read.error.issues.map(
        ({ path, message }) => `${path.join(".") || "(all)"}: ${message}`,
      ),
    };
  }
  const faults: string[] = [];
  for (const [index, one] of read.data.entries()) {
    const fault = (field: string, message: string) => faults.push(`${index}.${field}: ${message}`);
    for (const field of ["issuer", "jwksURL"] as const)
      if (!allowHTTP && one[field]?.startsWith("http:") === true) fault(field, "must be https");
    for (const field of ["name", "issuer"] as const)
      if (read.data.findIndex((other) => other[field] === one[field]) < index)
        fault(field, "must differ from those of the other issuers");
    if (one.scopes === undefined && one.roles === undefined)
      fault("roles", "give roles, scopes or both: without, nobody may do anything");
    for (const field of ["scopes", "roles", "tenants"] as const) {
      const rule = one[field];
      if (rule === undefined) continue;
      if (isEmpty(rule)) fault(field, "must have claim, always or both");
      if (rule.map !== undefined && rule.claim === undefined)
        fault(`${field}.claim`, "is required beside map");
    }
    const named = [...Object.values(one.roles?.map ?? {}), one.roles?.always ?? []].flat();
    for (const role of new Set(named))
      if (!Object.hasOwn(roles, role))
        fault("roles", `there is no role ${role}: see SEXTANT_ROLES`);
  }
  return { issuers: faults.length === 0 ? read.data : [], faults };
}
