/** How large a document is, before it is validated: nothing here needs the schema, and all of it is one walk. */
import type { DocumentNode, FragmentDefinitionNode, SelectionSetNode } from "graphql";
import type { Excess, Limits } from "./limits.ts";

type Extent = { readonly depth: number; readonly fields: number; readonly own: number };

const NOTHING: Extent = { depth: 0, fields: 0, own: 0 };

/** The limits that a document exceeds, each with the largest value found. Fragments are measured once, wherever they are used. */
export function excessesOf(document: DocumentNode, limits: Limits): readonly Excess[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === "FragmentDefinition") fragments.set(definition.name.value, definition);
  }
  const known = new Map<string, Extent>();

  const ofFragment = (name: string): Extent => {
    const measured = known.get(name);
    if (measured !== undefined) return measured;
    // A fragment that is not there, or leads to itself, is told by validation.
    known.set(name, NOTHING);
    const fragment = fragments.get(name);
    const extent = fragment === undefined ? NOTHING : ofSelections(fragment.selectionSet);
    known.set(name, extent);
    return extent;
  };

  /** `own`: fields that are asked here, without those below them. */
  const ofSelections = (set: SelectionSetNode): Extent => {
    let [depth, fields, own] = [0, 0, 0];
    for (const node of set.selections) {
      if (node.kind === "Field") {
        const below = node.selectionSet === undefined ? NOTHING : ofSelections(node.selectionSet);
        depth = Math.max(depth, below.depth + 1);
        fields += below.fields + 1;
        own += 1;
      } else {
        const inside =
          node.kind === "InlineFragment"
            ? ofSelections(node.selectionSet)
            : ofFragment(node.name.value);
        depth = Math.max(depth, inside.depth);
        fields += inside.fields;
        own += inside.own;
      }
    }
    return { depth, fields, own };
  };

  let largest = NOTHING;
  for (const definition of document.definitions) {
    const isOperation = definition.kind === "OperationDefinition";
    if (!isOperation && definition.kind !== "FragmentDefinition") continue;
    // What a fragment asks counts where it is used; one that is not used is validated all the same.
    const { depth, fields, own } = ofSelections(definition.selectionSet);
    largest = {
      depth: Math.max(largest.depth, depth),
      fields: Math.max(largest.fields, fields),
      own: isOperation ? Math.max(largest.own, own) : largest.own,
    };
  }
  const found: readonly Excess[] = [
    { limit: "depth", actual: largest.depth },
    { limit: "fields", actual: largest.fields },
    { limit: "rootFields", actual: largest.own },
  ];
  return found.filter(({ limit, actual }) => (actual ?? 0) > limits[limit]);
}
