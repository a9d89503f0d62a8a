import type { Resolvers } from "@sextant/graphql";
import type { OneTimeTokenService } from "./one-time-token.service.ts";

/** Mutations of one-time tokens. */
export const oneTimeTokenResolvers = (tokens: OneTimeTokenService): Resolvers => ({
  Mutation: { revokeOneTimeToken: tokens.revoke },
});
