/** What can go wrong between agent and plane, as kinds that the agent can act on. */
import type { FaultKind } from "../agent/backoff.ts";

/** An exchange that failed. */
export class PlaneError extends Error {
  override readonly name = "PlaneError";
  readonly kind: FaultKind;
  readonly retryAfterMs: number | undefined;

  constructor(kind: FaultKind, message: string, retryAfterMs?: number) {
    super(message);
    this.kind = kind;
    this.retryAfterMs = retryAfterMs;
  }
}

const UNTRUSTED = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "INVALID_CA",
  "INVALID_PURPOSE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** The kind of a fault below HTTP. */
export function connectionFault(error: unknown): PlaneError {
  const { code = "", message = "" } = error as { code?: string; message?: string };
  if (UNTRUSTED.has(code)) return new PlaneError("untrusted", `${code}: ${message}`);
  // TLS alerts by which a server says that it does not take the client's certificate.
  if (/ALERT.*(?:CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED)/.test(code))
    return new PlaneError("refused", code);
  return new PlaneError("unavailable", code === "" ? message : code);
}

/** The kind of an HTTP status that is not a success. */
export function statusFault(status: number, message: string, retryAfterMs?: number): PlaneError {
  if (status === 401 || status === 403) return new PlaneError("refused", message, retryAfterMs);
  const passes =
    status === 404 || status === 408 || status === 425 || status === 429 || status >= 500;
  return new PlaneError(passes ? "unavailable" : "invalid", message, retryAfterMs);
}
