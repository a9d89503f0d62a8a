/** From the claims of a user's token to what the user may do. No I/O. */
import { type Roles, scopes as everyScope } from "@sextant/identity";
import type { Issuer } from "./issuer.ts";

/** Values of one claim, and tenants of one user, that are looked at. */
const MAX_VALUES = 1000;
const MAX_TENANTS = 100;
const MAX_NAME = 256;
const EVERY_TENANT = "*";

type Claims = Readonly<Record<string, unknown>>;
type Rule = Issuer["tenants"];

/** A claim by its name, which may have dots itself; else by the names on the way to it. */
function claimOf(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part))
      return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

/** The texts in a claim: a list, or one text with spaces between (RFC 8693, 4.2). */
function textsOf(claims: Claims, name: string): readonly string[] {
  const value = claimOf(claims, name);
  const list: readonly unknown[] =
    typeof value === "string" ? value.split(" ") : Array.isArray(value) ? value : [];
  return list
    .slice(0, MAX_VALUES)
    .filter((one): one is string => typeof one === "string" && one !== "");
}

function valuesOf(rule: Rule | undefined, claims: Claims): readonly string[] {
  if (rule === undefined) return [];
  const { claim, map, always = [] } = rule;
  const told = claim === undefined ? [] : textsOf(claims, claim);
  const meant =
    map === undefined
      ? told
      : told.flatMap((one) => (Object.hasOwn(map, one) ? (map[one] ?? []) : []));
  return [...new Set([...always, ...meant])];
}

/** What is made of a token's claims. */
export type Mapped = {
  readonly name: string | undefined;
  readonly scopes: readonly string[];
  /** External ids; `*`: every tenant. */
  readonly tenants: readonly string[];
};

/** Maps claims as the issuer's settings say. What is no scope, no role and no tenant counts for nothing. */
export function mapClaims(issuer: Issuer, roles: Roles, claims: Claims): Mapped {
  const held = new Set([
    ...valuesOf(issuer.scopes, claims),
    ...valuesOf(issuer.roles, claims).flatMap((role) =>
      Object.hasOwn(roles, role) ? (roles[role] ?? []) : [],
    ),
  ]);
  const name = issuer.displayName
    .map((claim) => claimOf(claims, claim))
    .find((value): value is string => typeof value === "string" && value !== "");
  const { map, always = [] } = issuer.tenants;
  // Every tenant is given by who runs the plane alone, never by a token that says so.
  const mayBeEvery = map !== undefined || always.includes(EVERY_TENANT);
  const tenants = valuesOf(issuer.tenants, claims).filter(
    (tenant) => tenant !== EVERY_TENANT || mayBeEvery,
  );
  return {
    // Into a line of a log, where nothing but what can be read belongs.
    name: name?.replaceAll(/\p{C}+/gu, " ").slice(0, MAX_NAME),
    scopes: everyScope.filter((scope) => held.has(scope)),
    tenants: tenants.slice(0, MAX_TENANTS),
  };
}
