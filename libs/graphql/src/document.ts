import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
  specifiedRules,
  validate,
  visit,
} from "graphql";

/** One operation of a document that has been parsed and validated. */
export type Operation = {
  readonly node: OperationDefinitionNode;
  readonly document: DocumentNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Variables that `@skip` and `@include` depend on. */
  readonly conditionVariables: readonly string[];
};

/** A document, or what is wrong with it. */
export type Document =
  | { readonly ok: true; readonly operations: readonly Operation[] }
  | { readonly ok: false; readonly errors: readonly GraphQLError[] };

/** Tokens that a document may have: more is refused before it costs memory. */
const MAX_TOKENS = 10_000;
/** Documents that are kept. */
const CACHED_DOCUMENTS = 1_000;
/** Longer documents are not kept. */
const CACHED_LENGTH = 64 * 1024;

/** Some published agents send `configuration()`: empty parentheses, which GraphQL's grammar forbids, mean no arguments. */
const emptyParentheses =
  /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|([_A-Za-z][_0-9A-Za-z]*)\s*\(\s*\)/g;

/** The error without its suggestion of names: a schema that is not published is not told by its errors either. */
function withoutSuggestion(error: GraphQLError): GraphQLError {
  const message = error.message.replace(/ Did you mean .*$/s, "");
  return new GraphQLError(message, {
    nodes: error.nodes ?? null,
    extensions: { code: "INVALID_DATA", error_code: 22 },
  });
}

function syntaxError(error: unknown): GraphQLError {
  const message = error instanceof Error ? error.message : "the document cannot be parsed";
  const locations =
    error instanceof GraphQLError
      ? { source: error.source ?? null, positions: error.positions ?? null }
      : {};
  return new GraphQLError(message, {
    ...locations,
    extensions: { code: "INVALID_DATA", error_code: 22 },
  });
}

function parseLeniently(query: string): DocumentNode {
  const options = { maxTokens: MAX_TOKENS };
  try {
    return parse(query, options);
  } catch (error) {
    const repaired = query.replaceAll(emptyParentheses, (text, name?: string) => name ?? text);
    if (repaired === query) throw error;
    return parse(repaired, options);
  }
}

function operationsOf(document: DocumentNode): readonly Operation[] {
  const fragments = new Map<string, FragmentDefinitionNode>();
  const nodes: OperationDefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (definition.kind === "FragmentDefinition") fragments.set(definition.name.value, definition);
    if (definition.kind === "OperationDefinition") nodes.push(definition);
  }
  const conditionVariables = new Set<string>();
  visit(document, {
    Directive(directive) {
      for (const argument of directive.arguments ?? []) {
        if (argument.value.kind === "Variable") conditionVariables.add(argument.value.name.value);
      }
    },
  });
  return nodes.map((node) => ({
    node,
    document,
    fragments,
    conditionVariables: [...conditionVariables],
  }));
}

/** Parses and validates documents against one schema, each text once. */
export function createDocumentReader(schema: GraphQLSchema): (query: string) => Document {
  const known = new Map<string, Document>();

  const read = (query: string): Document => {
    let document: DocumentNode;
    try {
      document = parseLeniently(query);
    } catch (error) {
      return { ok: false, errors: [syntaxError(error)] };
    }
    const errors = validate(schema, document, specifiedRules, { maxErrors: 20 });
    if (errors.length > 0) return { ok: false, errors: errors.map(withoutSuggestion) };
    return { ok: true, operations: operationsOf(document) };
  };

  return (query) => {
    const cached = known.get(query);
    if (cached !== undefined) return cached;
    const document = read(query);
    if (query.length <= CACHED_LENGTH) {
      if (known.size >= CACHED_DOCUMENTS) {
        const [oldest] = known.keys();
        if (oldest !== undefined) known.delete(oldest);
      }
      known.set(query, document);
    }
    return document;
  };
}

/** The operation to carry out (GraphQL specification, 6.1), or why there is none. */
export function selectOperation(
  operations: readonly Operation[],
  name: string | undefined,
): Operation | GraphQLError {
  const extensions = { code: "INVALID_DATA", error_code: 22 };
  if (name !== undefined) {
    const named = operations.find((operation) => operation.node.name?.value === name);
    return (
      named ??
      new GraphQLError(`there is no operation named ${JSON.stringify(name)}`, { extensions })
    );
  }
  const [only, ...others] = operations;
  if (only === undefined) return new GraphQLError("the document has no operation", { extensions });
  if (others.length === 0) return only;
  return new GraphQLError("the document has several operations: say which by operationName", {
    extensions,
  });
}

/** The first node of merged fields. */
export function firstNode(nodes: readonly FieldNode[]): FieldNode {
  const [node] = nodes;
  if (node === undefined) throw new Error("a collected field has no node");
  return node;
}
