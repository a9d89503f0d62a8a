import type { Resolvers } from "@sextant/graphql";
import type { InstanceAuthService } from "./instance-auth.service.ts";

/** Mutations of the credentials of bundles. */
export const instanceAuthResolvers = (auths: InstanceAuthService): Resolvers => ({
  Mutation: {
    createBundleInstanceAuth: auths.create,
    updateBundleInstanceAuth: auths.update,
    setBundleInstanceAuth: auths.set,
    deleteBundleInstanceAuth: auths.delete,
    requestBundleInstanceAuthCreation: auths.requestCreation,
    requestBundleInstanceAuthDeletion: auths.requestDeletion,
  },
});
