import { forbidden, invalidData, notFound } from "@sextant/errors";
import { authorise, type Identity } from "@sextant/identity";
import type { Step } from "@sextant/registry-client";
import { isPaired, knownID, requireApplication, requireRuntime } from "../access/access.ts";
import { actFor, type ActingCall, type Context } from "../act/act.ts";
import { runtimesOfApplication } from "../group/group.read.ts";
import { changedToApplications } from "../webhook/notification.ts";
import { labelFaults, storedLabel } from "./label.ts";

type Label = { readonly key: string; readonly value: unknown };

/** The labels of one object of the tenant; throws NOT_FOUND when there is no such object. */
async function labelsOf(
  context: Pick<Context, "registry">,
  tenant: string,
  kind: "application" | "runtime",
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
  kind: "application" | "runtime",
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

  const runtimeSteps = (id: string, key: string, json: string | null): readonly Step[] => {
    const itself = { op: "equals", field: "id", value: { param: "runtimeID" } } as const;
    const change = { op: "label", kind: "runtime", id, key, value: json } as const;
    const rest: readonly Step[] = [
      change,
      { op: "stale", runtimes: itself, cause: `label ${key} of the runtime` },
    ];
    const told = changedToApplications(id, context.now());
    return key === context.groups.label ? [told, ...rest, told] : [...rest, told];
  };

  const change = async (
    call: ActingCall,
    tenant: string,
    of: { readonly noun: "Application" | "Runtime"; readonly id: string; readonly action: string },
    key: string,
    json: string | null,
    value: Label,
  ): Promise<Label> => {
    const isApplication = of.noun === "Application";
    return actFor(context, call, {
      value,
      tenant,
      ...of,
      steps: isApplication ? applicationSteps(of.id, key, json) : runtimeSteps(of.id, key, json),
      params: isApplication ? { applicationID: of.id } : { runtimeID: of.id },
      explain: (failure) => (failure.reason === "NOT_FOUND" ? notFound(of.noun, of.id) : undefined),
    });
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
    const stored = storedLabel(label.key, label.value, context.groups);
    const value = { key: stored.key, value: JSON.parse(stored.json) as unknown };
    return change(
      call,
      tenant,
      { ...of, action: `set${of.noun}Label` },
      stored.key,
      stored.json,
      value,
    );
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
    const id = knownID("Application", given);
    requireApplication(call.caller.identity, id);
    return { noun: "Application", id } as const;
  };
  const runtime = (call: ActingCall, given: string) => {
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
