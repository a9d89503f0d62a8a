/** Director in a test's own process, on a real Registry: spoken to in GraphQL, by whoever the test wants to be. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createExecutor, createRepeats, loadSubgraph } from "@sextant/graphql";
import {
  applicationScopes,
  defaultRoles,
  type Identity,
  runtimeScopes,
  scopes,
} from "@sextant/identity";
import { type Logger, silentLogger } from "@sextant/logging";
import {
  type Claimed,
  createNoteLog,
  type Outcome,
  type Queue,
  type Registry,
} from "@sextant/registry-client";
import { createTestRegistry, type TestRegistry } from "@sextant/testkit";
import type { Context } from "../src/act/act.ts";
import type { Trust } from "../src/connector-client/trust.ts";
import { type HealthReport, noteHealth } from "../src/health-check/health-report.ts";
import { createSchemas } from "../src/input/schemas.ts";
import { planRuntime } from "../src/plan/planner.ts";
import { createPlanService } from "../src/plan/plan.service.ts";
import { declarations, readParameters } from "../src/read/declarations.ts";
import { openers } from "../src/read/openers.ts";
import { resolvers } from "../src/resolvers.ts";
import { dataKeysOf } from "../src/secret/data-keys.ts";
import { createSealer } from "../src/secret/sealer.ts";
import { createSpecifications } from "../src/specification/checker.ts";

/** Whatever a test has asked for. */
// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the shape that its own operation selects
export type Selected = any;

/** An answer as a client sees it. */
export type GraphReply = {
  readonly data?: Selected;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions: { readonly code: string; readonly error_code: number };
  }[];
};

/** Values of an operation. */
export type Variables = Readonly<Record<string, unknown>>;

/** Someone who speaks to Director. */
export type Speaker = {
  readonly identity: Identity;
  /** The whole answer, whatever it says. */
  send(query: string, variables?: Variables, idempotencyKey?: string): Promise<GraphReply>;
  /** The data; fails when there are errors. */
  ask(query: string, variables?: Variables): Promise<Selected>;
  /** The only error, as `CODE: message`; fails when there is none. */
  refusal(query: string, variables?: Variables): Promise<string>;
};

function withFaults(onFault: ((fault: unknown) => void) | undefined): Logger {
  if (onFault === undefined) return silentLogger;
  const log = Object.create(silentLogger) as Logger;
  log.error = (fields: unknown) => onFault((fields as { readonly err?: unknown }).err);
  return log;
}

const everyScope = [...scopes];

