import { invalidOperation, notFound } from "@sextant/errors";
import { all, type Answer, checked, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import {
  type CommitFailure,
  type Condition,
  create,
  type Params,
  readList,
  readOne,
  type Step,
} from "@sextant/registry-client";
import { requireAdmin } from "../access/access.ts";
import { act, actFor, type ActingCall, type Context, expecting } from "../act/act.ts";
import { groupLabel } from "../group/group.read.ts";
import { MovedError, whileMoving, writingLabels } from "../label-definition/label-writing.ts";
import { changedToGroup } from "../webhook/notification.ts";
import { assignmentInput, assignToAll, MAX_ASSIGNMENTS } from "./automatic-group-assignment.ts";

type Selector = { readonly key: string; readonly value: string };

/** An assignment as a client sees it. */
type AutomaticGroupAssignment = {
  readonly groupName: string;
  readonly selector: Selector;
  readonly revision: number;
};

/** What can be done with automatic group assignments. */
export function createAutomaticGroupAssignmentService(context: Context) {
  const noun = "AutomaticGroupAssignment";
  const inputType = "AutomaticGroupAssignmentSetInput";
  const input = assignmentInput(context.groups);
  const kind = "automaticGroupAssignment";

  const admitted = (call: ActingCall, what: string): string => {
    const tenant = authorise(call.caller.identity, "runtime:write");
    requireAdmin(call.caller.identity, what);
    return tenant;
  };

  /** The parameters that name these groups. */
  const naming = (groups: readonly string[]): Params => ({
    groupElements: groups.map((name) => JSON.stringify(name)),
    ...Object.fromEntries(groups.map((name, place) => [`told${place}`, [JSON.stringify(name)]])),
  });
  /** Whoever is in the groups in the parameters: those whose plans are to be computed anew. */
  const members: Condition = {
    op: "labelIn",
    key: groupLabel,
    elements: { param: "groupElements" },
  };
  const stale = (cause: string): Step => ({ op: "stale", runtimes: members, cause });
  const tell = (groups: readonly string[]): readonly Step[] =>
    groups.map((name, place) => changedToGroup(name, { param: `told${place}` }, context.now()));

  /** Runtimes leave the groups of these assignments. Who is left without a group comes into the default one. */
  const leaving = (groups: readonly string[], assignments: Condition) => {
    const told = [...groups, ...[context.groups.fallback].filter((name) => !groups.includes(name))];
    return {
      steps: [
        stale("automatic group assignment ended"),
        ...assignToAll(context.groups, "remove", assignments),
        ...tell(told),
      ],
      params: { ...naming(told), groupElements: groups.map((name) => JSON.stringify(name)) },
    };
  };

  return {
    async create(args: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = admitted(call, "assigning groups");
      const { groupName, selector } = checked(inputType, input, args.in);
      const label = { key: context.groups.label, json: JSON.stringify([groupName]) };
      const isIt = equals("groupName", { param: "groupName" });
      return writingLabels(
        context,
        tenant,
        [label],
        inputType,
        async (guard) => {
          const id = context.newID();
          return act(context, call, {
            tenant,
            noun,
            id,
            action: "createAutomaticGroupAssignment",
            unique: {
              automatic_group_assignment_group_name_key: `${noun} of the group ${groupName}`,
            },
            steps: [
              ...guard.steps,
              create(kind, id, {
                groupName,
                selectorKey: selector.key,
                selectorValue: selector.value,
              }),
              { op: "limit", kind, max: MAX_ASSIGNMENTS },
              ...assignToAll(context.groups, "add", isIt),
              stale("automatic group assignment"),
              ...tell([groupName]),
            ],
            params: { ...guard.params, ...naming([groupName]), groupName },
            explain: (failure) => {
              // A runtime went while it was put into the group.
              if (failure.reason === "REFERENCE") throw new MovedError();
              if (failure.reason === "LIMIT")
                return invalidOperation(
                  `the tenant has ${MAX_ASSIGNMENTS} automatic group assignments: delete one first`,
                );
              return guard.explain(failure);
            },
            answer: "after",
          });
        },
        () => "groupName",
      );
    },

    async deleteForGroup(
      args: { groupName: string; expectedRevision?: number | null },
      call: ActingCall,
    ): Promise<Answer> {
      const tenant = admitted(call, "ending an assignment of groups");
      const { groupName } = args;
      const isIt = equals("groupName", { param: "groupName" });
      return whileMoving(noun, groupName, async () => {
        const found = await readOne(context.registry, tenant, kind, isIt, ["id"], { groupName });
        if (found === undefined) throw notFound(noun, groupName);
        const { steps, params } = leaving([groupName], isIt);
        return act(context, call, {
          tenant,
          noun,
          id: found.id,
          action: "deleteAutomaticGroupAssignmentForGroup",
          steps: [
            ...steps,
            { op: "delete", kind, id: found.id, ...expecting(args.expectedRevision) },
          ],
          params: { ...params, groupName },
          explain: (failure) => {
            if (failure.reason === "REFERENCE" || failure.reason === "NOT_FOUND")
              throw new MovedError();
            return undefined;
          },
          answer: "before",
        });
      });
    },

    async deleteForSelector(
      { selector }: { selector: Selector },
      call: ActingCall,
    ): Promise<readonly AutomaticGroupAssignment[]> {
      const tenant = admitted(call, "ending an assignment of groups");
      const selecting = { selectorKey: selector.key, selectorValue: selector.value };
      const ofSelector = all(
        equals("selectorKey", { param: "selectorKey" }),
        equals("selectorValue", { param: "selectorValue" }),
      );
      return whileMoving(noun, selector.key, async () => {
        const fields = ["id", "revision", "groupName"] as const;
        const found = await readList(
          context.registry,
          tenant,
          kind,
          ofSelector,
          fields,
          selecting,
          MAX_ASSIGNMENTS,
        );
        const value = found.map(({ groupName, revision }) => ({ groupName, selector, revision }));
        if (found.length === 0) return value;
        const known: Condition = { op: "in", field: "id", values: { param: "ids" } };
        const { steps, params } = leaving(
          found.map(({ groupName }) => groupName),
          ofSelector,
        );
        const noOther: Step = {
          op: "check",
          kind,
          where: all(ofSelector, { op: "not", condition: known }),
          expect: "none",
        };
        return actFor(context, call, {
          tenant,
          noun,
          id: selector.key,
          action: "deleteAutomaticGroupAssignmentsForSelector",
          steps: [noOther, ...steps, ...found.map(({ id }): Step => ({ op: "delete", kind, id }))],
          params: { ...params, ...selecting, ids: found.map(({ id }) => id) },
          explain: ({ reason }: CommitFailure) => {
            if (["PRECONDITION", "NOT_FOUND", "REFERENCE"].includes(reason)) throw new MovedError();
            return undefined;
          },
          value,
        });
      });
    },
  };
}

/** See {@link createAutomaticGroupAssignmentService}. */
export type AutomaticGroupAssignmentService = ReturnType<
  typeof createAutomaticGroupAssignmentService
>;
