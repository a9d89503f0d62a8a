/** Every writer of labels goes through here: values are checked by the definitions of their keys, and still are when stored. */
import { concurrentUpdate, type Fault, invalidData, type SextantError } from "@sextant/errors";
import { all, equals } from "@sextant/graphql";
import {
  type CommitFailure,
  type Condition,
  type Params,
  readList,
  type Step,
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

const hasSchema: Condition = { op: "not", condition: { op: "isNull", field: "schema" } };

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

/** Checks the values; throws INVALID_DATA for `inputType`, naming every label that its definition does not allow. */
async function guardOf(
  context: Context,
  tenant: string,
  labels: readonly StoredLabel[],
  inputType: string,
  fieldOf: (key: string) => string,
): Promise<LabelGuard> {
  const keys = [...new Set(labels.map(({ key }) => key))];
  const ofKeys: Condition = { op: "in", field: "key", values: { param: "labelKeys" } };
  const definitions = await readList(
    context.registry,
    tenant,
    "labelDefinition",
    all(ofKeys, hasSchema),
    ["id", "revision", "key", "schema"],
    { labelKeys: keys },
    MAX_DEFINITIONS,
  );
  const faults: Fault[] = [];
  for (const { key, schema } of definitions) {
    for (const label of labels.filter((one) => one.key === key)) {
      const fault = await context.schemas.fault(schema, JSON.parse(label.json));
      if (fault !== undefined)
        faults.push({
          field: fieldOf(key),
          message: `is not what the definition of the label ${key} allows: ${fault}`,
        });
    }
  }
  if (faults.length > 0) throw invalidData(inputType, faults);

  const params: Record<string, Params[string]> = { labelKeys: keys };
  const unchanged = definitions.map(({ id, revision }, place): Condition => {
    params[`definition${place}`] = id;
    params[`definitionRevision${place}`] = revision;
    const same = all(
      equals("id", { param: `definition${place}` }),
      equals("revision", { param: `definitionRevision${place}` }),
    );
    return { op: "not", condition: same };
  });
  const step: Step = {
    op: "check",
    kind: "labelDefinition",
    where: all(ofKeys, hasSchema, ...unchanged),
    expect: "none",
  };
  const explain = ({ step: place, reason }: CommitFailure): undefined => {
    if (place === 0 && reason === "PRECONDITION") throw new MovedError();
  };
  return { steps: [step], params, explain };
}

/**
 * Carries out an act that writes labels. They are checked before it; when a definition changes before it is committed, once more.
 * `fieldOf` names the field of `inputType` that has the value of a key.
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
  return whileMoving("LabelDefinition", String(labels[0]?.key), async () =>
    write(await guardOf(context, tenant, labels, inputType, fieldOf)),
  );
}
