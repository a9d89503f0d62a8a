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

/** The answer to a request that asks what is not carried out. */
export function refusedRequest(error: SextantError): GraphAnswer {
  const shown = { message: error.message, extensions: graphqlExtensions(error) };
  return { accepted: false, text: JSON.stringify({ errors: [shown] }) };
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
