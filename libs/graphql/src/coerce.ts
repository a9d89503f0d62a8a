/**
 * Values that come in, by GraphQL's rules. What is wrong is told without what was sent, which may be secret, and without names
 * that were not asked for.
 */
import { invalidData, type SextantError } from "@sextant/errors";
import {
  coerceInputValue,
  type FieldNode,
  getArgumentValues,
  getNullableType,
  GraphQLError,
  type GraphQLField,
  GraphQLID,
  type GraphQLSchema,
  GraphQLString,
  type GraphQLType,
  isInputType,
  isNonNullType,
  type OperationDefinitionNode,
  typeFromAST,
  valueFromAST,
  type VariableDefinitionNode,
} from "graphql";
import type { Args } from "./declaration.ts";

/** Faults that are told of the variables of one request. */
const MAX_FAULTS = 10;
/** How deep a variable may be nested: more than any value that is stored. */
const MAX_NESTING = 200;

const extensions = { code: "INVALID_DATA", error_code: 22 } as const;

/** A message of graphql-js without its suggestions, and without the value that it is about. */
export function plainMessage(message: string): string {
  return message
    .replace(/ Did you mean .*$/s, "")
    .replace(/( cannot represent [^:]{1,80}): .*$/s, "$1.")
    .replace(/(Expected value of type "[^"]*"), found .*$/s, "$1.")
    .replace(/(, found|Unexpected) (String|BlockString) ".*$/s, "$1 $2.");
}

/** Whether a JSON value is nested deeper than `limit`. */
function isDeeper(value: unknown, limit: number): boolean {
  if (value === null || typeof value !== "object") return false;
  if (limit === 0) return true;
  for (const one of Object.values(value)) if (isDeeper(one, limit - 1)) return true;
  return false;
}

/** A variable of an operation. A text of the type ID or String is its own value. */
type Variable = {
  readonly node: VariableDefinitionNode;
  readonly name: string;
  readonly type: GraphQLType | undefined;
  readonly takesText: boolean;
};

const variables = new WeakMap<
  OperationDefinitionNode,
  { readonly schema: GraphQLSchema; readonly declared: readonly Variable[] }
>();

/** The variables that an operation declares, worked out once. */
function variablesOf(schema: GraphQLSchema, operation: OperationDefinitionNode) {
  let known = variables.get(operation);
  if (known?.schema !== schema) {
    const declared = (operation.variableDefinitions ?? []).map((node) => {
      const type = typeFromAST(schema, node.type);
      const nullable = getNullableType(type);
      const takesText = nullable === GraphQLID || nullable === GraphQLString;
      return { node, name: node.variable.name.value, type, takesText };
    });
    variables.set(operation, (known = { schema, declared }));
  }
  return known.declared;
}

/** The variables of an operation, or everything that is wrong with them. */
export function coerceVariables(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  given: Readonly<Record<string, unknown>>,
):
  | { readonly ok: true; readonly values: Record<string, unknown> }
  | { readonly ok: false; readonly errors: readonly GraphQLError[] } {
  // Without a prototype: a client may call a variable `__proto__`.
  const values = Object.create(null) as Record<string, unknown>;
  const errors: GraphQLError[] = [];
  for (const { node, name, type, takesText } of variablesOf(schema, operation)) {
    if (takesText && Object.hasOwn(given, name) && typeof given[name] === "string") {
      values[name] = given[name];
      continue;
    }
    const fail = (what: string): void => {
      if (errors.length < MAX_FAULTS)
        errors.push(new GraphQLError(`Variable "$${name}"${what}`, { nodes: node, extensions }));
    };
    if (!isInputType(type)) {
      fail(" is of a type that cannot be sent.");
      continue;
    }
    if (!Object.hasOwn(given, name) || given[name] === undefined) {
      if (node.defaultValue !== undefined) {
        values[name] = valueFromAST(node.defaultValue, type);
      } else if (isNonNullType(type)) {
        fail(` of required type "${String(type)}" was not provided.`);
      }
      continue;
    }
    const value = given[name];
    if (value === null && isNonNullType(type)) {
      fail(` of non-null type "${String(type)}" must not be null.`);
    } else if (isDeeper(value, MAX_NESTING)) {
      fail(` must not be nested deeper than ${MAX_NESTING}.`);
    } else {
      values[name] = coerceInputValue(
        value,
        type,
        (path, _value, error) => {
          const place = path
            .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
            .join("");
          fail(
            ` got invalid value${place === "" ? "" : ` at "${name}${place}"`}; ${plainMessage(error.message)}`,
          );
        },
        true,
      );
    }
  }
  return errors.length === 0 ? { ok: true, values } : { ok: false, errors };
}

/** The arguments of a field; throws INVALID_DATA for a value that only the variables made wrong. */
export function argumentsOf(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
  variables: Readonly<Record<string, unknown>>,
): Args {
  try {
    return getArgumentValues(field, node, variables);
  } catch (error) {
    throw error instanceof GraphQLError ? argumentError(field.name, error) : error;
  }
}

/**
 * Reads the arguments of a field as {@link argumentsOf} does. Where all that are given are variables it works out once which, and
 * leaves to graphql-js only those that are absent or null: their defaults and errors.
 */
export function argumentsReader(
  field: GraphQLField<unknown, unknown>,
  node: FieldNode,
): (variables: Readonly<Record<string, unknown>>) => Args {
  const read = (values: Readonly<Record<string, unknown>>) => argumentsOf(field, node, values);
  const plain: { readonly name: string; readonly variable: string }[] = [];
  for (const { name, type, defaultValue } of field.args) {
    const value = node.arguments?.find((one) => one.name.value === name)?.value;
    if (value?.kind === "Variable") plain.push({ name, variable: value.name.value });
    else if (value !== undefined || defaultValue !== undefined || isNonNullType(type)) return read;
  }
  return (values) => {
    const args: Record<string, unknown> = {};
    for (const { name, variable } of plain) {
      const value = values[variable];
      if (value === undefined || value === null) return read(values);
      args[name] = value;
    }
    return args;
  };
}

function argumentError(field: string, error: GraphQLError): SextantError {
  const [, name = "argument"] = /^Argument "(\w+)"/.exec(error.message) ?? [];
  const message = error.message.includes("must not be null")
    ? "must not be null"
    : error.message.includes("was not provided")
      ? "is required"
      : "has a value that is missing or of the wrong type";
  return invalidData(field, [{ field: name, message }]);
}
