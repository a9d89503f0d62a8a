import { type DocumentNode, executeSync, type FieldNode } from "graphql";
import type { Walk } from "./collect.ts";
import type { Operation } from "./document.ts";

/** Answers fields of introspection, which are about the schema alone. */
export function introspect(
  walk: Walk,
  operation: Operation,
  nodes: readonly FieldNode[],
): Record<string, unknown> {
  const document: DocumentNode = {
    ...operation.document,
    definitions: [
      { ...operation.node, selectionSet: { ...operation.node.selectionSet, selections: nodes } },
      ...operation.fragments.values(),
    ],
  };
  const { data, errors } = executeSync({
    schema: walk.schema,
    document,
    variableValues: { ...walk.variables },
  });
  if (errors?.[0] !== undefined) throw errors[0];
  return { ...data };
}
