/** What tests share. Nothing that runs in production imports it. */
export { createTestDatabase, type TestDatabase, testServerURL } from "./database.ts";
export { createTestRegistry, type Statement, type TestRegistry } from "./registry.ts";
export { type LargeTenant, makeLargeTenant, type PlanNode } from "./large-tenant.ts";
export { createTestKeys, type TestKeys } from "./service-keys.ts";
export { type BreakableServer, startBreakableServer } from "./postgres.ts";
export { startTestIssuer, type TestIssuer } from "./issuer.ts";
export { analyze, storedRows } from "./stored.ts";
