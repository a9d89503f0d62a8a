/** GraphQL over HTTP, and declared reads compiled to read plans. */
export {
  all,
  type Args,
  type ArgsRead,
  column,
  jsonAsText,
  type Declarations,
  embedded,
  equals,
  expression,
  type FieldRead,
  labels,
  me,
  none,
  type ObjectRead,
  openTenant,
  ownedBy,
  type Param,
  type RootRead,
  type Where,
} from "./declaration.ts";
export type { GraphAnswer } from "./answer.ts";
export { coerceVariables } from "./coerce.ts";
export { collectFields, type Walk } from "./collect.ts";
export { createCost } from "./cost.ts";
export { defaultLimits, limitError, type Limits, limitSettings, limitsOf } from "./limits.ts";
export { checked, checkedBody, checkedFully } from "./checked.ts";
export {
  createExecutor,
  type Executor,
  type ExecutorOptions,
  type GraphRequest,
} from "./executor.ts";
export {
  createDocumentReader,
  type Document,
  firstNode,
  isSchemaField,
  type Operation,
  selectOperation,
} from "./document.ts";
export {
  acceptedType,
  errorReply,
  faultReply,
  graphqlRoute,
  graphReply,
  readGraphRequest,
  requireAcceptable,
} from "./http.ts";
export { MAX_PAGE } from "./page.ts";
export { idParameter } from "./query-plan.ts";
export { createRepeats, type Repeat, RepeatedError } from "./repeat.ts";
export {
  actorOf,
  Answer,
  type GraphCall,
  type Resolver,
  type Resolvers,
  type Returning,
} from "./resolver.ts";
export { checkedScalar, loadSubgraph, publicSchema, type SubgraphSchema } from "./schema.ts";
export {
  answerOf,
  type FieldError,
  fieldError,
  type Outcome,
  refusedRequest,
  requestError,
} from "./field-error.ts";
export { introspect } from "./introspect.ts";
