/** A query operation compiled for one viewer and one shape of its arguments. */
import { invalidData } from "@sextant/errors";
import type { ConsumerType, Scope } from "@sextant/identity";
import { isUUID, type Params, type ReadPlan, type Requirement } from "@sextant/registry-client";
import {
  type FieldNode,
  type GraphQLField,
  type GraphQLObjectType,
  isNonNullType,
  isUnionType,
} from "graphql";
import { argumentsOf } from "./coerce.ts";
import { collectFields, type Walk } from "./collect.ts";
import { Binder, Compiler, type Opening } from "./compile.ts";
import type { Args, Declarations, RootRead } from "./declaration.ts";
import { firstNode, isSchemaField } from "./document.ts";

/** One key of the answer. */
export type Root = {
  readonly key: string;
  readonly field: GraphQLField<unknown, unknown> | undefined;
  readonly nodes: readonly FieldNode[];
  readonly nullable: boolean;
} & (
  | {
      readonly by: "read";
      readonly entries: ReadPlan["select"];
      readonly binders: readonly Binder[];
      readonly openings: readonly Opening[];
      readonly scopes: readonly Scope[];
      readonly tenantless: boolean;
      readonly requirement?: {
        readonly condition: Requirement;
        readonly noun: string;
        readonly argument: string;
      };
      /** Of `_entities`: the types asked for, in the order of `entries`. */
      readonly entityTypes?: readonly string[];
    }
  | { readonly by: "constant"; readonly value: unknown }
  | { readonly by: "resolver" }
  | { readonly by: "introspection" }
);

/** The roots of an operation and the plan of all that are read. */
export type QueryPlan = {
  readonly roots: readonly Root[];
  readonly plan: ReadPlan | undefined;
  /** Whether the plan has parameters that are the caller's or the service's, and not of the operation's arguments. */
  readonly usesContext: boolean;
  /** Whether the text that is read is the answer: nothing in it has to be opened, merged or put beside it. */
  readonly isAnswer: boolean;
};

/** The id of nothing. */
export const NIL_UUID = "00000000-0000-0000-0000-000000000000";

/** An id for a parameter: what cannot be an id becomes the id of nothing. */
export function idParameter(value: unknown): string {
  return typeof value === "string" && isUUID(value) ? value.toLowerCase() : NIL_UUID;
}

/** Types named in representations, each once, sorted. */
export function representedTypes(args: Args): readonly string[] {
  const representations = args["representations"] as readonly { __typename?: unknown }[];
  return [...new Set(representations.map((one) => String(one.__typename)))].toSorted();
}

function compileEntities(
  key: string,
  nodes: readonly FieldNode[],
  args: Args,
  walk: Walk,
  declarations: Declarations,
  viewer: ConsumerType,
  counter: number,
): Pick<
  Extract<Root, { by: "read" }>,
  "entries" | "binders" | "openings" | "scopes" | "entityTypes"
> {
  const compiler = new Compiler(walk, declarations, viewer, `${counter}:`);
  const types = representedTypes(args);
  const union = walk.schema.getType("_Entity");
  const entities = isUnionType(union) ? union.getTypes() : [];
  const entries = types.map((name) => {
    const type = entities.find((one) => one.name === name);
    if (type === undefined) {
      const message = "each must name an entity's type in __typename";
      throw invalidData("_entities", [{ field: "representations", message }]);
    }
    const as = types.length === 1 ? key : `${key}#${name}`;
    const read = compiler.entities(type, nodes, [as]);
    const ids = { param: `${counter}:ids.${name}` };
    return { as, read: { ...read, ids } };
  });
  const field = walk.schema.getQueryType()?.getFields()["_entities"] as GraphQLField<
    unknown,
    unknown
  >;
  const bindIDs = (bound: Args): Params => {
    const representations = bound["representations"] as readonly {
      __typename: string;
      id?: unknown;
    }[];
    return Object.fromEntries(
      types.map((name) => [
        `ids.${name}`,
        representations.filter((one) => one.__typename === name).map((one) => idParameter(one.id)),
      ]),
    );
  };
  const binder = new Binder(`${counter}:`, field, firstNode(nodes), bindIDs);
  return {
    entries,
    binders: [binder, ...compiler.binders],
    openings: compiler.openings,
    scopes: [...compiler.scopes],
    entityTypes: types,
  };
}

