import { invalidData, invalidOperation, notFound } from "@sextant/errors";
import { all, type Answer, checked, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import {
  type CommitFailure,
  type Condition,
  create,
  type LabelValues,
  MOST_LABEL_VALUES,
  type Params,
  type ReadPlan,
  readList,
  readOne,
  type Step,
  update,
} from "@sextant/registry-client";
import { requireAdmin } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import { MAX_ASSIGNMENTS } from "../automatic-group-assignment/automatic-group-assignment.ts";
import {
  groupSchemaFault,
  labelDefinitionInput,
  MAX_DEFINITIONS,
  tooManyDefinitions,
} from "./label-definition.ts";
import { MovedError, whileMoving } from "./label-writing.ts";

type Revision = { readonly expectedRevision?: number | null };
type Input = { readonly key: string; readonly schema: string | null };
type Value = LabelValues["values"][number];

/** Objects that an error names at most. */
const NAMED = 5;
const NOUNS = {
  application: "Application",
  runtime: "Runtime",
  runtimeContext: "RuntimeContext",
} as const;
const labelled = ["application", "runtime", "runtimeContext"] as const;

const byKey = equals("key", { param: "key" });
const selects = equals("selectorKey", { param: "key" });
const hasLabel: Condition = { op: "hasLabel", key: { param: "key" } };

/** Who has labels of a key: how many of each kind, and the first of them. */
const usePlan: ReadPlan = {
  select: labelled.map((kind) => ({
    as: kind,
    read: {
      page: kind,
      where: hasLabel,
      first: { param: "first" },
      after: { param: "after" },
      select: [
        { as: "data", part: "data", select: [{ as: "id", field: "id" }] },
        { as: "totalCount", part: "totalCount" },
      ],
    },
  })),
};

/** What can be done with label definitions. */
export function createLabelDefinitionService(context: Context) {
  const noun = "LabelDefinition";
  const inputType = "LabelDefinitionInput";

  const admitted = (call: ActingCall, what: string): string => {
    const tenant = authorise(call.caller.identity, "label_definition:write");
    requireAdmin(call.caller.identity, what);
    return tenant;
  };

  /** Throws INVALID_DATA for a schema that is none, or that groups could not live with. */
  const requireSchema = async ({ key, schema }: Input): Promise<void> => {
    if (schema === null) return;
    const { label, fallback } = context.groups;
    const parsed: unknown = JSON.parse(schema);
    let fault = await context.schemas.schemaFault(parsed);
    if (fault === undefined && key === label) {
      fault = groupSchemaFault(parsed);
      if (fault === undefined && (await context.schemas.fault(parsed, [fallback])) !== undefined)
        fault = `must allow the default group ${JSON.stringify(fallback)}`;
    }
    if (fault !== undefined) throw invalidData(inputType, [{ field: "schema", message: fault }]);
  };

  const storedValues = async (tenant: string, key: string): Promise<LabelValues> => {
    const read = { labelValues: { param: "key" }, max: MOST_LABEL_VALUES };
    const plan: ReadPlan = { select: [{ as: "found", read }] };
    const { text } = await context.registry.read({ tenant, plan, params: { key } });
    return (JSON.parse(text) as { found: LabelValues }).found;
  };

  /** Throws INVALID_OPERATION naming objects whose label the schema does not allow. */
  const requireValid = async (key: string, schema: unknown, values: readonly Value[]) => {
    const named: string[] = [];
    let from = 0;
    while (named.length < NAMED) {
      const rest = values.slice(from).map(({ value }) => value);
      const found = await context.schemas.firstFault(schema, rest);
      const at = found === undefined ? undefined : values[from + found.place];
      if (found === undefined || at === undefined) break;
      named.push(`${NOUNS[at.kind]} ${at.id} (${found.message})`);
      from += found.place + 1;
    }
    if (named.length > 0)
      throw invalidOperation(
        `labels ${key} are stored that the schema does not allow, such as those of: ${named.join("; ")}: change them first`,
      );
  };

  /** The names of the groups that are assigned have to be allowed as well, whether a runtime is in them by now or not. */
  const assignedGroups = async (
    tenant: string,
    schema: unknown,
  ): Promise<{ readonly steps: readonly Step[]; readonly params: Params }> => {
    const everyOne = all();
    const found = await readList(
      context.registry,
      tenant,
      "automaticGroupAssignment",
      everyOne,
      ["groupName"],
      {},
      MAX_ASSIGNMENTS,
    );
    const names = found.map(({ groupName }) => groupName);
    const fault = await context.schemas.firstFault(
      schema,
      names.map((name) => [name]),
    );
    if (fault !== undefined)
      throw invalidOperation(
        `the automatic assignment of the group ${JSON.stringify(names[fault.place])} is not allowed by the schema (${fault.message}): delete it first`,
      );
    const known: Condition = { op: "in", field: "groupName", values: { param: "groupNames" } };
    const step: Step = {
      op: "check",
      kind: "automaticGroupAssignment",
      where: { op: "not", condition: known },
      expect: "none",
    };
    return { steps: [step], params: { groupNames: names } };
  };

  /** What has to be so for the schema to be given: steps that come first. A refusal of theirs means to check anew. */
  const guard = async (tenant: string, { key, schema }: Input) => {
    if (schema === null) return { steps: [], params: {} };
    const parsed: unknown = JSON.parse(schema);
    const { values, complete } = await storedValues(tenant, key);
    if (!complete)
      throw invalidOperation(
        `the label ${key} has more different values than can be checked: remove some first`,
      );
    await requireValid(key, parsed, values);
    const step: Step = { op: "labelValues", key, digests: values.map(({ digest }) => digest) };
    const groups =
      key === context.groups.label
        ? await assignedGroups(tenant, parsed)
        : { steps: [], params: {} };
    return { steps: [step, ...groups.steps], params: groups.params };
  };

  const define = async (tenant: string, input: Input, call: ActingCall, action: string) =>
    whileMoving(noun, input.key, async () => {
      const id = context.newID();
      const { steps, params } = await guard(tenant, input);
      return act(context, call, {
        tenant,
        noun,
        id,
        action,
        unique: {
          label_definition_key_key: `LabelDefinition ${input.key} (the first label of a key defines it: use updateLabelDefinition)`,
        },
        steps: [
          ...steps,
          create("labelDefinition", id, input),
          { op: "limit", kind: "labelDefinition", max: MAX_DEFINITIONS },
        ],
        params,
        explain: ({ reason, step }) => {
          if (reason === "LIMIT") return tooManyDefinitions();
          if (reason === "PRECONDITION" && step < steps.length) throw new MovedError();
          return undefined;
        },
        answer: "after",
      });
    });

  const stored = async (tenant: string, key: string) => {
    const fields = ["id", "revision"] as const;
    return readOne(context.registry, tenant, "labelDefinition", byKey, fields, { key });
  };

  /** Throws INVALID_OPERATION while objects have labels of this key. */
  const requireUnused = async (tenant: string, key: string): Promise<void> => {
    const params = { key, first: NAMED, after: null };
    const { text } = await context.registry.read({ tenant, plan: usePlan, params });
    const use = JSON.parse(text) as Record<
      (typeof labelled)[number],
      { data: { id: string }[]; totalCount: number }
    >;
    const named = labelled.flatMap((kind) =>
      use[kind].data.map(({ id }) => `${NOUNS[kind]} ${id}`),
    );
    const count = labelled.reduce((sum, kind) => sum + use[kind].totalCount, 0);
    if (count === 0) return;
    const some = named.slice(0, NAMED).join(", ") + (count > NAMED ? ", …" : "");
    throw invalidOperation(
      `${count} objects have the label ${key} (${some}): remove these labels first, or set deleteRelatedLabels`,
    );
  };

  const removal = (key: string, withLabels: boolean): readonly Step[] => {
    const notSelected: Step = {
      op: "check",
      kind: "automaticGroupAssignment",
      where: selects,
      expect: "none",
    };
    // An application's label is in the plans of all that share a group with it: one question for the tenant is cheaper than one
    // for each runtime, and a plan that turns out the same is none.
    const affected: Condition = {
      op: "any",
      of: [hasLabel, { op: "exists", kind: "application", where: hasLabel }],
    };
    return [
      notSelected,
      ...(withLabels
        ? ([
            { op: "stale", runtimes: affected, cause: `label ${key} removed` },
            ...labelled.map((kind) => ({ op: "unlabel", kind, key }) as const),
          ] as const)
        : ([{ op: "labelValues", key, digests: [] }] as const)),
    ];
  };

  return {
    async create(args: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = admitted(call, "defining a label");
      const input = checked(inputType, labelDefinitionInput, args.in);
      await requireSchema(input);
      return define(tenant, input, call, "createLabelDefinition");
    },

    async update(args: { in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = admitted(call, "changing a label definition");
      const input = checked(inputType, labelDefinitionInput, args.in);
      await requireSchema(input);
      const action = "updateLabelDefinition";
      const { key, schema } = input;
      return whileMoving(noun, key, async () => {
        const found = await stored(tenant, key);
        if (found === undefined) {
          // The label of groups is defined by the plane, whether an object has it by now or not.
          if (key === context.groups.label) return define(tenant, input, call, action);
          throw notFound(noun, key);
        }
        const { steps, params } = await guard(tenant, input);
        return act(context, call, {
          tenant,
          noun,
          id: found.id,
          action,
          steps: [
            ...steps,
            update("labelDefinition", found.id, { schema }, expecting(args.expectedRevision)),
          ],
          params,
          explain: ({ reason, step }) => {
            if (reason === "PRECONDITION" && step < steps.length) throw new MovedError();
            return undefined;
          },
          answer: "after",
        });
      });
    },

    async delete(
      args: { key: string; deleteRelatedLabels?: boolean | null } & Revision,
      call: ActingCall,
    ): Promise<Answer> {
      const tenant = admitted(call, "deleting a label definition");
      const { key } = args;
      if (key === context.groups.label)
        throw invalidOperation(`the label ${key} decides who may talk to whom: it stays defined`);
      return whileMoving(noun, key, async () => {
        const found = await stored(tenant, key);
        if (found === undefined) throw notFound(noun, key);
        const withLabels = args.deleteRelatedLabels === true;
        if (!withLabels) await requireUnused(tenant, key);
        const steps = removal(key, withLabels);
        return act(context, call, {
          tenant,
          noun,
          id: found.id,
          action: "deleteLabelDefinition",
          steps: [
            ...steps,
            {
              op: "delete",
              kind: "labelDefinition",
              id: found.id,
              ...expecting(args.expectedRevision),
            },
          ],
          params: { key },
          explain: ({ reason, step }: CommitFailure) => {
            if (reason !== "PRECONDITION" || step >= steps.length) return undefined;
            if (step > 0) throw new MovedError();
            return invalidOperation(
              `automatic group assignments select runtimes by the label ${key}: delete them first`,
            );
          },
          answer: "before",
        });
      });
    },
  };
}

/** See {@link createLabelDefinitionService}. */
export type LabelDefinitionService = ReturnType<typeof createLabelDefinitionService>;
