/** How many objects the answer of an operation can have. */
import {
  type FieldNode,
  getNamedType,
  getNullableType,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  type SelectionSetNode,
} from "graphql";
import type { Operation } from "./document.ts";
import { MAX_PAGE } from "./page.ts";

/** Lists without pages have at most so many objects, unless a declaration says fewer: writing enforces it. */
const MAX_LIST = 1_000;

type Variables = Readonly<Record<string, unknown>>;
/** A number, or how it follows from the variables. */
type Amount = number | ((variables: Variables) => number);
/** Objects of one field, each with what is below it. */
type Cost = { readonly size: Amount; readonly below: readonly Cost[] };

const amount = (of: Amount, variables: Variables): number =>
  typeof of === "number" ? of : of(variables);

const total = (costs: readonly Cost[], variables: Variables): number =>
  costs.reduce(
    (sum, { size, below }) => sum + amount(size, variables) * (1 + total(below, variables)),
    0,
  );

const isFixed = (costs: readonly Cost[]): boolean =>
  costs.every(({ size, below }) => typeof size === "number" && isFixed(below));

/** A page's size; what cannot be one is refused where the page is read. */
const pageSize = (first: unknown): number =>
  typeof first === "number" ? Math.min(Math.max(first, 0), MAX_PAGE) : MAX_PAGE;

function sizeOfPage(field: GraphQLField<unknown, unknown>, node: FieldNode): Amount {
  const value = node.arguments?.find((one) => one.name.value === "first")?.value;
  if (value?.kind === "IntValue") return pageSize(Number(value.value));
  if (value?.kind !== "Variable")
    return pageSize(field.args.find((one) => one.name === "first")?.defaultValue);
  const name = value.name.value;
  return (variables) => pageSize(variables[name]);
}

function sizeOfEntities(node: FieldNode): Amount {
  const value = node.arguments?.find((one) => one.name.value === "representations")?.value;
  if (value?.kind === "ListValue") return value.values.length;
  if (value?.kind !== "Variable") return 1;
  const name = value.name.value;
  return (variables) => {
    const given = variables[name];
    return Array.isArray(given) ? given.length : 1;
  };
}

type Asked = { readonly field: GraphQLField<unknown, unknown>; readonly nodes: FieldNode[] };

/**
 * Makes the function that counts an operation's objects in pages and lists, all of them full: what is worked out once for each
 * operation, and for each request only where a variable decides. Fields under `@skip` and `@include` count. `listSize` says of a
 * list without pages how long it can be.
 */
export function createCost(
  schema: GraphQLSchema,
  listSize: (type: string, field: string) => number | undefined = () => undefined,
): (operation: Operation, variables: Variables) => number {
  const known = new WeakMap<Operation, readonly Cost[] | number>();

  const collect = (
    operation: Operation,
    type: GraphQLNamedType | undefined,
    sets: readonly (SelectionSetNode | undefined)[],
  ): readonly (Asked & { readonly parent: string })[] => {
    const found = new Map<string, Asked & { readonly parent: string }>();
    const visit = (set: SelectionSetNode, parent: GraphQLNamedType | undefined): void => {
      for (const node of set.selections) {
        if (node.kind === "Field") {
          const hasFields = isObjectType(parent) || isInterfaceType(parent);
          const field = hasFields ? parent.getFields()[node.name.value] : undefined;
          if (field === undefined || !hasFields) continue;
          const key = `${node.alias?.value ?? ""}:${node.name.value}`;
          const same = found.get(key);
          if (same === undefined) found.set(key, { field, nodes: [node], parent: parent.name });
          else same.nodes.push(node);
        } else {
          const fragment =
            node.kind === "InlineFragment" ? node : operation.fragments.get(node.name.value);
          const condition = fragment?.typeCondition?.name.value;
          if (fragment !== undefined)
            visit(
              fragment.selectionSet,
              condition === undefined ? parent : schema.getType(condition),
            );
        }
      }
    };
    for (const set of sets) if (set !== undefined) visit(set, type);
    return [...found.values()];
  };

  const costsOf = (
    operation: Operation,
    type: GraphQLNamedType | undefined,
    sets: readonly (SelectionSetNode | undefined)[],
  ): readonly Cost[] =>
    collect(operation, type, sets).flatMap(({ field, nodes, parent }) => {
      const named = getNamedType(field.type);
      if (!isCompositeType(named)) return [];
      const below = nodes.map((node) => node.selectionSet);
      const [node] = nodes as [FieldNode];
      if (isObjectType(named) && named.getInterfaces().some((one) => one.name === "Pageable")) {
        const data = collect(operation, named, below).filter(
          (asked) => asked.field.name === "data",
        );
        return data.map((asked) => {
          const item = getNamedType(asked.field.type);
          const sets = asked.nodes.map((one) => one.selectionSet);
          return { size: sizeOfPage(field, node), below: costsOf(operation, item, sets) };
        });
      }
      const inside = costsOf(operation, named, below);
      if (!isListType(getNullableType(field.type))) return inside;
      const size =
        field.name === "_entities"
          ? sizeOfEntities(node)
          : (listSize(parent, field.name) ?? MAX_LIST);
      return [{ size, below: inside }];
    });

  return (operation, variables) => {
    let cost = known.get(operation);
    if (cost === undefined) {
      const root = schema.getRootType(operation.node.operation) ?? undefined;
      const costs = costsOf(operation, root, [operation.node.selectionSet]);
      known.set(operation, (cost = isFixed(costs) ? total(costs, {}) : costs));
    }
    return typeof cost === "number" ? cost : total(cost, variables);
  };
}
