import { graphqlExtensions, type SextantError } from "@sextant/errors";
import { type FieldNode, getLocation, type GraphQLError } from "graphql";
import type { GraphAnswer } from "./answer.ts";

/** An error of one field, as the answer shows it. */
export type FieldError = {
  readonly message: string;
  readonly locations?: readonly { readonly line: number; readonly column: number }[];
  readonly path: readonly (string | number)[];
  readonly extensions: ReturnType<typeof graphqlExtensions>;
};

/** What came of an operation. */
export type Outcome = {
  readonly data: Readonly<Record<string, unknown>> | null;
  readonly errors: readonly FieldError[];
};

/** The error of a field at a path. */
export function fieldError(
  error: SextantError,
  path: readonly (string | number)[],
  node: FieldNode,
): FieldError {
  const at = node.loc === undefined ? undefined : getLocation(node.loc.source, node.loc.start);
  const locations = at === undefined ? {} : { locations: [{ line: at.line, column: at.column }] };
  return { message: error.message, ...locations, path, extensions: graphqlExtensions(error) };
}

/** The answer to an operation that was carried out. */
export function answerOf({ data, errors }: Outcome): GraphAnswer {
  const text = JSON.stringify(errors.length === 0 ? { data } : { errors, data });
  // A token that turns out to be used or expired is an unknown caller, as if it had been refused before the operation.
  const isUnknown =
    data === null && errors.every(({ extensions }) => extensions.code === "UNAUTHENTICATED");
  return { accepted: true, text, ...(isUnknown ? { status: 401 } : {}) };
}

/** The answer to a request that asks what is not carried out. */
export function refusedRequest(...errors: readonly SextantError[]): GraphAnswer {
  const shown = errors.map((error) => ({
    message: error.message,
    extensions: graphqlExtensions(error),
  }));
  return { accepted: false, text: JSON.stringify({ errors: shown }) };
}

/** The answer to a request that is wrong in itself: it has no `data`. */
export function requestError(errors: readonly GraphQLError[]): GraphAnswer {
  const shown = errors.map((error) => ({
    message: error.message,
    ...(error.locations === undefined ? {} : { locations: error.locations }),
    extensions: { code: "INVALID_DATA", error_code: 22, ...error.extensions },
  }));
  return { accepted: false, text: JSON.stringify({ errors: shown }) };
}
