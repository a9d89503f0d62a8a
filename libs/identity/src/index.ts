/** Who calls inside the plane, for which tenant, with which scopes; signed by who says so. */
export { serviceName, serviceNames, type ServiceName } from "./service-name.ts";
export {
  ACCESS_TOKEN_ISSUER,
  type AccessToken,
  type AccessTokens,
  createAccessTokens,
} from "./access-token.ts";
export { defaultRoles, type Roles, rolesSetting } from "./roles.ts";
export { clientHash } from "./client-secret.ts";
export {
  applicationScopes,
  integrationSystemScopes,
  runtimeScopes,
  type Scope,
  scopes,
  serviceScopes,
} from "./scopes.ts";
export {
  type Caller,
  type ConsumerType,
  consumerTypes,
  createSigner,
  createVerifier,
  type Identity,
  type Signer,
  type Trust,
  type Verifier,
} from "./identity.ts";
export { readServiceKeys, type ServiceKeys } from "./keys.ts";
export { authorise, requireScopes } from "./authorise.ts";
export {
  type AccessRule,
  type AccessRules,
  fixedScopes,
  type OutsideType,
  type Reach,
  rule,
  scopesFor,
} from "./access-rule.ts";
