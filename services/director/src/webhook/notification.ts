/** What webhooks are told: thin messages, whose receiver asks for the rest. */
import { all, equals } from "@sextant/graphql";
import type { Condition, Step, Value } from "@sextant/registry-client";
import { applicationsOfRuntime, groupLabel } from "../group/group.read.ts";

/** What happened. */
export type NotificationType =
  | "runtime.ready"
  | "configuration.changed"
  | "credentials.requested"
  | "credentials.unused"
  | "health.changed";

/** The body of a message. */
function bodyOf(
  type: NotificationType,
  now: number,
  ids: Readonly<Record<string, string>>,
): string {
  return JSON.stringify({ type, timestamp: new Date(now).toISOString(), data: { ids } });
}

const isConfigurationChanged = equals("type", { param: "configurationChanged" });

/** Tells every application that shares a group with the runtime in the parameter `runtimeID`. */
export function tellApplications(type: NotificationType, runtimeID: string, now: number): Step {
  const owner = all(
    equals("id", { parent: "applicationID" }),
    applicationsOfRuntime({ param: "runtimeID" }),
  );
  const webhooks: Condition = all(isConfigurationChanged, {
    op: "exists",
    kind: "application",
    where: owner,
  });
  return { op: "deliver", webhooks, type, body: bodyOf(type, now, { runtimeID }) };
}

/** Tells them that the runtime has changed. */
export function changedToApplications(runtimeID: string, now: number): Step {
  return tellApplications("configuration.changed", runtimeID, now);
}

/** Tells every application of a group, whose name as JSON text is in `elements`, that its runtimes have changed. */
export function changedToGroup(group: string, elements: Value, now: number): Step {
  const owner = all(equals("id", { parent: "applicationID" }), {
    op: "labelIn",
    key: groupLabel,
    elements,
  });
  const webhooks: Condition = all(isConfigurationChanged, {
    op: "exists",
    kind: "application",
    where: owner,
  });
  const type = "configuration.changed";
  return { op: "deliver", webhooks, type, body: bodyOf(type, now, { group }) };
}

/** Tells the application in the parameter `applicationID`. */
export function tellApplication(
  type: NotificationType,
  ids: Readonly<Record<string, string>>,
  now: number,
): Step {
  const webhooks = all(isConfigurationChanged, equals("applicationID", { param: "applicationID" }));
  return { op: "deliver", webhooks, type, body: bodyOf(type, now, ids) };
}
