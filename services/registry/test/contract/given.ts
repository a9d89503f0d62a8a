/** What the tests of the contract are given: the Registry as each service sees it, and objects with little typing. */
import { createHash, randomBytes } from "node:crypto";
import type { ServiceName } from "@sextant/identity";
import {
  type Commit,
  type Condition,
  create,
  type NewRecord,
  type Params,
  type Read,
  readList,
  type Registry,
  type Step,
} from "@sextant/registry-client";
import { afterAll, beforeAll } from "vitest";

/** One implementation to be tested. */
export type Implementation = {
  registryFor(service: ServiceName): Registry;
  seedTenant(): Promise<string>;
  newID(): string;
  close(): Promise<void>;
};

export const at = "2026-01-02T03:04:05.000Z";
export const byID: Condition = { op: "equals", field: "id", value: { param: "id" } };
export const everything: Condition = { op: "all", of: [] };
export const equals = (field: string, param: string): Condition => ({
  op: "equals",
  field,
  value: { param },
});
export const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
export const newHash = () => sha256(randomBytes(16).toString("hex"));

/** Sets one implementation up for the tests around. */
export function given(make: () => Promise<Implementation>) {
  let implementation: Implementation;
  const services = new Map<ServiceName, Registry>();
  const as = (service: ServiceName): Registry => {
    const known = services.get(service) ?? implementation.registryFor(service);
    services.set(service, known);
    return known;
  };
  beforeAll(async () => {
    implementation = await make();
  });
  afterAll(() => implementation?.close());
  const newID = () => implementation.newID();
  const commitOf = (
    tenant: string,
    steps: readonly Step[],
    more: Partial<Commit> = {},
  ): Commit => ({
    id: newID(),
    tenant,
    actor: { type: "USER", id: "somebody" },
    action: "test",
    steps,
    params: {},
    ...more,
  });
  const carryOut = async (
    tenant: string,
    steps: readonly Step[],
    more: Partial<Commit> = {},
    by = as("director"),
  ) => {
    const answer = await by.commit(commitOf(tenant, steps, more));
    if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.failure)}`);
    return answer;
  };
  const newApplication = (values: Partial<NewRecord<"application">> = {}) => {
    const id = newID();
    return {
      id,
      step: create("application", id, {
        name: `application-${id}`,
        statusCondition: "INITIAL",
        statusTimestamp: at,
        ...values,
      }),
    };
  };
  const newRuntime = (values: Partial<NewRecord<"runtime">> = {}) => {
    const id = newID();
    return {
      id,
      step: create("runtime", id, {
        name: `runtime-${id}`,
        statusCondition: "INITIAL",
        statusTimestamp: at,
        ...values,
      }),
    };
  };
  const application = async (
    tenant: string,
    values: Partial<NewRecord<"application">> = {},
  ): Promise<string> => {
    const { id, step } = newApplication(values);
    await carryOut(tenant, [step]);
    return id;
  };
  const runtime = async (
    tenant: string,
    values: Partial<NewRecord<"runtime">> = {},
  ): Promise<string> => {
    const { id, step } = newRuntime(values);
    await carryOut(tenant, [step]);
    return id;
  };
  const label = (
    kind: "application" | "runtime",
    id: string,
    key: string,
    value: unknown,
  ): Step => ({
    op: "label",
    kind,
    id,
    key,
    value: value === null ? null : JSON.stringify(value),
  });
  const ask = async (
    tenant: string | null,
    read: Read,
    params: Params,
    by = as("director"),
  ): Promise<unknown> => {
    const { text } = await by.read({ tenant, plan: { select: [{ as: "x", read }] }, params });
    return (JSON.parse(text) as { x: unknown }).x;
  };
  const names = async (
    tenant: string,
    where: Condition,
    params: Params,
    kind: "application" | "runtime" = "application",
  ) =>
    (await readList(as("director"), tenant, kind, where, ["name"], params, 1000)).map(
      (one) => one.name,
    );

  return {
    get director() {
      return as("director");
    },
    get connector() {
      return as("connector");
    },
    get gateway() {
      return as("api-gateway");
    },
    get provisioner() {
      return as("runtime-provisioner");
    },
    seedTenant: () => implementation.seedTenant(),
    newID,
    commitOf,
    carryOut,
    newApplication,
    newRuntime,
    application,
    runtime,
    label,
    ask,
    names,
  };
}

/** See {@link given}. */
export type Given = ReturnType<typeof given>;
