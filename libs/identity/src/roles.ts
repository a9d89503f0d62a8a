/** Roles: names for sets of scopes, for users and API tokens. */
import { z } from "zod";
import { type Scope, scopes } from "./scopes.ts";

/** Scopes by the name of the role. */
export type Roles = Readonly<Record<string, readonly Scope[]>>;

const reads = scopes.filter((scope) => scope.endsWith(":read"));

/** The roles of a plane that is not told others: a viewer reads, an operator runs things, an admin does everything. */
export const defaultRoles: Roles = {
  viewer: reads.filter((scope) => scope !== "audit:read"),
  operator: scopes.filter(
    (scope) => !["tenant:write", "integration_system:write", "audit:read"].includes(scope),
  ),
  admin: scopes,
};

const roleName = /^[a-zA-Z0-9-._]{1,64}$/;

/** The scopes that a pattern stands for: one scope, `*` for every one, or `*:read` for all that read. */
function scopesOf(pattern: string): readonly Scope[] {
  if (pattern === "*") return scopes;
  if (pattern.startsWith("*:")) return scopes.filter((scope) => scope.endsWith(pattern.slice(1)));
  return scopes.filter((scope) => scope === pattern);
}

/**
 * The setting SEXTANT_ROLES: a JSON object with a list of scopes for each role, `*` and `*:read` among them. Roles that it does not
 * name stay as they are by default.
 */
export const rolesSetting = z
  .string()
  .transform((text, context): Roles => {
    const fault = (message: string) => context.addIssue({ code: "custom", message });
    let given: unknown;
    try {
      given = JSON.parse(text);
    } catch {
      fault('must be a JSON object such as {"auditor": ["audit:read"]}');
      return z.NEVER;
    }
    const read = z.record(z.string(), z.array(z.string())).safeParse(given);
    if (!read.success) {
      fault("must be a JSON object with a list of scopes for each role");
      return z.NEVER;
    }
    for (const [name, patterns] of Object.entries(read.data)) {
      if (!roleName.test(name))
        fault(`${name}: the name must have 1 to 64 letters, digits, -, . and _`);
      for (const pattern of patterns)
        if (scopesOf(pattern).length === 0) fault(`${name}: ${pattern} is no scope`);
    }
    const own = Object.entries(read.data).map(([name, patterns]) => {
      const held = new Set(patterns.flatMap((pattern) => scopesOf(pattern)));
      return [name, scopes.filter((scope) => held.has(scope))] as const;
    });
    return { ...defaultRoles, ...Object.fromEntries(own) };
  })
  .default(defaultRoles);
