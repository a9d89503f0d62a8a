import type { Resolvers } from "@sextant/graphql";
import type { TenantService } from "./tenant.service.ts";

/** Mutations of tenants. */
export const tenantResolvers = (tenants: TenantService): Resolvers => ({
  Mutation: {
    registerTenant: tenants.register,
    updateTenant: tenants.update,
    deleteTenant: tenants.delete,
  },
});
