import { graphqlExtensions, type SextantError } from "@sextant/errors";
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
import { plainMessage } from "./coerce.ts";
import { excessesOf } from "./extent.ts";
import { type Limits, limitError } from "./limits.ts";

/** One operation of a document that has been parsed and validated. */
export type Operation = {
  readonly node: OperationDefinitionNode;
  readonly document: DocumentNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** Variables that `@skip` and `@include` depend on. */
  readonly conditionVariables: readonly string[];
  /** Whether the schema is asked for anywhere in the document, under `@skip` or not. */
  readonly namesSchema: boolean;
};

/** A document, or what is wrong with it. */
export type Document =
  | { readonly ok: true; readonly operations: readonly Operation[] }
  | { readonly ok: false; readonly errors: readonly GraphQLError[] };

/** Whether a field of this name is about the schema itself (GraphQL, 4.1). */
export const isSchemaField = (name: string): boolean => name === "__schema" || name === "__type";

/** Documents that are kept. */
const CACHED_DOCUMENTS = 1_000;
/** Longer documents are not kept, and of all that are so many characters: parsed they take a hundred times the memory. */
const CACHED_LENGTH = 64 * 1024;
const CACHED_TOTAL = 1024 * 1024;

/**
 * Some published agents send `configuration()`: empty parentheses, which GraphQL's grammar forbids, mean no arguments. Every
 * alternative is left after one pass over its text, whatever the text is.
 */
const emptyParentheses = /"""[\s\S]*?"""|"(?:\\.|[^"\\\n])*"|#[^\n]*|\(\s*\)/g;

/** The error without names that were not asked for, and without values: a schema that is not published is not told by its errors either. */
function shownError(error: GraphQLError): GraphQLError {
  const message = error.message.startsWith("Validation aborted")
    ? "Fields of the same name are asked for too often to compare them: ask for each once."
    : plainMessage(error.message);
  return new GraphQLError(message, {
    nodes: error.nodes ?? null,
    extensions: { code: "INVALID_DATA", error_code: 22 },
  });
}

const graphError = (error: SextantError): GraphQLError =>
  new GraphQLError(error.message, { extensions: graphqlExtensions(error) });

function syntaxError(error: unknown, limits: Limits): GraphQLError {
  const said = error instanceof Error ? error.message : "the document cannot be parsed";
  if (said.includes("Document contains more"))
    return graphError(limitError(limits, [{ limit: "tokens", actual: undefined }]));
  const message =
    error instanceof RangeError
      ? "the document is nested too deeply: send values that are nested as variables"
      : plainMessage(said);
  const locations =
    error instanceof GraphQLError
      ? { source: error.source ?? null, positions: error.positions ?? null }
      : {};
  return new GraphQLError(message, {
    ...locations,
    extensions: { code: "INVALID_DATA", error_code: 22 },
  });
}

function parseLeniently(query: string, maxTokens: number): DocumentNode {
  const options = { maxTokens };
  try {
    return parse(query, options);
  } catch (error) {
    if (query.length > CACHED_LENGTH) throw error;
    const repaired = query.replaceAll(emptyParentheses, (text) =>
      text.startsWith("(") ? "" : text,
    );
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
  let namesSchema = false;
  visit(document, {
    Field(field) {
      if (isSchemaField(field.name.value)) namesSchema = true;
    },
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
    namesSchema,
  }));
}

/** Parses and validates documents against one schema, each text once. What is beyond the limits is refused first. */
export function createDocumentReader(
  schema: GraphQLSchema,
  limits: Limits,
): (query: string) => Document {
  const known = new Map<string, Document>();
  let total = 0;

  const read = (query: string): Document => {
    const { length } = query;
    if (length > limits.document) {
      const error = limitError(limits, [{ limit: "document", actual: length }]);
      return { ok: false, errors: [graphError(error)] };
    }
    try {
      const document = parseLeniently(query, limits.tokens);
      const excesses = excessesOf(document, limits);
      if (excesses.length > 0)
        return { ok: false, errors: [graphError(limitError(limits, excesses))] };
      const options = { maxErrors: 20, hideSuggestions: true };
      const errors = validate(schema, document, specifiedRules, options);
      if (errors.length > 0) return { ok: false, errors: errors.map(shownError) };
      return { ok: true, operations: operationsOf(document) };
    } catch (error) {
      if (!(error instanceof GraphQLError || error instanceof RangeError)) throw error;
      return { ok: false, errors: [syntaxError(error, limits)] };
    }
  };

  return (query) => {
    const cached = known.get(query);
    if (cached !== undefined) return cached;
    const document = read(query);
    if (query.length <= CACHED_LENGTH) {
      for (const oldest of known.keys()) {
        if (known.size < CACHED_DOCUMENTS && total + query.length <= CACHED_TOTAL) break;
        known.delete(oldest);
        total -= oldest.length;
      }
      known.set(query, document);
      total += query.length;
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
