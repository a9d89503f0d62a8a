import { invalidData, invalidOperation, notFound } from "@sextant/errors";
import { type Answer, checked } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import { create, update } from "@sextant/registry-client";
import { knownID, requireRuntime } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import { labelSteps } from "../label/label.ts";
import { labelKeys } from "../label/label.service.ts";
import { type LabelGuard, writingLabels } from "../label-definition/label-writing.ts";
import { requireObject } from "../read/require-object.ts";
import { MAX_CONTEXTS, runtimeContextInput } from "./runtime-context.ts";

type Revision = { readonly expectedRevision?: number | null };

/** What can be done with runtime contexts. */
export function createRuntimeContextService(context: Context) {
  const noun = "RuntimeContext";
  const inputType = "RuntimeContextInput";
  const input = runtimeContextInput(context.groups);

  const ownerOf = (identity: Identity, given: string | null | undefined): string => {
    const { type, id: own } = identity.consumer;
    const named = given ?? (type === "RUNTIME" ? own : undefined);
    if (named === undefined)
      throw invalidData(inputType, [
        { field: "runtimeID", message: "is required: name the runtime that it belongs to" },
      ]);
    const id = knownID("Runtime", named);
    requireRuntime(identity, id);
    return id;
  };

  /** Throws NOT_FOUND unless there is such a context, and the caller is its runtime or no paired caller. */
  const requireContext = async (
    identity: Identity,
    tenant: string,
    given: string,
  ): Promise<string> => {
    const id = knownID(noun, given);
    const fields = ["runtimeID"] as const;
    const { runtimeID } = await requireObject(
      context,
      tenant,
      "runtimeContext",
      noun,
      id,
      undefined,
      fields,
    );
    requireRuntime(identity, runtimeID, noun, id);
    return id;
  };

  return {
    async register(
      args: { in: unknown; runtimeID?: string | null },
      call: ActingCall,
    ): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "runtime:write");
      const runtimeID = ownerOf(identity, args.runtimeID);
      const { key, value, labels = [] } = checked(inputType, input, args.in);
      const id = context.newID();
      const write = (guard: LabelGuard) =>
        act(context, call, {
          tenant,
          noun,
          id,
          action: "registerRuntimeContext",
          steps: [
            ...guard.steps,
            create("runtimeContext", id, { runtimeID, key, value }),
            {
              op: "limit",
              kind: "runtimeContext",
              owner: { field: "runtimeID", id: runtimeID },
              max: MAX_CONTEXTS,
            },
            ...labelSteps("runtimeContext", id, labels),
          ],
          params: guard.params,
          explain: (failure) => {
            guard.explain(failure);
            if (failure.reason === "REFERENCE") return notFound("Runtime", runtimeID);
            if (failure.reason !== "LIMIT") return undefined;
            return invalidOperation(
              `the runtime has ${MAX_CONTEXTS} contexts: unregister one first`,
            );
          },
          answer: "after",
        });
      return writingLabels(context, tenant, labels, inputType, write);
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "runtime:write");
      const id = await requireContext(identity, tenant, args.id);
      const { key, value, labels } = checked(inputType, input, args.in);
      const kept = new Set(labels?.map((label) => label.key));
      const absent =
        labels === undefined
          ? []
          : (await labelKeys(context, tenant, "runtimeContext", noun, id)).filter(
              (one) => !kept.has(one),
            );
      const write = (guard: LabelGuard) =>
        act(context, call, {
          tenant,
          noun,
          id,
          action: "updateRuntimeContext",
          steps: [
            ...guard.steps,
            update("runtimeContext", id, { key, value }, expecting(args.expectedRevision)),
            ...labelSteps("runtimeContext", id, labels ?? [], absent),
          ],
          params: guard.params,
          explain: guard.explain,
          answer: "after",
        });
      return writingLabels(context, tenant, labels ?? [], inputType, write);
    },

    async unregister(args: { id: string } & Revision, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "runtime:write");
      const id = await requireContext(identity, tenant, args.id);
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "unregisterRuntimeContext",
        steps: [{ op: "delete", kind: "runtimeContext", id, ...expecting(args.expectedRevision) }],
        answer: "before",
      });
    },
  };
}

/** See {@link createRuntimeContextService}. */
export type RuntimeContextService = ReturnType<typeof createRuntimeContextService>;
