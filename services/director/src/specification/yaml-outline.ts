/** Reads YAML 1.2 in its core schema: nothing is merged or made but plain values, and what aliases repeat is counted. */
import { CORE_SCHEMA, load, YAMLException } from "js-yaml";
import { MAX_DEPTH, MAX_NODES, TextFault, tooDeep, tooMany } from "./limits.ts";

const tooManyByAliases = `has more than ${MAX_NODES} values by its aliases`;

/** How large and how deep a value is with everything that its aliases repeat. */
type Size = { readonly nodes: number; readonly depth: number };

const SCALAR: Size = { nodes: 1, depth: 1 };

/** The size of a value, found once for each of its parts. Throws a TextFault beyond the limits. */
function sizeOf(value: unknown, known: Map<object, Size | undefined>): Size {
  if (typeof value !== "object" || value === null) return SCALAR;
  if (known.has(value)) {
    const size = known.get(value);
    if (size === undefined) throw new TextFault("holds itself by an alias");
    return size;
  }
  known.set(value, undefined);
  let nodes = 1;
  let depth = 1;
  for (const part of Array.isArray(value) ? value : Object.values(value)) {
    const size = sizeOf(part, known);
    nodes += size.nodes;
    depth = Math.max(depth, size.depth + 1);
    if (nodes > MAX_NODES) throw new TextFault(tooManyByAliases);
    if (depth > MAX_DEPTH) throw new TextFault(tooDeep);
  }
  const size = { nodes, depth };
  known.set(value, size);
  return size;
}

/** Names and kinds of what is in the mapping at the root; undefined: the root is no mapping. Throws a TextFault. */
export function yamlOutline(text: string): ReadonlyMap<string, boolean> | undefined {
  let nodes = 0;
  let depth = 0;
  // No text in a document is longer than the document but by aliases, which could make the reader put long ones together.
  let length = 0;
  const listener = (event: "open" | "close", state: { readonly result?: unknown }): void => {
    if (event === "open") {
      depth += 1;
      nodes += 1;
      if (depth > MAX_DEPTH) throw new TextFault(tooDeep);
      if (nodes > MAX_NODES) throw new TextFault(tooMany);
      return;
    }
    depth -= 1;
    if (typeof state.result === "string") length += state.result.length;
    if (length > 2 * text.length + MAX_NODES) throw new TextFault(tooManyByAliases);
  };
  try {
    const document: unknown = load(text, { schema: CORE_SCHEMA, listener });
    sizeOf(document, new Map());
    if (typeof document !== "object" || document === null || Array.isArray(document))
      return undefined;
    return new Map(
      Object.entries(document).map(([name, value]) => [name, typeof value === "string"]),
    );
  } catch (error) {
    if (error instanceof RangeError) throw new TextFault(tooDeep);
    if (!(error instanceof YAMLException)) throw error;
    // What the reader quotes of the text is left out.
    const reason = error.reason.replace(/\s*(?:["<].*)?$/s, "");
    const { mark } = error as { mark?: { readonly line: number; readonly column: number } };
    const place = mark === undefined ? "" : ` at line ${mark.line + 1}, column ${mark.column + 1}`;
    throw new TextFault(`is not valid YAML${place}: ${reason}`);
  }
}
