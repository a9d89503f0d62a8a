/** Who may do what with one operation of the API: the words of the authorization tables. */
import type { ConsumerType } from "./identity.ts";
import { applicationScopes, integrationSystemScopes, runtimeScopes, type Scope } from "./scopes.ts";

/** Who calls from outside. */
export type OutsideType = Exclude<ConsumerType, "SERVICE">;

/**
 * Which objects a caller reaches with an operation:
 * - `all`: those of the tenant;
 * - `group`: its own, and those of the applications or runtimes that it shares a group with;
 * - `own`: itself and what belongs to it;
 * - `hidden`: none, as if there were none;
 * - `forbidden`: the operation is not for it.
 */
export type Reach = "all" | "group" | "own" | "hidden" | "forbidden";

/** The rule of one operation. */
export type AccessRule = {
  /** Scopes that a caller needs, all of them. */
  readonly scopes: readonly Scope[];
  /** Where one type of caller needs others. */
  readonly scopesOf?: Readonly<Partial<Record<OutsideType, readonly Scope[]>>>;
  /** What the reach is about: the kind of object that the operation names or lists. Absent: none that is there before. */
  readonly about?: string;
  readonly reach: Readonly<Record<OutsideType, Reach>>;
};

/** The rules of one service, by the names of its operations. */
export type AccessRules = Readonly<Record<string, AccessRule>>;

const forAdmins: AccessRule["reach"] = {
  USER: "all",
  INTEGRATION_SYSTEM: "all",
  APPLICATION: "forbidden",
  RUNTIME: "forbidden",
  ONE_TIME_TOKEN: "forbidden",
};

/** A rule. Who is not named: users and integration systems reach all, everyone else is forbidden. */
export function rule(
  scopes: Scope | readonly Scope[],
  about?: string,
  reach: Partial<AccessRule["reach"]> = {},
  scopesOf?: AccessRule["scopesOf"],
): AccessRule {
  return {
    scopes: typeof scopes === "string" ? [scopes] : scopes,
    ...(about === undefined ? {} : { about }),
    reach: { ...forAdmins, ...reach },
    ...(scopesOf === undefined ? {} : { scopesOf }),
  };
}

/** The scopes that a caller of this type needs. */
export function scopesFor(of: AccessRule, type: OutsideType): readonly Scope[] {
  return of.scopesOf?.[type] ?? of.scopes;
}

/** The scopes that come with a credential of this type; undefined: they are the token's own. */
export function fixedScopes(type: OutsideType): readonly Scope[] | undefined {
  if (type === "APPLICATION") return applicationScopes;
  if (type === "RUNTIME") return runtimeScopes;
  if (type === "INTEGRATION_SYSTEM") return integrationSystemScopes;
  return type === "ONE_TIME_TOKEN" ? [] : undefined;
}
