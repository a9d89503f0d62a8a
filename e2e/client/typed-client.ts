/** Sends typed documents: what may be sent and what comes back is checked by the compiler. */
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";
import type { Caller, Extra } from "../story/caller.ts";

/** Carries out an operation. Throws when the answer has an error. */
export function ask<Result, Variables extends object>(
  caller: Caller,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
  extra?: Extra,
): Promise<Result> {
  return caller.ask<Result>(print(document), variables, extra);
}
