/** Carries out the stages of operations. Every stage may be repeated: it finds what an earlier attempt has made. */
import { isSextantError, notFound } from "@sextant/errors";
import { ServiceAwayError } from "@sextant/service";
import { type Claimed, type Outcome, readOne, type Step, update } from "@sextant/registry-client";
import { commitOf, type Context } from "../context.ts";
import {
  beginning,
  MAX_FAILURES,
  messages,
  type OperationInput,
  type OperationType,
  type Progress,
  type Stage,
  stageAfter,
} from "./operation.ts";

type Operation = Claimed<"operation">;

/** A stage's end: over, maybe with something that the next has to know, or to be looked at again soon. */
type StageEnd = "over" | "wait" | Pick<Progress, "reportedBefore">;

const LOOK_AGAIN = 250;
const FIRST_PAUSE = 500;

const isIt = { op: "equals", field: "id", value: { param: "id" } } as const;

/** Errors that another attempt does not mend. */
const lasting = new Set([
  "NOT_UNIQUE",
  "INVALID_DATA",
  "NOT_FOUND",
  "FORBIDDEN",
  "INSUFFICIENT_SCOPES",
  "INVALID_OPERATION",
]);

/** Makes the handler of one claimed operation: it carries out the stage it is in. */
export function createStageHandler(context: Context) {
  const { director, registry } = context;
  const driverOf = (name: string) => {
    const driver = context.drivers[name];
    if (driver === undefined) throw new Error(`there is no driver ${name} any more`);
    return driver;
  };
  const provisioned = (operation: Operation) =>
    readOne(
      registry,
      operation.tenant,
      "provisionedRuntime",
      isIt,
      ["name", "driver", "parameters"],
      { id: operation.runtimeID },
    );
  /** How the runtime is made: by the request of a provisioning, else by what was provisioned. */
  const madeOf = async (operation: Operation) => {
    const input = operation.input as OperationInput;
    if (operation.type === "Provision" || operation.type === "Upgrade") return input;
    const made = await provisioned(operation);
    return {
      ...input,
      name: made?.name ?? "",
      driver: made?.driver ?? "",
      parameters: made?.parameters as OperationInput["parameters"],
    };
  };
  const runtimeIDOf = (operation: Operation): string => {
    if (operation.runtimeID === null) throw new Error("the runtime was not registered");
    return operation.runtimeID;
  };

  const carryOut: Readonly<
    Record<Exclude<Stage, "done">, (operation: Operation) => Promise<StageEnd>>
  > = {
    register: async (operation) => {
      const input = operation.input as OperationInput;
      const { name, description, labels } = input;
      const runtimeID = await director.register(
        operation.tenant,
        { name, description, labels },
        operation.id,
      );
      const params = { open: ["Pending", "InProgress"] };
      const isOpen = { op: "in", field: "state", values: { param: "open" } } as const;
      const steps: readonly Step[] = [
        update("operation", operation.id, { runtimeID }, { where: isOpen }),
        {
          op: "create",
          kind: "provisionedRuntime",
          id: runtimeID,
          values: {
            name,
            driver: input.driver,
            parameters: JSON.stringify(input.parameters),
            removed: false,
            lastOperationID: operation.id,
          },
        },
      ];
      const commit = commitOf(context, operation.tenant, "provisionRuntime", steps, params);
      const stored = await registry.commit(commit);
      // Cancelled meanwhile: what takes back may have looked for the runtime before it was there.
      if (!stored.ok && stored.failure.reason === "PRECONDITION")
        await director.unregister(operation.tenant, runtimeID);
      return "over";
    },
    create: async (operation) => {
      const { name, driver, parameters } = await madeOf(operation);
      const id = runtimeIDOf(operation);
      await driverOf(driver).create({ id, name, parameters });
      if (operation.type === "Upgrade") {
        const step = update("provisionedRuntime", id, { parameters: JSON.stringify(parameters) });
        await registry.commit(commitOf(context, operation.tenant, "upgradeRuntime", [step]));
      }
      return "over";
    },
    inject: async (operation) => {
      const id = runtimeIDOf(operation);
      const { driver } = await madeOf(operation);
      const tenant = await registry.findTenant({ id: operation.tenant });
      if (tenant === undefined) throw notFound("Tenant", operation.tenant);
      const { token, connectorURL } = await director.requestToken(operation.tenant, id);
      await driverOf(driver).inject(id, {
        CONNECTOR_URL: connectorURL,
        RUNTIME_ID: id,
        TENANT: tenant.externalID,
        TOKEN: token,
        CA_PIN: context.caPin(),
      });
      return "over";
    },
    start: async (operation) => {
      const id = runtimeIDOf(operation);
      const before = await director.find(operation.tenant, id);
      await driverOf((await madeOf(operation)).driver).start(id);
      return { reportedBefore: before?.syncState?.reportedAt ?? null };
    },
    connect: async (operation) => {
      const runtime = await director.find(operation.tenant, runtimeIDOf(operation));
      if (runtime === undefined) throw new Error("the runtime was unregistered");
      const { syncState } = runtime;
      const { reportedBefore = null } = operation.progress as Progress;
      return (syncState?.reportedAt ?? null) !== reportedBefore &&
        runtime.status.condition === "CONNECTED" &&
        syncState?.applied === true &&
        syncState.ready
        ? "over"
        : "wait";
    },
    remove: async (operation) => {
      const { driver } = await madeOf(operation);
      await driverOf(driver).remove(runtimeIDOf(operation));
      return "over";
    },
    unregister: async (operation) => {
      const id = runtimeIDOf(operation);
      await director.unregister(operation.tenant, id);
      await registry.commit(
        commitOf(context, operation.tenant, "deprovisionRuntime", [
          update("provisionedRuntime", id, { removed: true }),
        ]),
      );
      return "over";
    },
    undo: async (operation) => {
      // The registration may have happened without having been noted.
      const id = operation.runtimeID ?? (await director.findMarked(operation.tenant, operation.id));
      if (id !== undefined) {
        await driverOf((operation.input as OperationInput).driver).remove(id);
        await director.unregister(operation.tenant, id);
        if (operation.runtimeID !== null) {
          const step = update("provisionedRuntime", id, { removed: true });
          await registry.commit(commitOf(context, operation.tenant, "undoProvisioning", [step]));
        }
      }
      return "over";
    },
  };

  const later = (milliseconds: number) => new Date(context.now() + milliseconds).toISOString();
  const moved = (
    stage: Stage,
    state: string,
    more: Partial<Progress>,
    message = messages[stage],
  ): Outcome => ({
    done: stage === "done",
    values: {
      stage,
      state,
      message,
      progress: JSON.stringify({ ...beginning(context.now()), ...more }),
    },
    ...(stage === "done" ? {} : { nextAttemptAt: later(0) }),
  });

  const failed = (
    operation: Operation,
    stage: Stage,
    progress: Progress,
    error: unknown,
  ): Outcome => {
    const known = isSextantError(error) ? error : undefined;
    const component =
      stage === "create" || stage === "start" || stage === "remove" ? "driver" : "director";
    const message = known?.message ?? `${messages[stage]} failed`;
    const lastError = JSON.stringify({ code: known?.code ?? "INTERNAL", component, message });
    // A part of the plane that is away comes back: that is waited for, and is no failure of the stage.
    const passes = error instanceof ServiceAwayError || known?.retryAfter !== undefined;
    const failures = progress.failures + (passes ? 0 : 1);
    const isLasting = known !== undefined && lasting.has(known.code);
    context.log.warn({ operation: operation.id, stage, failures, err: error }, "a stage failed");
    const mayRetry = !isLasting && failures < MAX_FAILURES && context.now() < progress.until;
    // Taking back goes on until it has succeeded: nothing is left behind.
    if (mayRetry || stage === "undo") {
      const pause = Math.min(FIRST_PAUSE * 2 ** failures, 30_000);
      return {
        done: false,
        values: { lastError, progress: JSON.stringify({ ...progress, failures }) },
        nextAttemptAt: later(pause),
      };
    }
    const values = { lastError, state: "Failed", message };
    const undoes = operation.type === "Provision";
    if (!undoes) return { done: true, values };
    const begun = JSON.stringify(beginning(context.now()));
    return {
      done: false,
      values: { ...values, stage: "undo", progress: begun },
      nextAttemptAt: later(0),
    };
  };

  return async (operation: Operation): Promise<Outcome> => {
    const type = operation.type as OperationType;
    const stage = operation.stage as Exclude<Stage, "done">;
    const progress = operation.progress as Progress;
    try {
      const end = await carryOut[stage](operation);
      if (end !== "wait") {
        const more = end === "over" ? {} : end;
        // What was taken back stays Failed or Cancelled.
        if (stage === "undo") return { done: true, values: { stage: "done" } };
        const next = stageAfter(type, stage);
        return next === "done"
          ? moved(next, "Succeeded", {}, "done")
          : moved(next, "InProgress", more);
      }
      if (context.now() < progress.until)
        return { done: false, values: {}, nextAttemptAt: later(LOOK_AGAIN) };
      throw new Error("the runtime's agent did not become ready in time");
    } catch (error) {
      return failed(operation, stage, progress, error);
    }
  };
}
