import type { Resolvers } from "@sextant/graphql";
import type { RuntimeContextService } from "./runtime-context.service.ts";

/** Mutations of runtime contexts. */
export const runtimeContextResolvers = (contexts: RuntimeContextService): Resolvers => ({
  Mutation: {
    registerRuntimeContext: contexts.register,
    updateRuntimeContext: contexts.update,
    unregisterRuntimeContext: contexts.unregister,
  },
});
