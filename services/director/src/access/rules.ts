/**
 * The authorization table: one line for each operation. The page docs/api/authorization.md is made of it, and a test carries out
 * every operation as every type of caller, on objects that are its own, of its group, of others and of another tenant.
 */
import { type AccessRules, rule } from "@sextant/identity";

const users = { INTEGRATION_SYSTEM: "forbidden" } as const;
const usersOnly = { INTEGRATION_SYSTEM: "hidden" } as const;
const notPaired = { APPLICATION: "hidden", RUNTIME: "hidden" } as const;
const ofApplication = { APPLICATION: "own", RUNTIME: "hidden" } as const;
const ofRuntime = { RUNTIME: "own", APPLICATION: "hidden" } as const;

/** What Director's operations need, and which objects they reach. */
export const rules: AccessRules = {
  applications: rule("application:read", "application", { APPLICATION: "own", RUNTIME: "group" }),
  application: rule("application:read", "application", { APPLICATION: "own", RUNTIME: "group" }),
  applicationsForRuntime: rule("application:read", "runtime", {
    APPLICATION: "group",
    RUNTIME: "own",
  }),
  registerApplication: rule("application:write"),
  updateApplication: rule("application:write", "application", ofApplication),
  unregisterApplication: rule("application:write", "application"),

  runtimes: rule("runtime:read", "runtime", { APPLICATION: "group", RUNTIME: "own" }),
  runtime: rule("runtime:read", "runtime", { APPLICATION: "group", RUNTIME: "own" }),
  registerRuntime: rule("runtime:write"),
  updateRuntime: rule("runtime:write", "runtime", ofRuntime),
  unregisterRuntime: rule("runtime:write", "runtime"),

  setApplicationLabel: rule("application:write", "application", ofApplication),
  deleteApplicationLabel: rule("application:write", "application", ofApplication),
  setRuntimeLabel: rule("runtime:write", "runtime", ofRuntime),
  deleteRuntimeLabel: rule("runtime:write", "runtime", ofRuntime),

  runtimeContexts: rule("runtime:read", "runtimeContext", { APPLICATION: "group", RUNTIME: "own" }),
  runtimeContext: rule("runtime:read", "runtimeContext", { APPLICATION: "group", RUNTIME: "own" }),
  registerRuntimeContext: rule("runtime:write", "runtime", ofRuntime),
  updateRuntimeContext: rule("runtime:write", "runtimeContext", ofRuntime),
  unregisterRuntimeContext: rule("runtime:write", "runtimeContext", ofRuntime),

  labelDefinitions: rule("label_definition:read", "labelDefinition"),
  labelDefinition: rule("label_definition:read", "labelDefinition"),
  createLabelDefinition: rule("label_definition:write"),
  updateLabelDefinition: rule("label_definition:write", "labelDefinition"),
  deleteLabelDefinition: rule("label_definition:write", "labelDefinition"),

  automaticGroupAssignments: rule("runtime:read", "assignment", notPaired),
  automaticGroupAssignmentForGroup: rule("runtime:read", "assignment", notPaired),
  automaticGroupAssignmentsForSelector: rule("runtime:read", "assignment", notPaired),
  createAutomaticGroupAssignment: rule("runtime:write"),
  deleteAutomaticGroupAssignmentForGroup: rule("runtime:write", "assignment"),
  deleteAutomaticGroupAssignmentsForSelector: rule("runtime:write", "assignment"),

  bundleByInstanceAuth: rule("application:read", "auth", { APPLICATION: "own", RUNTIME: "own" }),
  addBundle: rule("application:write", "application", ofApplication),
  updateBundle: rule("application:write", "bundle", ofApplication),
  deleteBundle: rule("application:write", "bundle", ofApplication),
  addAPIDefinitionToBundle: rule("application:write", "bundle", ofApplication),
  updateAPIDefinition: rule("application:write", "api", ofApplication),
  deleteAPIDefinition: rule("application:write", "api", ofApplication),
  addEventDefinitionToBundle: rule("application:write", "bundle", ofApplication),
  updateEventDefinition: rule("application:write", "event", ofApplication),
  deleteEventDefinition: rule("application:write", "event", ofApplication),
  addDocumentToBundle: rule("application:write", "bundle", ofApplication),
  deleteDocument: rule("application:write", "document", ofApplication),
  refetchAPISpec: rule("application:write", "api", ofApplication),
  refetchEventDefinitionSpec: rule("application:write", "event", ofApplication),

  bundleInstanceAuth: rule("application:read", "auth", { APPLICATION: "own", RUNTIME: "own" }),
  createBundleInstanceAuth: rule("application:write", "bundle", ofApplication),
  updateBundleInstanceAuth: rule("application:write", "auth", ofApplication),
  setBundleInstanceAuth: rule("application:write", "auth", ofApplication),
  deleteBundleInstanceAuth: rule("application:write", "auth", ofApplication),
  requestBundleInstanceAuthCreation: rule(
    "application:write",
    "bundle",
    { APPLICATION: "hidden", RUNTIME: "group" },
    { RUNTIME: ["runtime:write"] },
  ),
  requestBundleInstanceAuthDeletion: rule(
    "application:write",
    "auth",
    { APPLICATION: "hidden", RUNTIME: "own" },
    { RUNTIME: ["runtime:write"] },
  ),

  requestOneTimeTokenForRuntime: rule("runtime:write", "runtime"),
  requestOneTimeTokenForApplication: rule("application:write", "application"),
  requestClientCredentialsForRuntime: rule("runtime:write", "runtime"),
  requestClientCredentialsForApplication: rule("application:write", "application"),
  requestClientCredentialsForIntegrationSystem: rule("integration_system:write", "system", users),
  deleteSystemAuthForRuntime: rule("runtime:write", "runtimeClient"),
  deleteSystemAuthForApplication: rule("application:write", "applicationClient"),
  deleteSystemAuthForIntegrationSystem: rule("integration_system:write", "systemClient", users),

  addWebhook: rule("application:write", "application", ofApplication),
  updateWebhook: rule("application:write", "webhook", ofApplication),
  deleteWebhook: rule("application:write", "webhook", ofApplication),
  rotateWebhookSecret: rule("application:write", "webhook", ofApplication),

  applicationTemplates: rule("application_template:read", "template"),
  applicationTemplate: rule("application_template:read", "template"),
  createApplicationTemplate: rule("application_template:write"),
  registerApplicationFromTemplate: rule(
    ["application_template:read", "application:write"],
    "template",
  ),
  updateApplicationTemplate: rule("application_template:write", "template"),
  deleteApplicationTemplate: rule("application_template:write", "template"),

  integrationSystems: rule("integration_system:read", "system", { INTEGRATION_SYSTEM: "own" }),
  integrationSystem: rule("integration_system:read", "system", { INTEGRATION_SYSTEM: "own" }),
  registerIntegrationSystem: rule("integration_system:write", undefined, users),
  updateIntegrationSystem: rule("integration_system:write", "system", users),
  unregisterIntegrationSystem: rule("integration_system:write", "system", users),
  grantTenant: rule("tenant:write", "system", users),
  revokeTenant: rule("tenant:write", "system", users),
  tenantGrants: rule("tenant:read", "grant", usersOnly),

  setDefaultEventingForApplication: rule("eventing:manage", "application"),
  deleteDefaultEventingForApplication: rule("eventing:manage", "application"),

  healthChecks: rule("health_checks:read", "health", { APPLICATION: "own", RUNTIME: "own" }),

  viewer: rule([], undefined, { APPLICATION: "all", RUNTIME: "all" }),
  tenants: rule("tenant:read", "tenant", usersOnly),
  tenantsPage: rule("tenant:read", "tenant", usersOnly),
  registerTenant: rule("tenant:write", undefined, users),
  updateTenant: rule("tenant:write", "tenant", users),
  deleteTenant: rule("tenant:write", "tenant", users),

  apiTokens: rule("tenant:read", "token", usersOnly),
  createAPIToken: rule("tenant:write", undefined, users),
  revokeAPIToken: rule("tenant:write", "token", users),
  auditEntries: rule("audit:read", "auditEntry", usersOnly),
};
