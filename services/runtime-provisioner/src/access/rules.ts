/** The authorization table of the Runtime Provisioner: see docs/api/authorization.md, which is made of it. */
import { type AccessRules, rule } from "@sextant/identity";

const read = rule("provisioning:read", "provisionedRuntime");
const write = rule("provisioning:write", "provisionedRuntime");

/** What the provisioner's operations need. Those who have paired never have these scopes. */
export const rules: AccessRules = {
  runtimeStatus: read,
  provisionedRuntimes: read,
  runtimeOperationStatus: read,
  runtimeOperations: read,
  provisionRuntime: rule("provisioning:write"),
  upgradeRuntime: write,
  deprovisionRuntime: write,
  reconnectRuntimeAgent: write,
  cancelOperation: write,
};
