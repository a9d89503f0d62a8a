import type { ServiceName } from "./service-name.ts";

/** Every scope that a caller can hold. */
export const scopes = [
  "application:read",
  "application:write",
  "runtime:read",
  "runtime:write",
  "label_definition:read",
  "label_definition:write",
  "integration_system:read",
  "integration_system:write",
  "application_template:read",
  "application_template:write",
  "health_checks:read",
  "health_checks:write",
  "tenant:read",
  "tenant:write",
  "eventing:manage",
  "provisioning:read",
  "provisioning:write",
  "controller:read",
  "controller:write",
  "deployment:read",
  "deployment:write",
  "certificate:read",
  "certificate:write",
  "webhook:read",
  "webhook:write",
  "audit:read",
] as const;

/** One of them. */
export type Scope = (typeof scopes)[number];

/** What a paired application may do: read and write itself and what belongs to it, read the runtimes it shares a group with. */
export const applicationScopes: readonly Scope[] = [
  "application:read",
  "application:write",
  "runtime:read",
  "health_checks:read",
  "webhook:read",
  "webhook:write",
  "certificate:read",
];

/** What a paired runtime may do: read itself, its applications and credentials, write its own labels and status. */
export const runtimeScopes: readonly Scope[] = [
  "application:read",
  "runtime:read",
  "runtime:write",
  "health_checks:read",
  "health_checks:write",
  "certificate:read",
];

/** What an integration system may do, in its own tenant and in those granted to it: all but what is for admins alone. */
export const integrationSystemScopes: readonly Scope[] = scopes.filter(
  (scope) =>
    !["integration_system:write", "tenant:read", "tenant:write", "audit:read"].includes(scope),
);

/** What a service may do when it speaks for itself. The callee applies this table: a caller cannot claim more. */
export const serviceScopes: Readonly<Record<ServiceName, readonly Scope[]>> = {
  "api-gateway": [],
  registry: [],
  director: ["certificate:write"],
  connector: [],
  "runtime-provisioner": ["runtime:read", "runtime:write"],
};
