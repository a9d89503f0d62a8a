import type { Resolvers } from "@sextant/graphql";
import type { SystemAuthService } from "./system-auth.service.ts";

/** Mutations of client credentials. */
export const systemAuthResolvers = (auths: SystemAuthService): Resolvers => ({
  Mutation: {
    requestClientCredentialsForRuntime: auths.requestFor("runtime"),
    requestClientCredentialsForApplication: auths.requestFor("application"),
    requestClientCredentialsForIntegrationSystem: auths.requestFor("integrationSystem"),
    deleteSystemAuthForRuntime: auths.deleteFor("runtime"),
    deleteSystemAuthForApplication: auths.deleteFor("application"),
    deleteSystemAuthForIntegrationSystem: auths.deleteFor("integrationSystem"),
  },
});
