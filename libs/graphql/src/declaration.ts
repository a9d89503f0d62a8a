/**
 * Declared reads: each noun says which kind it is stored as, what its fields are, how it leads to others, and who may see it.
 * A query is compiled from these declarations to a read plan; nothing is resolved field by field.
 */
import type { ConsumerType, Identity, Scope } from "@sextant/identity";
import type { Condition, Expression, Kind, Params, Value } from "@sextant/registry-client";

/** Arguments of a field after GraphQL's coercion. */
export type Args = Readonly<Record<string, unknown>>;

/** Gives the plan's name to a value that `bind` returns under `name`. */
export type Param = (name: string) => Value;

/** What the arguments of a field mean to the plan. */
export type ArgsRead = {
  /** The values behind the parameters; throws INVALID_DATA for what cannot be asked. */
  readonly bind: (args: Args) => Params;
  /** Whatever of the arguments changes the plan itself, as a short text. Absent: nothing does. */
  readonly shape?: (args: Args) => string;
};

/** Which objects a field leads to. `args` serves the structure only; values go through `param`. */
export type Where = (param: Param, args: Args) => Condition;

/** How one field of an object is read. */
export type FieldRead = {
  readonly scopes?: readonly Scope[];
  /** Who is shown none of them, whatever there is, and so needs no scope to be told that. */
  readonly emptyFor?: readonly ConsumerType[];
} & (
  | { readonly read: "column"; readonly field: string }
  | { readonly read: "expression"; readonly expression: (viewer: ConsumerType) => Expression }
  | { readonly read: "embedded"; readonly unlessNull?: string }
  | { readonly read: "labels" }
  | { readonly read: "page"; readonly where: Where; readonly args?: ArgsRead }
  | { readonly read: "list"; readonly where: Where; readonly max: number; readonly args?: ArgsRead }
  | { readonly read: "one"; readonly where: Where; readonly args?: ArgsRead }
  /** Comes sealed, or in a form of the storage, and is opened by the service on its way out. `once`: shown only in the answer that made it. */
  | {
      readonly read: "sealed";
      readonly expression: (viewer: ConsumerType) => Expression;
      readonly open: (stored: unknown, identity: Identity) => unknown;
      readonly once?: boolean;
    }
);

/** How objects of one GraphQL type are read. */
export type ObjectRead = {
  /** The kind it is stored as. Absent: it lives inside another object, or another service owns it. */
  readonly kind?: Kind;
  /** Which of them this viewer may see at all; undefined: all of the tenant. Applied wherever they are read, unless inherited. */
  readonly visible?: (viewer: ConsumerType) => Condition | undefined;
  /** The parent that leads to it is what makes it visible: `visible` then counts at the root only. */
  readonly inherits?: boolean;
  /** The scope needed to read it as an entity of the supergraph. */
  readonly entityScopes?: readonly Scope[];
  readonly fields: Readonly<Record<string, FieldRead>>;
};

/** How a field of Query is read. */
export type RootRead = FieldRead & {
  /** It reads objects that belong to no tenant. */
  readonly tenantless?: boolean;
  /** What has to exist, else the field answers NOT_FOUND for this noun and the id in this argument. */
  readonly require?: { readonly noun: string; readonly argument: string; readonly type: string };
};

/** All declarations of a service. */
export type Declarations = {
  readonly types: Readonly<Record<string, ObjectRead>>;
  readonly queries: Readonly<Record<string, RootRead>>;
};

/** The id of the caller (a user, a runtime, …), as a value. */
export const me: Value = { param: "me" };

/** Tenants that the caller may act in. */
export const openTenant: Condition = {
  op: "any",
  of: [
    { op: "in", field: "id", values: { param: "openTenants" } },
    {
      op: "exists",
      kind: "tenant",
      where: { op: "equals", field: "id", value: { param: "everyTenant" } },
    },
  ],
};

/** A field stored as a column. */
export const column = (field: string): FieldRead => ({ read: "column", field });

/** A stored JSON value of the scalars JSON and JSONSchema, which clients read as text. */
export const jsonAsText = (field: string): FieldRead => ({
  read: "expression",
  expression: () => ({ jsonText: field }),
});

/** A JSON value that is not stored, by an expression. */
export const expression = (
  made: Expression | ((viewer: ConsumerType) => Expression),
): FieldRead => ({
  read: "expression",
  expression: typeof made === "function" ? made : () => made,
});

/** An object that is stored in the row of the one around it; null when the column `unlessNull` is. */
export const embedded = (unlessNull?: string): FieldRead =>
  unlessNull === undefined ? { read: "embedded" } : { read: "embedded", unlessNull };

/** The labels of the object, by the argument `key`. */
export const labels: FieldRead = { read: "labels" };

/** Objects whose column has the id of the object around. */
export const ownedBy = (field: string, parentField = "id"): Condition => ({
  op: "equals",
  field,
  value: { parent: parentField },
});

/** All of these. */
export const all = (...of: (Condition | undefined)[]): Condition => {
  const given = of.filter((condition) => condition !== undefined);
  return given.length === 1 ? (given[0] as Condition) : { op: "all", of: given };
};

/** Objects whose column has this value. */
export const equals = (field: string, value: Value): Condition => ({ op: "equals", field, value });

/** No object at all. */
export const none: Condition = { op: "any", of: [] };
