/** Sends typed documents: what may be sent and what comes back is checked by the compiler. */
import { type DocumentNode, print } from "graphql";
import type { Caller, Extra } from "../story/caller.ts";

/** A document as generators type it: the function is never there, its type is all that counts. */
type TypedDocument<Result, Variables> = DocumentNode & {
  __apiType?: (variables: Variables) => Result;
};

/** Carries out an operation. Throws when the answer has an error. */
export function ask<Result, Variables extends object>(
  caller: Caller,
  document: TypedDocument<Result, Variables>,
  variables: Variables,
  extra?: Extra,
): Promise<Result> {
  return caller.ask<Result>(print(document), variables, extra);
}
