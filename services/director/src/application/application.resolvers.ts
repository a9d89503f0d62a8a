import type { Resolvers } from "@sextant/graphql";
import type { ApplicationService } from "./application.service.ts";

/** Mutations of applications. */
export const applicationResolvers = (applications: ApplicationService): Resolvers => ({
  Mutation: {
    registerApplication: applications.register,
    updateApplication: applications.update,
    unregisterApplication: applications.unregister,
  },
});
