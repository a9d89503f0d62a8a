import { forbidden, invalidData, notFound } from "@sextant/errors";
import { all, equals } from "@sextant/graphql";
import { authorise, type Identity, requireScopes } from "@sextant/identity";
import { type Condition, type Params, readList, type Step } from "@sextant/registry-client";
import { isPaired, knownID, requireApplication, requireRuntime } from "../access/access.ts";
import { actFor, type ActingCall, type Context } from "../act/act.ts";
import {
  assignAll,
  joinMatching,
  leaveUnmatched,
  MAX_ASSIGNMENTS,
  textsOf,
} from "../automatic-group-assignment/automatic-group-assignment.ts";
import { runtimesOfApplication } from "../group/group.read.ts";
import { type LabelGuard, writingLabels } from "../label-definition/label-writing.ts";
import { changedToApplications } from "../webhook/notification.ts";
import { labelFaults, storedLabel } from "./label.ts";

type Label = { readonly key: string; readonly value: unknown };

const theRuntime: Condition = equals("id", { param: "runtimeID" });
const selectsByLabel: Condition = equals("selectorKey", { param: "labelKey" });

/** The labels of one object of the tenant; throws NOT_FOUND when there is no such object. */
async function labelsOf(
  context: Pick<Context, "registry">,
  tenant: string,
  kind: "application" | "runtime" | "runtimeContext",
  noun: string,
  id: string,
): Promise<Readonly<Record<string, unknown>>> {
  const select = [{ as: "labels", labels: { key: { param: "key" } } }];
  const where = { op: "equals", field: "id", value: { param: "id" } } as const;
  const plan = { select: [{ as: "one", read: { one: kind, where, select } }] };
  const answer = await context.registry.read({ tenant, plan, params: { id, key: null } });
  const { one } = JSON.parse(answer.text) as {
    one: { labels: Record<string, unknown> | null } | null;
  };
  if (one === null) throw notFound(noun, id);
  return one.labels ?? {};
}

/** The keys of an object's labels. */
export async function labelKeys(
  context: Pick<Context, "registry">,
  tenant: string,
  kind: "application" | "runtime" | "runtimeContext",
  noun: string,
  id: string,
): Promise<readonly string[]> {
  return Object.keys(await labelsOf(context, tenant, kind, noun, id));
}

