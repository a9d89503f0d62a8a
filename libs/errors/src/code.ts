/** Every code that an error of Sextant can carry, with its number. The set is closed: clients may switch on it. */
export const ERROR_CODES = {
  INTERNAL: 10,
  NOT_FOUND: 20,
  NOT_UNIQUE: 21,
  INVALID_DATA: 22,
  INSUFFICIENT_SCOPES: 23,
  TENANT_REQUIRED: 24,
  TENANT_NOT_FOUND: 25,
  UNAUTHENTICATED: 26,
  FORBIDDEN: 26,
  INVALID_OPERATION: 27,
  CONCURRENT_UPDATE: 35,
  RATE_LIMITED: 429,
} as const satisfies Record<string, number>;

/** The name of an error, as `extensions.code` shows it. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** True for a string that is one of the codes. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === "string" && Object.hasOwn(ERROR_CODES, value);
}
