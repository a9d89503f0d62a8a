/** Who may do what: the caller against the object (its scopes are checked before). */
import { forbidden, notFound } from "@sextant/errors";
import type { Identity } from "@sextant/identity";
import { isUUID } from "@sextant/registry-client";

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

/** Throws FORBIDDEN for everyone but a user: what an integration system may not do for admins. */
export function requireUser(identity: Identity, what: string): void {
  if (identity.consumer.type !== "USER")
    throw forbidden(`${what} is for admins: ${identity.consumer.type} may not do it`);
}

/** Stands for every tenant among the ids of those that a user may act in. */
export const EVERY_TENANT = "*";

/** Whether a user may act in a tenant; in every one: `*`. */
export function mayActIn(identity: Identity, tenantID: string): boolean {
  if (tenantID === identity.tenant) return true;
  const open = identity.tenants ?? [];
  return open.includes(EVERY_TENANT) || open.includes(tenantID);
}

/** Throws NOT_FOUND unless the caller is this application, or no paired caller at all. */
export function requireApplication(
  identity: Identity,
  applicationID: string,
  noun = "Application",
  id = applicationID,
): void {
  const { type, id: own } = identity.consumer;
  if (type === "APPLICATION" ? own !== applicationID : type === "RUNTIME") throw notFound(noun, id);
}

/** Throws NOT_FOUND unless the caller is this runtime, or no paired caller at all. */
export function requireRuntime(
  identity: Identity,
  runtimeID: string,
  noun = "Runtime",
  id = runtimeID,
): void {
  const { type, id: own } = identity.consumer;
  if (type === "RUNTIME" ? own !== runtimeID : type === "APPLICATION") throw notFound(noun, id);
}

/** An id as it is stored; throws NOT_FOUND for what cannot be one. */
export function knownID(noun: string, id: string): string {
  if (!isUUID(id)) throw notFound(noun, id);
  return id.toLowerCase();
}
