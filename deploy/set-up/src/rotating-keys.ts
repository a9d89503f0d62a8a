/**
 * Keys that change without a pause: a file holds several, of which the first is used and the others are trusted. One is prepared (last),
 * activated (first) and the others are retired; each step is one file for each service, replaced whole.
 */
import { stat } from "node:fs/promises";
import { readIfPresent, replaceFile, SetUpError, type Owner } from "./key-files.ts";

/** The private keys of a PEM text, in their order. */
export const keyBlocks = (pem: string): readonly string[] =>
  pem.match(/-----BEGIN PRIVATE KEY-----[\s\S]+?-----END PRIVATE KEY-----\n?/g) ?? [];

/** The lines of a text that are not empty, in their order. */
export const keyLines = (text: string): readonly string[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => `${line.trim()}\n`);

/** A step of a rotation. */
export type RotationStep = "prepare" | "activate" | "retire";

/** The keys of a file after a step. Throws {@link SetUpError} when the step does not fit. */
export function stepped(
  keys: readonly string[],
  step: RotationStep,
  what: string,
  newKey: () => string,
): readonly string[] {
  const [first, second, ...more] = keys;
  if (first === undefined)
    throw new SetUpError(`there is no key of ${what}: the plane is not set up yet`);
  if (step === "prepare") {
    if (second !== undefined)
      throw new SetUpError(`a key of ${what} is prepared already: activate or retire it first`);
    return [first, newKey()];
  }
  if (second === undefined)
    throw new SetUpError(`there is one key of ${what}: \`${what} prepare\` brings another`);
  return step === "activate" ? [second, first, ...more] : [first];
}

/** Carries out a step on one file. */
export async function stepFile(
  path: string,
  step: RotationStep,
  how: {
    readonly what: string;
    readonly split: (text: string) => readonly string[];
    readonly newKey: () => string;
    readonly owner: Owner | undefined;
  },
): Promise<void> {
  const present = await readIfPresent(path);
  if (present === undefined)
    throw new SetUpError(`${path} is missing: the plane is not set up yet`);
  const next = stepped(how.split(present.toString()), step, how.what, how.newKey);
  await replaceFile(path, next.join(""), { owner: how.owner });
}

/** Seconds since a file was changed. */
export async function secondsSince(path: string, now: Date): Promise<number> {
  return (now.getTime() - (await stat(path)).mtimeMs) / 1000;
}
