export { ERROR_CODES, isErrorCode, type ErrorCode } from "./code.ts";
export { SextantError, isSextantError, type ErrorDetails, type Fault } from "./sextant-error.ts";
export {
  concurrentUpdate,
  forbidden,
  insufficientScopes,
  internal,
  invalidData,
  invalidOperation,
  notFound,
  notUnique,
  rateLimited,
  tenantNotFound,
  tenantRequired,
  unauthenticated,
} from "./factories.ts";
export {
  fromJSON,
  graphqlExtensions,
  httpStatus,
  HTTP_STATUS,
  toJSON,
  type ErrorExtensions,
  type ErrorJSON,
} from "./transport.ts";
