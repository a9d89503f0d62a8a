import type { Resolvers } from "@sextant/graphql";
import type { OperationService } from "./operation.service.ts";

/** Mutations that begin and cancel operations. */
export const operationResolvers = (operations: OperationService): Resolvers => ({
  Mutation: {
    provisionRuntime: operations.provision,
    upgradeRuntime: operations.upgrade,
    deprovisionRuntime: operations.deprovision,
    reconnectRuntimeAgent: operations.reconnect,
    cancelOperation: operations.cancel,
  },
});