function compileRequirement(
  declared: RootRead,
  declarations: Declarations,
  viewer: ConsumerType,
  prefix: string,
): Pick<Extract<Root, { by: "read" }>, "requirement"> {
  if (declared.require === undefined) return {};
  const { noun, argument, type } = declared.require;
  const { kind, visible } = declarations.types[type] ?? {};
  if (kind === undefined) throw new Error(`${type} is not stored as a kind`);
  const isIt = { op: "equals", field: "id", value: { param: `${prefix}require` } } as const;
  const seen = visible?.(viewer);
  const where = seen === undefined ? isIt : ({ op: "all", of: [isIt, seen] } as const);
  return { requirement: { condition: { kind, where }, noun, argument } };
}

/** Compiles a query. `sdl` answers `_service`; `resolved` are the fields that a service carries out. */
export function compileQuery(
  walk: Walk,
  rootType: GraphQLObjectType,
  selectionSet: Parameters<typeof collectFields>[2][number],
  options: {
    readonly declarations: Declarations;
    readonly resolved: ReadonlySet<string>;
    readonly viewer: ConsumerType;
    readonly sdl: string;
  },
): QueryPlan {
  const { declarations, viewer } = options;
  const roots: Root[] = [];
  let counter = 1;
  for (const [key, nodes] of collectFields(walk, rootType, [selectionSet])) {
    const node = firstNode(nodes);
    const name = node.name.value;
    const field = rootType.getFields()[name];
    const base = { key, nodes, field, nullable: field === undefined || !isNonNullType(field.type) };
    if (name === "__typename") roots.push({ ...base, by: "constant", value: rootType.name });
    else if (isSchemaField(name)) roots.push({ ...base, by: "introspection" });
    else if (field === undefined) throw new Error(`Query.${name} is not in the schema`);
    else if (options.resolved.has(name)) roots.push({ ...base, by: "resolver" });
    else if (name === "_service") {
      const value: Record<string, string> = {};
      for (const child of collectFields(
        walk,
        walk.schema.getType("_Service") as GraphQLObjectType,
        nodes.map((one) => one.selectionSet),
      )) {
        value[child[0]] =
          firstNode(child[1]).name.value === "__typename" ? "_Service" : options.sdl;
      }
      roots.push({ ...base, by: "constant", value });
    } else if (name === "_entities") {
      const args = argumentsOf(field, node, walk.variables);
      const compiled = compileEntities(key, nodes, args, walk, declarations, viewer, counter);
      roots.push({ ...base, by: "read", tenantless: false, ...compiled });
    } else {
      const declared = declarations.queries[name];
      if (declared === undefined) throw new Error(`Query.${name} is not declared`);
      const compiler = new Compiler(walk, declarations, viewer, `${counter}:`);
      const read = compiler.read(field, nodes, declared, [key], false);
      const binders = [...compiler.binders];
      const prefix = `${counter}:`;
      if (declared.require !== undefined) {
        const { argument } = declared.require;
        const bind = (args: Args): Params => ({ require: idParameter(args[argument]) });
        binders.push(new Binder(prefix, field, node, bind));
      }
      roots.push({
        ...base,
        by: "read",
        entries: [{ as: key, read }],
        binders,
        openings: compiler.openings,
        scopes: [...(declared.scopes ?? []), ...compiler.scopes],
        tenantless: declared.tenantless ?? false,
        ...compileRequirement(declared, declarations, viewer, prefix),
      });
    }
    counter += 1;
  }
  const plan = planOf(roots);
  const isAnswer = roots.every(
    (root) =>
      root.by === "constant" ||
      (root.by === "read" && root.openings.length === 0 && (root.entityTypes?.length ?? 1) === 1),
  );
  return { roots, plan, usesContext: namesContext(plan), isAnswer };
}

/** Whether a plan, or a part of it, names a parameter without the prefix that those of the operation's arguments have. */
function namesContext(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return false;
  return Object.entries(part).some(([key, value]) =>
    // Nothing else in plans has this key.
    key === "param" ? !String(value).includes(":") : namesContext(value),
  );
}

/** The plan of the roots that are read; constants between them are part of it, so that its text can be the answer. */
export function planOf(roots: readonly Root[]): ReadPlan | undefined {
  if (!roots.some((root) => root.by === "read")) return undefined;
  const select: ReadPlan["select"][number][] = [];
  const require: Requirement[] = [];
  for (const root of roots) {
    if (root.by === "constant") select.push({ as: root.key, constant: JSON.stringify(root.value) });
    if (root.by !== "read") continue;
    select.push(...root.entries);
    if (root.requirement !== undefined) require.push(root.requirement.condition);
  }
  return require.length === 0 ? { select } : { select, require };
}
