import type { Resolvers } from "@sextant/graphql";
import type { OneTimeTokenService } from "./one-time-token.service.ts";

/** Mutations that hand out one-time tokens. */
export const oneTimeTokenResolvers = (tokens: OneTimeTokenService): Resolvers => ({
  Mutation: {
    requestOneTimeTokenForRuntime: tokens.forRuntime,
    requestOneTimeTokenForApplication: tokens.forApplication,
  },
});