/** What can be done with labels. */
export function createLabelService(context: Context) {
  const mayChange = (identity: Identity, key: string): void => {
    if (key === context.groups.label && isPaired(identity)) {
      throw forbidden(`the label ${key} decides who may talk to whom: only an admin may change it`);
    }
  };

  const applicationSteps = (id: string, key: string, json: string | null): readonly Step[] => {
    const stale = {
      op: "stale",
      runtimes: runtimesOfApplication({ param: "applicationID" }),
      cause: `label ${key} of an application`,
    } as const;
    const change = { op: "label", kind: "application", id, key, value: json } as const;
    return key === context.groups.label ? [stale, change, stale] : [change, stale];
  };

  /** A runtime's label may bring it into groups and out of them: whoever shares one before or after is told. */
  const runtimeSteps = (id: string, key: string, json: string | null): readonly Step[] => {
    const { groups } = context;
    const change = { op: "label", kind: "runtime", id, key, value: json } as const;
    const told = changedToApplications(id, context.now());
    return [
      told,
      ...(key === groups.label
        ? [change, assignAll(groups)]
        : [leaveUnmatched(groups), change, joinMatching(groups)]),
      { op: "stale", runtimes: theRuntime, cause: `label ${key} of the runtime` },
      told,
    ];
  };

  /** A paired runtime must not put itself into a group. */
  const mustNotAssign = (identity: Identity, key: string): readonly Step[] =>
    isPaired(identity) && key !== context.groups.label
      ? [{ op: "check", kind: "automaticGroupAssignment", where: selectsByLabel, expect: "none" }]
      : [];

  const change = async (
    call: ActingCall,
    tenant: string,
    of: { readonly noun: "Application" | "Runtime"; readonly id: string; readonly action: string },
    key: string,
    json: string | null,
    value: Label,
  ): Promise<Label> => {
    const isApplication = of.noun === "Application";
    const labels = json === null ? [] : [{ key, json }];
    const steps = isApplication
      ? applicationSteps(of.id, key, json)
      : [...mustNotAssign(call.caller.identity, key), ...runtimeSteps(of.id, key, json)];
    const newTexts = json === null ? [] : textsOf(JSON.parse(json));
    const params: Params = isApplication
      ? { applicationID: of.id }
      : { runtimeID: of.id, labelKey: key, newTexts };
    const write = (guard: LabelGuard): Promise<Label> =>
      actFor(context, call, {
        value,
        tenant,
        ...of,
        steps: [...guard.steps, ...steps],
        params: { ...guard.params, ...params },
        explain: (failure) => {
          guard.explain(failure);
          if (failure.reason === "NOT_FOUND") return notFound(of.noun, of.id);
          if (failure.reason !== "PRECONDITION") return undefined;
          return forbidden(
            `groups are assigned by the label ${key}, which decides who may talk to whom: only an admin may change it`,
          );
        },
      });
    return writingLabels(context, tenant, labels, "Label", write, (of) => `value.${of}`);
  };

  /** The groups that a runtime has when these are given to it: those it is assigned to come with them. */
  const withAssigned = async (
    tenant: string,
    id: string,
    given: readonly string[],
  ): Promise<readonly string[]> => {
    const [labels, assignments] = await Promise.all([
      labelsOf(context, tenant, "runtime", "Runtime", id),
      readList(
        context.registry,
        tenant,
        "automaticGroupAssignment",
        all(),
        ["groupName", "selectorKey", "selectorValue"],
        {},
        MAX_ASSIGNMENTS,
      ),
    ]);
    const assigned = assignments
      .filter(
        ({ selectorKey: key, selectorValue }) =>
          Object.hasOwn(labels, key) && textsOf(labels[key]).includes(selectorValue),
      )
      .map(({ groupName }) => groupName);
    return [...new Set([...given, ...assigned.toSorted()])];
  };

  const set = async (
    call: ActingCall,
    of: { noun: "Application" | "Runtime"; id: string },
    label: Label,
  ): Promise<Label> => {
    const tenant = authorise(
      call.caller.identity,
      of.noun === "Application" ? "application:write" : "runtime:write",
    );
    const faults = labelFaults(label.key, label.value, "value", context.groups);
    if (faults.length > 0) throw invalidData("Label", faults);
    mayChange(call.caller.identity, label.key);
    const { key, json } = storedLabel(label.key, label.value, context.groups);
    const stored: unknown = JSON.parse(json);
    const assigns = of.noun === "Runtime" && key === context.groups.label;
    const value = assigns ? await withAssigned(tenant, of.id, stored as string[]) : stored;
    return change(call, tenant, { ...of, action: `set${of.noun}Label` }, key, json, { key, value });
  };

  const remove = async (
    call: ActingCall,
    of: { noun: "Application" | "Runtime"; id: string },
    key: string,
  ): Promise<Label> => {
    const isApplication = of.noun === "Application";
    const tenant = authorise(
      call.caller.identity,
      isApplication ? "application:write" : "runtime:write",
    );
    mayChange(call.caller.identity, key);
    const labels = await labelsOf(
      context,
      tenant,
      isApplication ? "application" : "runtime",
      of.noun,
      of.id,
    );
    if (!Object.hasOwn(labels, key)) throw notFound("Label", key);
    const fallback =
      key === context.groups.label ? JSON.stringify([context.groups.fallback]) : null;
    const value = { key, value: labels[key] };
    return change(call, tenant, { ...of, action: `delete${of.noun}Label` }, key, fallback, value);
  };

  const application = (call: ActingCall, given: string) => {
    requireScopes(call.caller.identity, "application:write");
    const id = knownID("Application", given);
    requireApplication(call.caller.identity, id);
    return { noun: "Application", id } as const;
  };
  const runtime = (call: ActingCall, given: string) => {
    requireScopes(call.caller.identity, "runtime:write");
    const id = knownID("Runtime", given);
    requireRuntime(call.caller.identity, id);
    return { noun: "Runtime", id } as const;
  };

  return {
    setForApplication: async (args: { applicationID: string } & Label, call: ActingCall) =>
      set(call, application(call, args.applicationID), args),
    deleteForApplication: async (args: { applicationID: string; key: string }, call: ActingCall) =>
      remove(call, application(call, args.applicationID), args.key),
    setForRuntime: async (args: { runtimeID: string } & Label, call: ActingCall) =>
      set(call, runtime(call, args.runtimeID), args),
    deleteForRuntime: async (args: { runtimeID: string; key: string }, call: ActingCall) =>
      remove(call, runtime(call, args.runtimeID), args.key),
  };
}

/** See {@link createLabelService}. */
export type LabelService = ReturnType<typeof createLabelService>;
