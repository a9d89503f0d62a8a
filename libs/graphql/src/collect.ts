import {
  type FieldNode,
  type FragmentDefinitionNode,
  getDirectiveValues,
  GraphQLIncludeDirective,
  type GraphQLObjectType,
  type GraphQLSchema,
  GraphQLSkipDirective,
  isAbstractType,
  type SelectionNode,
  type SelectionSetNode,
} from "graphql";

/** What is needed to walk a validated operation. */
export type Walk = {
  readonly schema: GraphQLSchema;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  readonly variables: Readonly<Record<string, unknown>>;
};

/** The fields that are asked of an object, by response key in the order of the answer; nodes of one key are merged. */
export type CollectedFields = ReadonlyMap<string, readonly FieldNode[]>;

function isIncluded(walk: Walk, node: SelectionNode): boolean {
  if (node.directives === undefined || node.directives.length === 0) return true;
  const variables = walk.variables as Record<string, unknown>;
  if (getDirectiveValues(GraphQLSkipDirective, node, variables)?.["if"] === true) return false;
  return getDirectiveValues(GraphQLIncludeDirective, node, variables)?.["if"] !== false;
}

function applies(walk: Walk, typeName: string | undefined, type: GraphQLObjectType): boolean {
  if (typeName === undefined || typeName === type.name) return true;
  const condition = walk.schema.getType(typeName);
  return isAbstractType(condition) && walk.schema.isSubType(condition, type);
}

/** Collects the fields of selection sets on an object type (GraphQL specification, 6.3.2 CollectFields). */
export function collectFields(
  walk: Walk,
  type: GraphQLObjectType,
  selectionSets: readonly (SelectionSetNode | undefined)[],
): CollectedFields {
  const collected = new Map<string, FieldNode[]>();
  const visited = new Set<string>();
  const visit = (set: SelectionSetNode): void => {
    for (const node of set.selections) {
      if (!isIncluded(walk, node)) continue;
      if (node.kind === "Field") {
        const key = node.alias?.value ?? node.name.value;
        const known = collected.get(key);
        if (known === undefined) collected.set(key, [node]);
        else known.push(node);
      } else if (node.kind === "InlineFragment") {
        if (applies(walk, node.typeCondition?.name.value, type)) visit(node.selectionSet);
      } else {
        const fragment = walk.fragments.get(node.name.value);
        if (fragment === undefined || visited.has(node.name.value)) continue;
        visited.add(node.name.value);
        if (applies(walk, fragment.typeCondition.name.value, type)) visit(fragment.selectionSet);
      }
    }
  };
  for (const set of selectionSets) if (set !== undefined) visit(set);
  return collected;
}

/** The fields below merged field nodes. */
export function collectSubfields(
  walk: Walk,
  type: GraphQLObjectType,
  nodes: readonly FieldNode[],
): CollectedFields {
  return collectFields(
    walk,
    type,
    nodes.map((node) => node.selectionSet),
  );
}
