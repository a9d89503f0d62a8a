import type { Resolvers } from "@sextant/graphql";
import type { APITokenService } from "./api-token.service.ts";

/** Mutations of API tokens. */
export const apiTokenResolvers = (tokens: APITokenService): Resolvers => ({
  Mutation: { createAPIToken: tokens.create, revokeAPIToken: tokens.revoke },
});
