/** Every writer of labels goes through here: values are checked by the definitions of their keys, and still are when stored. */
import { concurrentUpdate, type Fault, invalidData, type SextantError } from "@sextant/errors";
import { all, equals } from "@sextant/graphql";
import {
  type CommitFailure,
  type Condition,
  type Params,
  readList,
  type Step,
  type StoredRecord,
} from "@sextant/registry-client";
import type { Context } from "../act/act.ts";
import type { StoredLabel } from "../label/label.ts";
import { MAX_DEFINITIONS } from "./label-definition.ts";

/** What an act that writes the checked labels has to have: `steps` first of all, the parameters, and the word on refusals. */
export type LabelGuard = {
  readonly steps: readonly Step[];
  readonly params: Params;
  readonly explain: (failure: CommitFailure) => SextantError | undefined;
};

/** How often an act is tried when definitions change at the same moment. */
const ATTEMPTS = 5;

/** A condition that was checked before the commit did not hold in it: it is checked anew. */
export class MovedError extends Error {
  constructor() {
    super("what was checked has changed");
    this.name = "MovedError";
  }
}

/** Tries again while what was checked before the commit changes meanwhile. */
export async function whileMoving<Result>(
  noun: string,
  id: string,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let left = ATTEMPTS; left > 0; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof MovedError)) throw error;
    }
  }
  throw concurrentUpdate(noun, id);
}

type Definition = Pick<StoredRecord<"labelDefinition">, "id" | "revision" | "key" | "schema">;
/** What may say something of the values: definitions of these keys that have a schema. */
const concerned: Condition = all(
  { op: "in", field: "key", values: { param: "labelKeys" } },
  { op: "not", condition: { op: "isNull", field: "schema" } },
);

/** Every label that its definition does not allow. */
async function faultsOf(
  context: Context,
  definitions: readonly Definition[],
  labels: readonly StoredLabel[],
  fieldOf: (key: string) => string,
): Promise<readonly Fault[]> {
  const faults: Fault[] = [];
  for (const { key, schema } of definitions) {
    for (const { json } of labels.filter((label) => label.key === key)) {
      const fault = await context.schemas.fault(schema, JSON.parse(json));
      if (fault === undefined) continue;
      const message = `is not what the definition of the label ${key} allows: ${fault}`;
      faults.push({ field: fieldOf(key), message });
    }
  }
  return faults;
}

/** Refuses the commit when there are other definitions than these. */
function guardOf(definitions: readonly Definition[], labelKeys: readonly string[]): LabelGuard {
  const params: Record<string, Params[string]> = { labelKeys };
  const others = definitions.map(({ id, revision }, place): Condition => {
    params[`definition${place}`] = id;
    params[`definitionRevision${place}`] = revision;
    const same = all(
      equals("id", { param: `definition${place}` }),
      equals("revision", { param: `definitionRevision${place}` }),
    );
    return { op: "not", condition: same };
  });
  const where = all(concerned, ...others);
  return {
    steps: [{ op: "check", kind: "labelDefinition", where, expect: "none" }],
    params,
    explain: ({ step, reason }) => {
      if (step === 0 && reason === "PRECONDITION") throw new MovedError();
      return undefined;
    },
  };
}

/**
 * Carries out an act that writes labels; throws INVALID_DATA for `inputType`, naming every label that its definition does not
 * allow. Few keys have a schema: the act is tried as if none had. When it is refused for that, their definitions are read, all in
 * one read, the labels are checked, and the act is tried again, until no definition has changed in between. `fieldOf` names the
 * field of `inputType` that has the value of a key.
 */
export function writingLabels<Result>(
  context: Context,
  tenant: string,
  labels: readonly StoredLabel[],
  inputType: string,
  write: (guard: LabelGuard) => Promise<Result>,
  fieldOf: (key: string) => string = (key) => `labels.${key}`,
): Promise<Result> {
  if (labels.length === 0) return write({ steps: [], params: {}, explain: () => undefined });
  const labelKeys = [...new Set(labels.map(({ key }) => key))];
  let isFirst = true;
  return whileMoving("LabelDefinition", String(labelKeys[0]), async () => {
    if (isFirst) {
      isFirst = false;
      return write(guardOf([], labelKeys));
    }
    const fields = ["id", "revision", "key", "schema"] as const;
    const definitions = await readList(
      context.registry,
      tenant,
      "labelDefinition",
      concerned,
      fields,
      { labelKeys },
      MAX_DEFINITIONS,
    );
    const faults = await faultsOf(context, definitions, labels, fieldOf);
    if (faults.length > 0) throw invalidData(inputType, faults);
    return write(guardOf(definitions, labelKeys));
  });
}
