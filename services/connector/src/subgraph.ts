/** The Connector's use cases and its GraphQL: one object graph for the process and for tests. */
import type { Resolvers } from "@sextant/graphql";
import { certificateResolvers } from "./certificate/certificate.resolvers.ts";
import { createRevocationListService } from "./certificate/revocation-list.service.ts";
import { createRevocationService } from "./certificate/revocation.service.ts";
import { createConfigurationService } from "./configuration/configuration.service.ts";
import type { Context } from "./context.ts";
import { oneTimeTokenResolvers } from "./one-time-token/one-time-token.resolvers.ts";
import { createOneTimeTokenService } from "./one-time-token/one-time-token.service.ts";
import { signingResolvers } from "./signing/signing.resolvers.ts";
import { createSigningService } from "./signing/signing.service.ts";

/** Makes them. */
export function createSubgraph(context: Context) {
  const tokens = createOneTimeTokenService(context);
  const revocations = createRevocationService(context);
  const configurations = createConfigurationService(context, tokens);
  const signing = signingResolvers(configurations, createSigningService(context, tokens));
  const resolvers: Resolvers = {
    ...signing,
    Mutation: {
      ...signing.Mutation,
      ...certificateResolvers(revocations).Mutation,
      ...oneTimeTokenResolvers(tokens).Mutation,
    },
  };
  return {
    tokens,
    revocations,
    revocationLists: createRevocationListService(context),
    resolvers,
  };
}
