import { ERROR_CODES, isErrorCode, type ErrorCode } from "./code.ts";
import { SextantError, type Fault } from "./sextant-error.ts";

/** HTTP status of each code, where an error is the whole answer. */
export const HTTP_STATUS = {
  INTERNAL: 500,
  NOT_FOUND: 404,
  NOT_UNIQUE: 409,
  INVALID_DATA: 400,
  INSUFFICIENT_SCOPES: 403,
  TENANT_REQUIRED: 400,
  TENANT_NOT_FOUND: 404,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  INVALID_OPERATION: 409,
  CONCURRENT_UPDATE: 409,
  RATE_LIMITED: 429,
} as const satisfies Record<ErrorCode, number>;

/** `extensions` of a GraphQL error. */
export type ErrorExtensions = {
  readonly code: ErrorCode;
  readonly error_code: number;
  readonly retryAfter?: number;
  readonly errorId?: string;
};

/** How an error looks when one service answers another. */
export type ErrorJSON = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly faults?: readonly Fault[];
  readonly retryAfter?: number;
  readonly errorId?: string;
};

/** The HTTP status for an error that is the whole answer: 503 for a fault that will pass. */
export function httpStatus(error: SextantError): number {
  const passes = error.code === "INTERNAL" && error.retryAfter !== undefined;
  return passes ? 503 : HTTP_STATUS[error.code];
}

/** The `extensions` of a GraphQL error. */
export function graphqlExtensions(error: SextantError): ErrorExtensions {
  return {
    code: error.code,
    error_code: ERROR_CODES[error.code],
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    ...(error.errorId === undefined ? {} : { errorId: error.errorId }),
  };
}

/** The form that crosses services. Stack and cause stay behind. */
export function toJSON(error: SextantError): ErrorJSON {
  return {
    code: error.code,
    message: error.message,
    ...(error.faults === undefined ? {} : { faults: error.faults }),
    ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
    ...(error.errorId === undefined ? {} : { errorId: error.errorId }),
  };
}

/**
 * Reads what `toJSON` wrote. Anything else is `undefined`, so that the caller treats it as the unexpected answer that it is.
 */
export function fromJSON(value: unknown): SextantError | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { code, message, faults, retryAfter, errorId } = value as Record<string, unknown>;
  if (!isErrorCode(code) || typeof message !== "string") return undefined;
  if (faults !== undefined && !isFaults(faults)) return undefined;
  if (retryAfter !== undefined && (typeof retryAfter !== "number" || !Number.isFinite(retryAfter)))
    return undefined;
  if (errorId !== undefined && typeof errorId !== "string") return undefined;
  return new SextantError(code, message, {
    ...(faults === undefined ? {} : { faults }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(errorId === undefined ? {} : { errorId }),
  });
}

function isFaults(value: unknown): value is Fault[] {
  return (
    Array.isArray(value) &&
    value.every(
      (fault: unknown) =>
        typeof fault === "object" &&
        fault !== null &&
        typeof (fault as Record<string, unknown>)["field"] === "string" &&
        typeof (fault as Record<string, unknown>)["message"] === "string",
    )
  );
}
