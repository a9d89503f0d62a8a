/** Who may do what: scopes first, then the caller against the object. */
import { forbidden, insufficientScopes, notFound, tenantRequired } from "@sextant/errors";
import type { Identity, Scope } from "@sextant/identity";
import { type Condition, isUUID } from "@sextant/registry-client";

/** The tenant that a call acts in; throws INSUFFICIENT_SCOPES or TENANT_REQUIRED. */
export function authorise(identity: Identity, ...required: readonly Scope[]): string {
  requireScopes(identity, ...required);
  if (identity.tenant === undefined) throw tenantRequired();
  return identity.tenant;
}

/** Throws INSUFFICIENT_SCOPES unless the caller has all of these. */
export function requireScopes(identity: Identity, ...required: readonly Scope[]): void {
  if (!required.every((scope) => identity.scopes.includes(scope))) {
    throw insufficientScopes(required, identity.scopes);
  }
}

/** Whether a caller acts for itself alone: a paired application or runtime. */
export function isPaired(identity: Identity): boolean {
  return identity.consumer.type === "APPLICATION" || identity.consumer.type === "RUNTIME";
}

/** Throws FORBIDDEN for a paired application or runtime: this is for admins. */
export function requireAdmin(identity: Identity, what: string): void {
  if (isPaired(identity) || identity.consumer.type === "ONE_TIME_TOKEN") {
    throw forbidden(`${what} is for admins: ${identity.consumer.type} may not do it`);
  }
}

/** Throws NOT_FOUND unless the caller is this application, or no paired caller at all. */
export function requireApplication(identity: Identity, applicationID: string, noun = "Application", id = applicationID): void {
  const { type, id: own } = identity.consumer;
  if (type === "APPLICATION" ? own !== applicationID : type === "RUNTIME") throw notFound(noun, id);
}

/** Throws NOT_FOUND unless the caller is this runtime, or no paired caller at all. */
export function requireRuntime(identity: Identity, runtimeID: string): void {
  const { type, id: own } = identity.consumer;
  if (type === "RUNTIME" ? own !== runtimeID : type === "APPLICATION") throw notFound("Runtime", runtimeID);
}

/** An id as it is stored; throws NOT_FOUND for what cannot be one. */
export function knownID(noun: string, id: string): string {
  if (!isUUID(id)) throw notFound(noun, id);
  return id.toLowerCase();
}

/** A condition that only objects of the calling application meet; none for other callers. */
export function ownedByCaller(identity: Identity): Condition | undefined {
  return identity.consumer.type === "APPLICATION"
    ? { op: "equals", field: "applicationID", value: { param: "me" } }
    : undefined;
}
