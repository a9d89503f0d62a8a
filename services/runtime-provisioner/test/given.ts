/** The provisioner in a test's own process: a real Registry, a Director and a driver that a test can turn. */
import { join } from "node:path";
import { notUnique } from "@sextant/errors";
import { createExecutor, createRepeats, loadSubgraph } from "@sextant/graphql";
import { type Identity, scopes } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { createTestRegistry } from "@sextant/testkit";
import type { Context } from "../src/context.ts";
import { declarations, parameters } from "../src/declarations.ts";
import type { Director, SeenRuntime } from "../src/director-client/director.ts";
import type { Driver, Injected } from "../src/driver/driver.ts";
import { operationResolvers } from "../src/operation/operation.resolvers.ts";
import { createOperationService } from "../src/operation/operation.service.ts";
import { createStageHandler } from "../src/operation/stage.ts";

/** Whatever a test has asked for. */
// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the shape that its own operation selects
export type Selected = any;

type Registered = {
  readonly name: string;
  readonly mark: string;
  condition: string;
  applied: boolean;
  ready: boolean;
  reportedAt: string | null;
};

/** What a started agent does in these tests: pairs and reports at once, unless a test says otherwise. */
export type AgentManner = "reports" | "is silent";

/** Starts it. */
export async function startProvisioner() {
  const inside = await createTestRegistry("runtime-provisioner");
  const clock = { now: Date.now() };
  const calls: string[] = [];
  /** Verbs that fail, with what they throw, until they are taken out. */
  const faults = new Map<string, () => Error>();
  /** Told before a verb is carried out. */
  const hooks = new Map<string, () => Promise<void>>();
  const manner: { agent: AgentManner } = { agent: "reports" };
  const verb = async (name: string): Promise<void> => {
    calls.push(name);
    await hooks.get(name)?.();
    const fault = faults.get(name);
    if (fault !== undefined) throw fault();
  };

  const registered = new Map<string, Registered>();
  const director: Director = {
    async register(_tenant, { name }, mark) {
      await verb("register");
      for (const [id, one] of registered) if (one.mark === mark) return id;
      if ([...registered.values()].some((one) => one.name === name))
        throw notUnique(`Runtime ${name}`);
      const id = inside.newID();
      registered.set(id, {
        name,
        mark,
        condition: "PROVISIONING",
        applied: false,
        ready: false,
        reportedAt: null,
      });
      return id;
    },
    findMarked: async (_tenant, mark) => [...registered].find(([, one]) => one.mark === mark)?.[0],
    async find(_tenant, id): Promise<SeenRuntime | undefined> {
      await verb("find");
      const one = registered.get(id);
      if (one === undefined) return undefined;
      const { condition, applied, ready, reportedAt } = one;
      return {
        id,
        status: { condition },
        syncState: { applied, ready, lastError: null, reportedAt },
      };
    },
    async requestToken(_tenant, id) {
      await verb("requestToken");
      return { token: `token-of-${id}`, connectorURL: "https://plane.example/connector/graphql" };
    },
    async unregister(_tenant, id) {
      await verb("unregister");
      registered.delete(id);
    },
  };

  const made = new Map<string, { parameters: object; injected?: Injected; running: boolean }>();
  let reports = 0;
  const report = (id: string): void => {
    const one = registered.get(id);
    if (one === undefined) return;
    reports += 1;
    Object.assign(one, {
      condition: "CONNECTED",
      applied: true,
      ready: true,
      reportedAt: new Date(reports).toISOString(),
    });
  };
  const driver: Driver = {
    validate: (given) =>
      "wrong" in given ? [{ field: "parameters.wrong", message: "is wrong" }] : [],
    async create({ id, parameters: given }) {
      await verb("create");
      made.set(id, { running: false, ...made.get(id), parameters: given });
    },
    async inject(id, injected) {
      await verb("inject");
      const one = made.get(id);
      if (one === undefined) throw new Error("absent");
      one.injected = injected;
      one.running = false;
    },
    async start(id) {
      await verb("start");
      const one = made.get(id);
      if (one === undefined) throw new Error("absent");
      one.running = true;
      if (manner.agent === "reports") report(id);
    },
    observe: async (id) =>
      made.get(id)?.running === true ? "running" : made.has(id) ? "stopped" : "absent",
    async remove(id) {
      await verb("remove");
      made.delete(id);
    },
  };

  const context: Context = {
    registry: inside.registry,
    director,
    drivers: { fake: driver },
    caPin: () => "sha256//pin",
    newID: inside.newID,
    now: () => clock.now,
    log: silentLogger,
  };
  const executor = createExecutor({
    ...loadSubgraph(join(import.meta.dirname, "../src")),
    declarations,
    resolvers: operationResolvers(createOperationService(context)),
    registry: inside.registry,
    repeats: createRepeats(inside.registry),
    log: silentLogger,
    parameters,
    introspection: true,
  });
  const handle = createStageHandler(context);

  const as = (identity: Identity) => {
    const send = async (
      query: string,
      variables: Readonly<Record<string, unknown>> = {},
      idempotencyKey?: string,
    ) => {
      const call = {
        caller: { service: "api-gateway", identity },
        requestID: "test",
        idempotencyKey,
        signal: new AbortController().signal,
      } as const;
      const { text } = await executor.execute({ query, variables }, call, false);
      return JSON.parse(text) as {
        data?: Selected;
        errors?: readonly { message: string; extensions: { code: string } }[];
      };
    };
    return {
      send,
      async ask(
        query: string,
        variables?: Readonly<Record<string, unknown>>,
        key?: string,
      ): Promise<Selected> {
        const { data, errors } = await send(query, variables, key);
        if (errors !== undefined) throw new Error(JSON.stringify(errors));
        return data;
      },
      async refusal(
        query: string,
        variables?: Readonly<Record<string, unknown>>,
        key?: string,
      ): Promise<string> {
        const { errors, data } = await send(query, variables, key);
        if (errors?.[0] === undefined)
          throw new Error(`an error was expected: ${JSON.stringify(data)}`);
        return `${errors[0].extensions.code}: ${errors[0].message}`;
      },
    };
  };

  /** Claims the operations that are due and carries out one stage of each; how many there were. `crash`: nothing is settled. */
  const step = async (crash = false): Promise<number> => {
    const queue = "operation" as const;
    const claimed = await inside.registry.claim({
      queue,
      max: 100,
      leaseSeconds: crash ? 1 : 60,
      waitSeconds: 0,
    });
    const items = await Promise.all(
      claimed.map(async (work) => ({
        tenant: work.tenant,
        id: work.id,
        leaseToken: work.leaseToken as string,
        ...(await handle(work)),
      })),
    );
    if (!crash && items.length > 0) await inside.registry.settle({ queue, items });
    return claimed.length;
  };

  return {
    inside,
    schema: executor.schema,
    clock,
    calls,
    faults,
    hooks,
    manner,
    registered,
    made,
    report,
    as,
    step,
    /** Carries out stages until the operation has this state and nothing more is to be done for it, or the time is up. */
    async until(
      admin: ReturnType<typeof as>,
      id: string,
      state: string,
      stage = "done",
    ): Promise<Selected> {
      const end = Date.now() + 15_000;
      for (;;) {
        await step();
        const { x } = await admin.ask(
          `query($id: String!) { x: runtimeOperationStatus(id: $id) { id state stage message runtimeID lastError { code component message } } }`,
          { id },
        );
        if (x.state === state && x.stage === stage) return x;
        if (Date.now() > end) throw new Error(`the operation is ${JSON.stringify(x)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    /** A tenant of its own, with its admin. */
    async tenant() {
      const id = await inside.seedTenant();
      const consumer = { type: "USER", id: inside.newID() } as const;
      return { id, admin: as({ tenant: id, consumer, scopes: [...scopes] }) };
    },
    close: () => inside.close(),
  };
}

/** See {@link startProvisioner}. */
export type TestProvisioner = Awaited<ReturnType<typeof startProvisioner>>;
