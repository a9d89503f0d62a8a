import { forbidden } from "@sextant/errors";
import { type Answer, checked } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { create, type Step, update, timestamp } from "@sextant/registry-client";
import { isPaired, knownID, requireAdmin, requireRuntime } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import type { Trust } from "../connector-client/trust.ts";
import { unregister } from "../connector-client/unregister.ts";
import { assignAll } from "../automatic-group-assignment/automatic-group-assignment.ts";
import { initialLabels, labelSteps } from "../label/label.ts";
import { type LabelGuard, writingLabels } from "../label-definition/label-writing.ts";
import { labelKeys } from "../label/label.service.ts";
import { changedToApplications } from "../webhook/notification.ts";
import { requireObject } from "../read/require-object.ts";
import { runtimeInput } from "./runtime.ts";

type Revision = { readonly expectedRevision?: number | null };

/** What can be done with runtimes. */
export function createRuntimeService(context: Context, dependencies: { readonly trust: Trust }) {
  const noun = "Runtime";
  const input = runtimeInput(context.groups);
  const stale = (id: string, cause: string): { step: Step; params: { runtimeID: string } } => ({
    step: {
      op: "stale",
      runtimes: { op: "equals", field: "id", value: { param: "runtimeID" } },
      cause,
    },
    params: { runtimeID: id },
  });

  return {
    async register(args: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "runtime:write");
      requireAdmin(call.caller.identity, "registering a runtime");
      const values = checked("RuntimeInput", input, args.in);
      const labels = initialLabels(values.labels, context.groups);
      const id = context.newID();
      const { step, params } = stale(id, "runtime registered");
      const write = (guard: LabelGuard) =>
        act(context, call, {
          tenant,
          noun,
          id,
          action: "registerRuntime",
          unique: { runtime_name_key: `Runtime ${values.name}` },
          steps: [
            ...guard.steps,
            create("runtime", id, {
              name: values.name,
              description: values.description ?? null,
              statusCondition: values.statusCondition ?? "INITIAL",
              statusTimestamp: timestamp(context.now()),
            }),
            create("syncState", id, {
              desiredRevision: 0,
              appliedRevision: 0,
              applied: false,
              ready: false,
            }),
            ...labelSteps("runtime", id, labels),
            assignAll(context.groups),
            step,
          ],
          params: { ...guard.params, ...params },
          explain: guard.explain,
          answer: "after",
        });
      return writingLabels(context, tenant, labels, "RuntimeInput", write);
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "runtime:write");
      const id = knownID(noun, args.id);
      requireRuntime(identity, id);
      const values = checked("RuntimeInput", input, args.in);
      const given = values.labels;
      if (given !== undefined && isPaired(identity)) {
        throw forbidden(
          "a runtime may not replace its labels: they hold its groups, which are for admins; use setRuntimeLabel",
        );
      }
      const labels = given === undefined ? [] : initialLabels(given, context.groups);
      const kept = new Set(labels.map((label) => label.key));
      const absent =
        given === undefined
          ? []
          : (await labelKeys(context, tenant, "runtime", noun, id)).filter((key) => !kept.has(key));
      const status =
        values.statusCondition === null || values.statusCondition === undefined
          ? {}
          : { statusCondition: values.statusCondition, statusTimestamp: timestamp(context.now()) };
      const { step, params } = stale(id, "runtime updated");
      const columns = { name: values.name, description: values.description ?? null, ...status };
      const told = changedToApplications(id, context.now());
      const write = (guard: LabelGuard) =>
        act(context, call, {
          tenant,
          noun,
          id,
          action: "updateRuntime",
          unique: { runtime_name_key: `Runtime ${values.name}` },
          steps: [
            ...guard.steps,
            // Who shares a group no longer is told as well.
            ...(given === undefined
              ? []
              : [told, ...labelSteps("runtime", id, labels, absent), assignAll(context.groups)]),
            update("runtime", id, columns, expecting(args.expectedRevision)),
            step,
            told,
          ],
          params: { ...guard.params, ...params },
          explain: guard.explain,
          answer: "after",
        });
      return writingLabels(context, tenant, labels, "RuntimeInput", write);
    },

    async unregister(args: { id: string } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "runtime:write");
      requireAdmin(call.caller.identity, "unregistering a runtime");
      const id = knownID(noun, args.id);
      await requireObject(context, tenant, "runtime", noun, id, args.expectedRevision);
      return unregister(context, call, dependencies.trust, {
        subject: "RUNTIME",
        tenant,
        noun,
        id,
        action: "unregisterRuntime",
        steps: [
          changedToApplications(id, context.now()),
          { op: "delete", kind: "runtime", id, ...expecting(args.expectedRevision) },
          { op: "event", type: "runtime.unregistered", id, data: {} },
        ],
        params: { runtimeID: id },
      });
    },
  };
}

/** See {@link createRuntimeService}. */
export type RuntimeService = ReturnType<typeof createRuntimeService>;
