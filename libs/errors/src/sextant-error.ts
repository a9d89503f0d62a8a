import type { ErrorCode } from "./code.ts";

/** One violated field of an input. */
export type Fault = {
  /** Path of the field inside the input, such as `name` or `bundles.0.name`. */
  readonly field: string;
  /** What is wrong with it, such as `must not be empty`. */
  readonly message: string;
};

/** What an error may carry beside its code and message. */
export type ErrorDetails = {
  /** INVALID_DATA: every violated field. */
  readonly faults?: readonly Fault[];
  /** RATE_LIMITED: seconds after which it is worth trying again. */
  readonly retryAfter?: number;
  /** INTERNAL: the id under which the log has the real fault. */
  readonly errorId?: string;
  /** The fault underneath, for the log of this process. It never leaves the process. */
  readonly cause?: unknown;
};

/**
 * The one error that crosses services. Its message is made for the client: it never holds internal text, SQL or secrets.
 * Make one with a factory (`notFound`, `invalidData`, …), so that messages keep one form.
 */
export class SextantError extends Error {
  override readonly name = "SextantError";
  readonly code: ErrorCode;
  readonly faults: readonly Fault[] | undefined;
  readonly retryAfter: number | undefined;
  readonly errorId: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.faults = details.faults;
    this.retryAfter = details.retryAfter;
    this.errorId = details.errorId;
  }
}

/** True for an error made by this library; with `code`, only for one of that code. */
export function isSextantError(error: unknown, code?: ErrorCode): error is SextantError {
  return error instanceof SextantError && (code === undefined || error.code === code);
}
