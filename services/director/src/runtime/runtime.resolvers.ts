import type { Resolvers } from "@sextant/graphql";
import type { RuntimeService } from "./runtime.service.ts";

/** Mutations of runtimes. */
export const runtimeResolvers = (runtimes: RuntimeService): Resolvers => ({
  Mutation: {
    registerRuntime: runtimes.register,
    updateRuntime: runtimes.update,
    unregisterRuntime: runtimes.unregister,
  },
});
