/** Compiles what an operation selects to a read plan, by the declarations of the nouns. */
import type { ConsumerType, Identity, Scope } from "@sextant/identity";
import {
  type Condition,
  type Expression,
  type Kind,
  kinds,
  type PageSelection,
  type Params,
  type Read,
  type Selection,
} from "@sextant/registry-client";
import {
  type FieldNode,
  getNamedType,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLOutputType,
  isObjectType,
} from "graphql";
import { argumentsOf, argumentsReader } from "./coerce.ts";
import { type CollectedFields, collectSubfields, type Walk } from "./collect.ts";
import type { Args, ArgsRead, Declarations, FieldRead, ObjectRead, Where } from "./declaration.ts";
import { firstNode } from "./document.ts";
import { bindPage } from "./page.ts";

/** A place of the answer that is opened before it leaves the service. Path: response keys from the answer's root. */
export type Opening = {
  readonly path: readonly string[];
  readonly type: GraphQLOutputType;
  readonly nodes: readonly FieldNode[];
  readonly open: (stored: unknown, identity: Identity) => unknown;
  readonly once: boolean;
};

/** Where the values of some parameters come from: of a field's arguments, under names that begin with a prefix. */
export class Binder {
  readonly prefix: string;
  readonly #args: ReturnType<typeof argumentsReader>;
  readonly #bind: ArgsRead["bind"];
  readonly #names = new Map<string, string>();

  constructor(
    prefix: string,
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
    bind: ArgsRead["bind"],
  ) {
    this.prefix = prefix;
    this.#args = argumentsReader(field, node);
    this.#bind = bind;
  }

  /** Throws INVALID_DATA for what cannot be asked. */
  bind(variables: Walk["variables"], params: Record<string, Params[string]>): void {
    const bound = this.#bind(this.#args(variables));
    for (const key in bound) {
      let name = this.#names.get(key);
      if (name === undefined) this.#names.set(key, (name = this.prefix + key));
      params[name] = bound[key] as Params[string];
    }
  }
}

/** Compiles for one viewer and one shape of the arguments. */
export class Compiler {
  readonly binders: Binder[] = [];
  readonly openings: Opening[] = [];
  readonly scopes = new Set<Scope>();
  readonly #walk: Walk;
  readonly #declarations: Declarations;
  readonly #viewer: ConsumerType;
  readonly #prefix: string;
  #counter = 0;

  /** `prefix` sets the names of the parameters apart from those of others in the same plan. */
  constructor(walk: Walk, declarations: Declarations, viewer: ConsumerType, prefix = "") {
    this.#walk = walk;
    this.#declarations = declarations;
    this.#viewer = viewer;
    this.#prefix = prefix;
  }

