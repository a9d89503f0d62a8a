import { insufficientScopes, tenantRequired } from "@sextant/errors";
import type { Identity } from "./identity.ts";
import type { Scope } from "./scopes.ts";

/** Throws INSUFFICIENT_SCOPES unless the caller has all of these. */
export function requireScopes(identity: Identity, ...required: readonly Scope[]): void {
  if (!required.every((scope) => identity.scopes.includes(scope))) {
    throw insufficientScopes(required, identity.scopes);
  }
}

/** The tenant that a call acts in; throws INSUFFICIENT_SCOPES or TENANT_REQUIRED. */
export function authorise(identity: Identity, ...required: readonly Scope[]): string {
  requireScopes(identity, ...required);
  if (identity.tenant === undefined) throw tenantRequired();
  return identity.tenant;
}
