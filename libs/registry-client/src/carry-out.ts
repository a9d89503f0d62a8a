import {
  concurrentUpdate,
  internal,
  notFound,
  notUnique,
  type SextantError,
} from "@sextant/errors";
import type { Commit, CommitFailure, Registry } from "./contract.ts";

/** How refusals of a commit are told to the caller. */
export type Refusals = {
  /** The object that the commit is about. */
  readonly noun: string;
  readonly id: string;
  /** What is not unique, by the constraint's name: `Application shop`. */
  readonly unique?: Readonly<Record<string, string>>;
  /** Any refusal that means something else; undefined: as by default. */
  readonly explain?: (failure: CommitFailure) => SextantError | undefined;
};

/** The error for a refused commit. */
function refusalError(failure: CommitFailure, refusals: Refusals): SextantError {
  const explained = refusals.explain?.(failure);
  if (explained !== undefined) return explained;
  const constraint = failure.constraint ?? "";
  switch (failure.reason) {
    case "NOT_FOUND":
    case "PRECONDITION":
    case "REFERENCE":
      return notFound(refusals.noun, refusals.id);
    case "CONCURRENT_UPDATE":
      return concurrentUpdate(refusals.noun, refusals.id);
    case "UNIQUE":
      return notUnique(refusals.unique?.[constraint] ?? refusals.noun);
    default:
      return internal(
        crypto.randomUUID(),
        new Error(`constraint ${constraint} was broken by step ${failure.step}`),
      );
  }
}

/** Carries out a commit, or throws the error that tells the caller why it was refused. */
export async function carryOut(
  registry: Pick<Registry, "commit">,
  commit: Commit,
  refusals: Refusals,
): Promise<{ readonly before: string | undefined; readonly after: string | undefined }> {
  const answer = await registry.commit(commit);
  if (!answer.ok) throw refusalError(answer.failure, refusals);
  return { before: answer.before, after: answer.after };
}