  /** The read behind a field that leads to other objects. `parent`: it hangs on an object, not on the root. */
  read(
    field: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    declared: FieldRead,
    path: readonly string[],
    parent: boolean,
  ): Read {
    if (declared.read !== "page" && declared.read !== "list" && declared.read !== "one") {
      throw new Error(`${field.name} is declared as ${declared.read}, which leads to no object`);
    }
    const named = this.#objectType(field.type);
    const { param, args } = this.#bind(
      field,
      firstNode(nodes),
      declared.args,
      declared.read === "page",
    );
    if (declared.read === "page") {
      const item = this.#objectType(named.getFields()["data"]?.type);
      const { kind, where } = this.#target(item, declared.where, param, args, parent);
      const select = this.#page(named, item, collectSubfields(this.#walk, named, nodes), path);
      return { page: kind, where, select, first: param("first"), after: param("after") };
    }
    const { kind, where } = this.#target(named, declared.where, param, args, parent);
    const select = this.object(named, collectSubfields(this.#walk, named, nodes), path);
    return declared.read === "list"
      ? { list: kind, where, select, max: declared.max }
      : { one: kind, where, select };
  }

  /** The object with the id in the parameter `id`: what a mutation answers with. */
  byID(type: GraphQLObjectType, nodes: readonly FieldNode[], path: readonly string[]): Read {
    const kind = this.#declared(type).kind;
    if (kind === undefined) throw new Error(`${type.name} is not stored as a kind`);
    const select = this.object(type, collectSubfields(this.#walk, type, nodes), path);
    return { one: kind, where: { op: "equals", field: "id", value: { param: "id" } }, select };
  }

  /** Entities of one type for the ids in the parameter `ids`. */
  entities(type: GraphQLObjectType, nodes: readonly FieldNode[], path: readonly string[]): Read {
    const declared = this.#declared(type);
    for (const scope of declared.entityScopes ?? []) this.scopes.add(scope);
    const select = this.object(type, collectSubfields(this.#walk, type, nodes), path);
    const where = declared.visible?.(this.#viewer);
    const ids = { param: "ids" };
    return where === undefined
      ? { entities: declared.kind ?? null, ids, select }
      : { entities: declared.kind ?? null, ids, where, select };
  }

  /** The keys of an object. */
  object(type: GraphQLObjectType, fields: CollectedFields, path: readonly string[]): Selection {
    const declared = this.#declared(type);
    const selection: ({ readonly as: string } & Expression)[] = [];
    for (const [as, nodes] of fields) {
      const name = firstNode(nodes).name.value;
      if (name === "__typename") {
        selection.push({ as, constant: JSON.stringify(type.name) });
        continue;
      }
      const read = declared.fields[name];
      const field = type.getFields()[name];
      if (read === undefined || field === undefined)
        throw new Error(`${type.name}.${name} has no declared read`);
      if (read.emptyFor?.includes(this.#viewer) !== true)
        for (const scope of read.scopes ?? []) this.scopes.add(scope);
      selection.push({ as, ...this.#expression(field, nodes, read, [...path, as]) });
    }
    return selection;
  }

  #expression(
    field: GraphQLField<unknown, unknown>,
    nodes: readonly FieldNode[],
    declared: FieldRead,
    path: readonly string[],
  ): Expression {
    switch (declared.read) {
      case "column":
        return { field: declared.field };
      case "expression":
        return declared.expression(this.#viewer);
      case "labels": {
        const bind = (args: Args): Params => ({
          // No key has the character NUL, and null would mean all of them.
          key: (args["key"] as string | null | undefined)?.replaceAll("\0", " ") ?? null,
        });
        return {
          labels: { key: this.#bind(field, firstNode(nodes), { bind }, false).param("key") },
        };
      }
      case "embedded": {
        const type = this.#objectType(field.type);
        const object = this.object(type, collectSubfields(this.#walk, type, nodes), path);
        return declared.unlessNull === undefined
          ? { object }
          : { object, unlessNull: declared.unlessNull };
      }
      case "sealed":
        this.openings.push({
          path,
          type: field.type,
          nodes,
          open: declared.open,
          once: declared.once ?? false,
        });
        return declared.expression(this.#viewer);
      default:
        return { read: this.read(field, nodes, declared, path, true) };
    }
  }

  #page(
    pageType: GraphQLObjectType,
    item: GraphQLObjectType,
    fields: CollectedFields,
    path: readonly string[],
  ): PageSelection {
    const selection: PageSelection[number][] = [];
    for (const [as, nodes] of fields) {
      const name = firstNode(nodes).name.value;
      if (name === "__typename") {
        selection.push({ as, constant: JSON.stringify(pageType.name) });
      } else if (name === "data") {
        const select = this.object(item, collectSubfields(this.#walk, item, nodes), [...path, as]);
        selection.push({ as, part: "data", select });
      } else if (name === "totalCount") {
        selection.push({ as, part: "totalCount" });
      } else {
        const type = this.#objectType(pageType.getFields()[name]?.type);
        const select = [...collectSubfields(this.#walk, type, nodes)].map(([key, infoNodes]) => {
          const part = firstNode(infoNodes).name.value as
            | "startCursor"
            | "endCursor"
            | "hasNextPage"
            | "__typename";
          return part === "__typename"
            ? { as: key, constant: JSON.stringify(type.name) }
            : { as: key, part };
        });
        selection.push({ as, part: "pageInfo", select });
      }
    }
    return selection;
  }

  #target(
    type: GraphQLObjectType,
    where: Where,
    param: (name: string) => { param: string },
    args: Args,
    parent: boolean,
  ): { kind: Kind; where: Condition } {
    const declared = this.#declared(type);
    if (declared.kind === undefined) throw new Error(`${type.name} is not stored as a kind`);
    const condition = where(param, args);
    const visible =
      parent && declared.inherits === true ? undefined : declared.visible?.(this.#viewer);
    return {
      kind: declared.kind,
      where: visible === undefined ? condition : { op: "all", of: [condition, visible] },
    };
  }

  #bind(
    field: GraphQLField<unknown, unknown>,
    node: FieldNode,
    declared: ArgsRead | undefined,
    page: boolean,
  ): { param: (name: string) => { param: string }; args: Args } {
    const prefix = `${this.#prefix}${this.#counter++}.`;
    const param = (name: string) => ({ param: prefix + name });
    if (declared === undefined && !page) return { param, args: {} };
    const ofPage = (args: Args): Params => ({ ...bindPage(args), ...declared?.bind(args) });
    const bind = page || declared === undefined ? ofPage : declared.bind;
    this.binders.push(new Binder(prefix, field, node, bind));
    return { param, args: this.#argumentsOf(field, node) };
  }

  #argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Args {
    return argumentsOf(field, node, this.#walk.variables);
  }

  #declared(type: GraphQLObjectType): ObjectRead {
    const declared = this.#declarations.types[type.name];
    if (declared === undefined) throw new Error(`${type.name} has no declared read`);
    return declared;
  }

  #objectType(type: GraphQLOutputType | undefined): GraphQLObjectType {
    const named = type === undefined ? undefined : getNamedType(type);
    if (!isObjectType(named))
      throw new Error("a declared read leads to something that is not an object");
    return named;
  }
}

/** Faults of declarations against the schema: fields that can be asked and are declared nowhere, and columns that do not exist. */
export function declarationFaults(
  query: GraphQLObjectType,
  declarations: Declarations,
  resolved: ReadonlySet<string>,
): string[] {
  const faults: string[] = [];
  const visited = new Set<string>();
  const visitType = (type: GraphQLObjectType, kind: Kind | undefined): void => {
    if (visited.has(type.name)) return;
    visited.add(type.name);
    const declared = declarations.types[type.name];
    if (declared === undefined) {
      faults.push(`type ${type.name} has no declared read`);
      return;
    }
    const ownKind = declared.kind ?? kind;
    for (const field of Object.values(type.getFields())) {
      const read = declared.fields[field.name];
      if (read === undefined) faults.push(`field ${type.name}.${field.name} has no declared read`);
      else visitField(field, read, ownKind, type.name);
    }
    for (const name of Object.keys(declared.fields)) {
      if (type.getFields()[name] === undefined)
        faults.push(`declared field ${type.name}.${name} is not in the schema`);
    }
  };
  const visitField = (
    field: GraphQLField<unknown, unknown>,
    read: FieldRead,
    kind: Kind | undefined,
    owner: string,
  ): void => {
    const named = getNamedType(field.type);
    if (read.read === "column" && kind !== undefined) {
      const known =
        Object.hasOwn(kinds[kind].fields, read.field) ||
        ["id", "revision", "createdAt", "updatedAt"].includes(read.field);
      if (!known)
        faults.push(
          `${owner}.${field.name} reads the column ${read.field}, which the kind ${kind} does not have`,
        );
    }
    if (!isObjectType(named)) return;
    if (read.read === "embedded") visitType(named, kind);
    if (read.read === "one" || read.read === "list") visitType(named, undefined);
    if (read.read === "page") {
      const item = getNamedType(named.getFields()["data"]?.type ?? named);
      if (isObjectType(item)) visitType(item, undefined);
    }
  };
  for (const field of Object.values(query.getFields())) {
    if (field.name.startsWith("_") || resolved.has(field.name)) continue;
    const read = declarations.queries[field.name];
    if (read === undefined) faults.push(`Query.${field.name} is neither declared nor resolved`);
    else visitField(field, read, undefined, "Query");
  }
  return faults;
}
