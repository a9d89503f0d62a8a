import type { Declarations } from "@sextant/graphql";
import type { Params } from "@sextant/registry-client";
import {
  operationStatusType,
  runtimeOperationsRead,
  runtimeOperationStatusRead,
} from "./operation/operation.read.ts";
import {
  provisionedRuntimesRead,
  provisionedRuntimeStatusType,
  runtimeConfigurationType,
  runtimeConnectionStatusType,
  runtimeStatusRead,
  runtimeType,
} from "./provisioned-runtime/provisioned-runtime.read.ts";

/** Everything that the provisioner reads. */
export const declarations: Declarations = {
  queries: {
    runtimeOperationStatus: runtimeOperationStatusRead,
    runtimeOperations: runtimeOperationsRead,
    runtimeStatus: runtimeStatusRead,
    provisionedRuntimes: provisionedRuntimesRead,
  },
  types: {
    OperationStatus: operationStatusType,
    ProvisionedRuntimeStatus: provisionedRuntimeStatusType,
    RuntimeConnectionStatus: runtimeConnectionStatusType,
    RuntimeConfiguration: runtimeConfigurationType,
    Runtime: runtimeType,
  },
};

/** Parameters that these declarations name. An agent heard within so many seconds is in contact. */
export const parameters: Params = { onlineSeconds: 120, no: false };