/** Director, with what a test may turn and look at. */
export async function startDirector(
  options: {
    readonly allowPrivateTargets?: boolean;
    readonly introspection?: boolean;
    readonly longestToken?: number;
    /** Told of every unexpected fault. */
    readonly onFault?: (fault: unknown) => void;
  } = {},
) {
  const inside: TestRegistry = await createTestRegistry("director");
  const clock = { now: Date.now() };
  const calls = { read: 0, commit: 0 };
  /** Put in the place of what Director calls. */
  const hooks: { commit?: Registry["commit"] | undefined } = {};
  const registry: Registry = {
    ...inside.registry,
    read: (request) => {
      calls.read += 1;
      return inside.registry.read(request);
    },
    commit: (commit) => {
      calls.commit += 1;
      return (hooks.commit ?? inside.registry.commit)(commit);
    },
  };
  const trusted: string[] = [];
  const trust: Trust = {
    issueToken: async (tenant, subject, id) => {
      trusted.push(`token ${tenant} ${subject} ${id}`);
      return {
        token: `token-of-${id}`,
        connectorURL: "https://plane.example/connector/graphql",
        caPin: "sha256//pin",
      };
    },
    revokeAll: async (tenant, subject, id) => {
      trusted.push(`revoke ${tenant} ${subject} ${id}`);
    },
  };
  const dataKey = randomBytes(32);
  let dataKeys = dataKeysOf([dataKey]);
  const context: Context = {
    registry,
    newID: inside.newID,
    now: () => clock.now,
    groups: { label: "group", fallback: "default" },
    sealer: createSealer(() => dataKeys),
    schemas: createSchemas(),
    specifications: createSpecifications(),
    roles: defaultRoles,
    longestToken: options.longestToken,
    allowPrivateTargets: options.allowPrivateTargets ?? true,
  };
  const subgraph = loadSubgraph(join(import.meta.dirname, "../src"));
  const refusals = createNoteLog({
    registry: inside.registry,
    newID: inside.newID,
    now: Date.now,
    log: silentLogger,
  });
  const executor = createExecutor({
    ...subgraph,
    declarations: declarations(openers(context.sealer)),
    resolvers: resolvers(context, { trust, tokenURL: "https://plane.example/oauth2/token" }),
    registry,
    repeats: createRepeats(context.registry, (tenant, sealed) =>
      context.sealer.open(tenant, "answer", sealed),
    ),
    refusals,
    log: withFaults(options.onFault),
    parameters: readParameters(context.groups),
    introspection: options.introspection ?? true,
  });

  const as = (identity: Identity): Speaker => {
    const send = async (
      query: string,
      variables: Variables = {},
      idempotencyKey?: string,
    ): Promise<GraphReply> => {
      const call = {
        caller: { service: "api-gateway", identity },
        requestID: "test",
        clientAddress: "192.0.2.1",
        idempotencyKey,
        signal: new AbortController().signal,
      } as const;
      const answer = await executor.execute({ query, variables }, call, false);
      return JSON.parse(answer.text) as GraphReply;
    };
    return {
      identity,
      send,
      async ask(query, variables) {
        const { data, errors } = await send(query, variables);
        if (errors !== undefined) throw new Error(JSON.stringify(errors));
        return data;
      },
      async refusal(query, variables) {
        const { errors, data } = await send(query, variables);
        const [error, ...more] = errors ?? [];
        if (error === undefined || more.length > 0)
          throw new Error(`one error was expected: ${JSON.stringify({ errors, data })}`);
        return `${error.extensions.code}: ${error.message}`;
      },
    };
  };

  /** Carries out all work of a queue that is due, each piece once. */
  const work = async <Q extends Queue>(
    queue: Q,
    handle: (piece: Claimed<Q>) => Promise<Outcome>,
  ): Promise<number> => {
    const claimed = await inside.registry.claim({
      queue,
      max: 500,
      leaseSeconds: 60,
      waitSeconds: 0,
    });
    const items = await Promise.all(
      claimed.map(async (piece) => ({
        tenant: piece.tenant,
        id: piece.id as string,
        leaseToken: piece.leaseToken as string,
        ...("version" in piece ? { version: piece.version as number } : {}),
        ...(await handle(piece)),
      })),
    );
    if (items.length > 0) await inside.registry.settle({ queue, items });
    return claimed.length;
  };

  return {
    inside,
    context,
    dataKey,
    /** Other data keys, the first of which seals. */
    useDataKeys: (...keys: readonly Buffer[]) => void (dataKeys = dataKeysOf(keys)),
    calls,
    hooks,
    clock,
    /** What was asked of the Connector. */
    trusted,
    schema: subgraph.schema,
    plans: createPlanService(context),
    as,
    work,
    /** Computes the plans of all stale runtimes; how many there were. */
    plan: async (): Promise<number> => {
      let planned = 0;
      for (;;) {
        const some = await work("staleRuntime", (piece) => planRuntime(context, piece));
        if (some === 0) return planned;
        planned += some;
      }
    },
    /** A tenant of its own, with its admin. */
    async tenant() {
      const id = await inside.seedTenant();
      const admin = as({
        tenant: id,
        consumer: { type: "USER", id: inside.newID() },
        scopes: everyScope,
      });
      return {
        id,
        admin,
        with: (...held: string[]): Speaker =>
          as({ tenant: id, consumer: { type: "USER", id: inside.newID() }, scopes: held }),
        runtime: (runtimeID: string): Speaker =>
          as({ tenant: id, consumer: { type: "RUNTIME", id: runtimeID }, scopes: runtimeScopes }),
        /** What a runtime's agent reports of health. */
        reportHealth: (runtimeID: string, health: HealthReport): Promise<void> =>
          noteHealth(
            context,
            { tenant: id, consumer: { type: "RUNTIME", id: runtimeID }, scopes: runtimeScopes },
            health,
          ),
        application: (applicationID: string): Speaker =>
          as({
            tenant: id,
            consumer: { type: "APPLICATION", id: applicationID },
            scopes: applicationScopes,
          }),
      };
    },
    async close() {
      await Promise.all([
        context.schemas.close(),
        context.specifications.close(),
        refusals.close(),
      ]);
      await inside.close();
    },
  };
}

/** See {@link startDirector}. */
export type TestDirector = Awaited<ReturnType<typeof startDirector>>;
/** A tenant with its people. */
export type TestTenant = Awaited<ReturnType<TestDirector["tenant"]>>;

/** Registers an application in these groups; its id. */
export async function anApplication(
  { admin }: Pick<TestTenant, "admin">,
  name: string,
  more: Variables = {},
): Promise<string> {
  const { made } = await admin.ask(
    `mutation($in: ApplicationRegisterInput!) { made: registerApplication(in: $in) { id } }`,
    { in: { name, ...more } },
  );
  return made.id as string;
}

/** Registers a runtime; its id. */
export async function aRuntime(
  { admin }: Pick<TestTenant, "admin">,
  name: string,
  more: Variables = {},
): Promise<string> {
  const { made } = await admin.ask(
    `mutation($in: RuntimeInput!) { made: registerRuntime(in: $in) { id } }`,
    { in: { name, ...more } },
  );
  return made.id as string;
}

/** Adds a bundle; its id. */
export async function aBundle(
  { admin }: Pick<TestTenant, "admin">,
  applicationID: string,
  more: Variables = {},
): Promise<string> {
  const { made } = await admin.ask(
    `mutation($of: ID!, $in: BundleCreateInput!) { made: addBundle(applicationID: $of, in: $in) { id } }`,
    { of: applicationID, in: { name: "bundle", ...more } },
  );
  return made.id as string;
}

/** A credential of user name and password. */
export const basicAuth = (password: string) => ({
  credential: { basic: { username: "user", password } },
});
