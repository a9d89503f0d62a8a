import type { Resolvers } from "@sextant/graphql";
import type { IntegrationSystemService } from "./integration-system.service.ts";

/** Mutations of integration systems and of their grants. */
export const integrationSystemResolvers = (systems: IntegrationSystemService): Resolvers => ({
  Mutation: {
    registerIntegrationSystem: systems.register,
    updateIntegrationSystem: systems.update,
    unregisterIntegrationSystem: systems.unregister,
    grantTenant: systems.grant,
    revokeTenant: systems.revoke,
  },
});
