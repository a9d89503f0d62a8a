import { SextantError, type Fault } from "./sextant-error.ts";

/** An id as it was sent, as far as it could be one. */
const shown = (id: string): string => (id.length > 256 ? `${id.slice(0, 256)}…` : id);

/** The object does not exist, or belongs to another tenant: the two must look the same. `kind` is the noun, such as `Application`. */
export function notFound(kind: string, id: string): SextantError {
  return new SextantError("NOT_FOUND", `${kind} with id ${shown(id)} does not exist`);
}

/** `what` names the object that is there already, such as `Application shop`. */
export function notUnique(what: string): SextantError {
  return new SextantError("NOT_UNIQUE", `Object name is not unique: ${what}`);
}

/** `inputType` is the name of the GraphQL input or of the document that was checked; `faults` has every violated field. */
export function invalidData(inputType: string, faults: readonly Fault[]): SextantError {
  const list = faults
    .map((fault) => `${fault.field}: ${fault.message.replace(/\.$/, "")}`)
    .join("; ");
  return new SextantError("INVALID_DATA", `validation error for type ${inputType}: ${list}.`, {
    faults,
  });
}

/** The caller is known, but its scopes do not allow this operation. */
export function insufficientScopes(
  required: readonly string[],
  actual: readonly string[],
): SextantError {
  return new SextantError(
    "INSUFFICIENT_SCOPES",
    `insufficient scopes provided, required: [${required.join(", ")}], actual: [${actual.join(", ")}]`,
  );
}

/** The operation works inside a tenant and the caller has chosen none. */
export function tenantRequired(): SextantError {
  return new SextantError("TENANT_REQUIRED", "tenant is required: name one in the header Tenant");
}

/** `id` is the external id that the caller has sent. */
export function tenantNotFound(id: string): SextantError {
  return new SextantError(
    "TENANT_NOT_FOUND",
    `tenant with external id ${shown(id)} does not exist or is not open to the caller`,
  );
}

/** The caller is not known, or its credential is no longer good. */
export function unauthenticated(message: string): SextantError {
  return new SextantError("UNAUTHENTICATED", message);
}

/** The caller is known and may not do this, whatever its scopes. Never for a foreign tenant's object: that is `notFound`. */
export function forbidden(message: string): SextantError {
  return new SextantError("FORBIDDEN", message);
}

/** The object's state does not allow it; the message says which state would. */
export function invalidOperation(message: string): SextantError {
  return new SextantError("INVALID_OPERATION", message);
}

/** The revision that the caller expected is not the stored one. */
export function concurrentUpdate(kind: string, id: string): SextantError {
  return new SextantError(
    "CONCURRENT_UPDATE",
    `${kind} with id ${id} was changed by someone else: read it again and repeat with its revision`,
  );
}

/** Too many requests; `retryAfterSeconds` is when to come back. */
export function rateLimited(retryAfterSeconds: number): SextantError {
  const seconds = Math.max(1, Math.ceil(retryAfterSeconds));
  return new SextantError("RATE_LIMITED", `too many requests: try again in ${seconds} s`, {
    retryAfter: seconds,
  });
}

/** An unexpected fault. The client gets the id alone; the log has the cause under it. */
export function internal(errorId: string, cause?: unknown): SextantError {
  return new SextantError("INTERNAL", "internal error", { errorId, cause });
}
