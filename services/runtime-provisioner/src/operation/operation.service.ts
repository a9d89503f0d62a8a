import { invalidData, invalidOperation, notFound, type SextantError } from "@sextant/errors";
import {
  actorOf,
  all,
  Answer,
  checked,
  equals,
  type GraphCall,
  RepeatedError,
} from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import {
  carryOut,
  type CommitFailure,
  type Condition,
  create,
  isUUID,
  readOne,
  type Step,
  update,
} from "@sextant/registry-client";
import { commitOf, type Context } from "../context.ts";
import type { ParameterFault } from "../driver/driver.ts";
import {
  beginning,
  messages,
  type OperationInput,
  type OperationType,
  provisionRuntimeInput,
  stages,
  upgradeRuntimeInput,
} from "./operation.ts";

type Call = Pick<GraphCall, "caller" | "requestID" | "clientAddress" | "returning" | "repeat">;

const isIt = equals("id", { param: "id" });
/** A stage that goes on while its operation is cancelled gets so long to end before it is undone, in milliseconds. */
const UNDO_AFTER = 3_000;

const known = (id: string, noun: string): string => {
  if (!isUUID(id)) throw notFound(noun, id);
  return id.toLowerCase();
};

/** What can be asked of the provisioner. */
export function createOperationService(context: Context) {
  const { registry } = context;

  const refuseFaults = (inputType: string, faults: readonly ParameterFault[]): void => {
    if (faults.length > 0) throw invalidData(inputType, faults);
  };

  /** The steps that begin an operation. */
  const begin = (
    id: string,
    type: OperationType,
    runtimeID: string | null,
    input: OperationInput,
  ): Step => {
    const [stage] = stages[type];
    return create("operation", id, {
      runtimeID,
      type,
      state: "Pending",
      stage,
      message: messages[stage],
      input: JSON.stringify(input),
      progress: JSON.stringify(beginning(context.now())),
      attempts: 0,
      nextAttemptAt: new Date(context.now()).toISOString(),
    });
  };

  const answer = async (
    call: Call,
    tenant: string,
    id: string,
    action: string,
    steps: readonly Step[],
    ifUnmet?: () => SextantError,
    params = {},
  ): Promise<Answer> => {
    const { repeat } = call;
    const first: readonly Step[] =
      repeat === undefined
        ? []
        : [create("idempotencyKey", repeat.id, { request: repeat.request, reveal: false })];
    const commit = {
      ...commitOf(context, tenant, action, [...first, ...steps], params),
      actor: actorOf(call),
      after: call.returning(id),
      ...(repeat === undefined ? {} : { keepAnswer: repeat.id }),
    };
    const explain = (failure: CommitFailure): SextantError | undefined => {
      // Another request with the same key was quicker, and has done all that this one wants.
      if (failure.constraint === "idempotency_key_pkey") throw new RepeatedError();
      return failure.reason === "PRECONDITION" ? ifUnmet?.() : undefined;
    };
    const { after } = await carryOut(registry, commit, { noun: "Operation", id, explain });
    return new Answer(after ?? "");
  };

  /** Begins an operation on a runtime that was provisioned; there is one at a time. */
  const beginOn = async (
    call: Call,
    type: OperationType,
    given: string,
    change: (made: OperationInput) => OperationInput,
  ): Promise<Answer> => {
    const tenant = authorise(call.caller.identity, "provisioning:write");
    const runtimeID = known(given, "Runtime");
    const fields = ["name", "driver", "parameters", "removed"] as const;
    const made = await readOne(registry, tenant, "provisionedRuntime", isIt, fields, {
      id: runtimeID,
    });
    if (made === undefined || made.removed) throw notFound("ProvisionedRuntime", given);
    const { name, driver, parameters } = made;
    const input = change({
      name,
      driver,
      parameters: parameters as OperationInput["parameters"],
      description: null,
      labels: null,
    });
    const goesOn: Condition = all(equals("runtimeID", { param: "runtimeID" }), {
      op: "in",
      field: "state",
      values: { param: "open" },
    });
    const id = context.newID();
    return answer(
      call,
      tenant,
      id,
      `${type.charAt(0).toLowerCase()}${type.slice(1)}`,
      [
        // First, because it holds the runtime: of two that come at once, the second finds the operation of the first.
        update("provisionedRuntime", runtimeID, { lastOperationID: id }),
        { op: "check", kind: "operation", where: goesOn, expect: "none" },
        begin(id, type, runtimeID, input),
      ],
      () =>
        invalidOperation(
          "another operation on the runtime goes on: wait until it has ended, or cancel it",
        ),
      { runtimeID, open: ["Pending", "InProgress"] },
    );
  };

  return {
    async provision({ config }: { config: unknown }, call: Call): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "provisioning:write");
      const values = checked("ProvisionRuntimeInput", provisionRuntimeInput, config);
      const driver = context.drivers[values.driver];
      if (driver === undefined) {
        const message = `must be one of ${Object.keys(context.drivers).join(", ")}`;
        throw invalidData("ProvisionRuntimeInput", [{ field: "driver", message }]);
      }
      refuseFaults("ProvisionRuntimeInput", driver.validate(values.parameters));
      const id = context.newID();
      const input = {
        ...values,
        description: values.description ?? null,
        labels: values.labels ?? null,
      };
      return answer(call, tenant, id, "provisionRuntime", [begin(id, "Provision", null, input)]);
    },

    upgrade: (args: { id: string; config: unknown }, call: Call) =>
      beginOn(call, "Upgrade", args.id, (made) => {
        const { parameters } = checked("UpgradeRuntimeInput", upgradeRuntimeInput, args.config);
        refuseFaults(
          "UpgradeRuntimeInput",
          context.drivers[made.driver]?.validate(parameters) ?? [],
        );
        return { ...made, parameters };
      }),

    deprovision: (args: { id: string }, call: Call) =>
      beginOn(call, "Deprovision", args.id, (made) => made),

    reconnect: (args: { id: string }, call: Call) =>
      beginOn(call, "ReconnectRuntime", args.id, (made) => made),

    async cancel(args: { id: string }, call: Call): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "provisioning:write");
      const id = known(args.id, "Operation");
      const operation = await readOne(registry, tenant, "operation", isIt, ["type"], { id });
      if (operation === undefined) throw notFound("Operation", args.id);
      // Only a provisioning leaves something that has to be taken back.
      const undoes = operation.type === "Provision";
      const nextAttemptAt = undoes ? new Date(context.now() + UNDO_AFTER).toISOString() : null;
      const stage = undoes ? "undo" : "done";
      const values = {
        state: "Cancelled",
        stage,
        message: "cancelled",
        nextAttemptAt,
        leaseToken: null,
        leaseUntil: null,
      };
      const isOpen: Condition = { op: "in", field: "state", values: { param: "open" } };
      return answer(
        call,
        tenant,
        id,
        "cancelOperation",
        [update("operation", id, values, { where: isOpen })],
        () => invalidOperation("the operation has ended: there is nothing to cancel"),
        { open: ["Pending", "InProgress"] },
      );
    },
  };
}

/** See {@link createOperationService}. */
export type OperationService = ReturnType<typeof createOperationService>;
