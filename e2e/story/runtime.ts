/** The story's second part: a runtime is provisioned, pairs, gets its plan, and is given credentials. */
import type { Caller } from "./caller.ts";
import type { RegisteredApplication, RegisteredBundle } from "./application.ts";
import { requestToken } from "./application.ts";
import { type Paired, pairByHand, quietly } from "./pairing.ts";
import {
  type DirectoryWatch,
  type Follower,
  followPlans,
  namesIn,
  type Plan,
  usersIn,
  watchDirectory,
} from "./plans.ts";
import { isGenuine, type Received } from "./receiver.ts";
import type { Stage } from "./stage.ts";
import { until } from "./until.ts";

/** An operation of the provisioner. */
export interface Operation {
  readonly id: string;
  readonly operation: string;
  readonly state: string;
  readonly stage: string;
  readonly message: string;
  readonly runtimeID: string | null;
  readonly lastError: { readonly message: string } | null;
}

/** A runtime that was provisioned. */
export interface ProvisionedRuntime {
  readonly id: string;
  readonly name: string;
  /** As it was answered at once. */
  readonly asked: Operation;
  /** Different stages that were seen, in order. */
  readonly stages: readonly string[];
  readonly ended: Operation;
  /** The runtime, over all three services in one query. */
  readonly runtime: {
    readonly status: { readonly condition: string };
    readonly online: boolean;
    readonly syncState: {
      readonly applied: boolean;
      readonly ready: boolean;
      readonly appliedRevision: number;
    };
    readonly provisioning: { readonly runtimeConnectionStatus: { readonly status: string } };
    readonly certificates: {
      readonly data: readonly { readonly state: string; readonly subject: string }[];
    };
  };
  readonly took: number;
}

const OPERATION = "id operation state stage message runtimeID lastError { message }";

/** The provisioner registers it, starts its agent by the local driver and injects configuration and token. */
export async function anAdminProvisionsARuntime(
  stage: Stage,
  base = "factory",
): Promise<ProvisionedRuntime> {
  const { admin } = stage;
  const name = stage.name(base);
  const begun = performance.now();
  const { provisionRuntime: asked } = await admin.ask<{ provisionRuntime: Operation }>(
    `mutation ($config: ProvisionRuntimeInput!) { provisionRuntime(config: $config) { ${OPERATION} } }`,
    { config: { name, driver: "local", labels: { group: [stage.name("production")] } } },
  );
  const stages: string[] = [];
  const ended = await until(
    "the runtime is provisioned",
    async () => {
      const { runtimeOperationStatus: now } = await admin.ask<{
        runtimeOperationStatus: Operation;
      }>(
        `query ($id: String!) { runtimeOperationStatus(id: $id) { ${OPERATION} } }`,
        { id: asked.id },
        { quiet: true },
      );
      if (stages.at(-1) !== now.stage) {
        stages.push(now.stage);
        stage.report.seen(`operation ${now.operation}: ${now.state}, ${now.stage}: ${now.message}`);
      }
      return now.state !== "Pending" && now.state !== "InProgress" && now;
    },
    60_000,
    20,
  );
  if (ended.runtimeID === null || ended.state !== "Succeeded")
    throw new Error(
      `the operation ended ${ended.state}: ${ended.lastError?.message ?? ended.message}`,
    );
  const took = performance.now() - begun;
  const id = ended.runtimeID;
  const { runtime } = await until("the runtime is seen as connected", async () => {
    const answer = await admin.ask<{ runtime: ProvisionedRuntime["runtime"] }>(
      `query ($id: ID!) {
        runtime(id: $id) {
          name labels online status { condition }
          syncState { desiredRevision appliedRevision applied ready }
          provisioning { runtimeConnectionStatus { status errors } }
          certificates { data { subject state notAfter } }
        }
      }`,
      { id },
      { quiet: true },
    );
    return answer.runtime.status.condition === "CONNECTED" && answer;
  });
  return { id, name, asked, stages, ended, runtime, took };
}

/** The agent's directory as the story found it. */
export interface WrittenPlan {
  readonly plan: Plan;
  readonly applications: readonly string[];
  /** Permissions of the plan's file. */
  readonly mode: string;
}

/** Whether the agent has written what the runtime may use. */
export async function theAgentHasWrittenItsPlan(
  stage: Stage,
  watch: DirectoryWatch,
): Promise<WrittenPlan> {
  const { plan } = await watch.until("in the agent's directory", () => true);
  const applications = namesIn(plan);
  stage.report.seen(
    `plan.json: revision ${plan.revision}, applications ${applications.join(", ")}`,
  );
  return { plan, applications, mode: watch.mode() };
}

/** Starts to look at an agent's directory, where it can be seen. */
export function lookAtAgent(stage: Stage, runtimeID: string): DirectoryWatch | undefined {
  const directory = stage.plane.agentDirectory?.(runtimeID);
  if (directory === undefined) return undefined;
  const watch = watchDirectory(directory);
  stage.later(() => watch.stop());
  return watch;
}

/** A runtime whose agent is the story itself. */
export interface FollowedRuntime {
  readonly id: string;
  readonly name: string;
  readonly paired: Paired;
  readonly caller: Caller;
  readonly follower: Follower;
}

/** Registered by the admin, paired by hand, and polled by plain HTTP. */
export async function anotherRuntimePairsByHandAndPollsItsPlan(
  stage: Stage,
): Promise<FollowedRuntime> {
  const name = stage.name("edge");
  const { registerRuntime } = await stage.admin.ask<{ registerRuntime: { id: string } }>(
    `mutation ($in: RuntimeInput!) { registerRuntime(in: $in) { id name labels status { condition } } }`,
    { in: { name, labels: { group: [stage.name("production")] } } },
  );
  const token = await requestToken(stage, "Runtime", registerRuntime.id, { quiet: true });
  const paired = await pairByHand(quietly(stage), "edge", token, "P-256");
  stage.report.seen(`${name} paired as the application did: ${paired.verified}`);
  const caller = stage.paired(name, paired);
  await caller.send({ method: "GET", path: "/v1/runtime/plan", headers: { prefer: "wait=10" } });
  const follower = followPlans(caller);
  stage.later(() => follower.stop());
  await follower.until("of the runtime that pairs by hand", () => true);
  return { id: registerRuntime.id, name, paired, caller, follower };
}

/** A runtime as the application sees it. */
export interface SeenRuntime {
  readonly id: string;
  readonly name: string;
  readonly online: boolean;
  readonly status: { readonly condition: string };
}

const SEEN_RUNTIME =
  "query ($id: ID!) { runtime(id: $id) { id name online status { condition } } }";

/** From now on, whenever the application is told that a runtime is ready, it asks about that runtime at once. */
export function askWhenTold(
  stage: Stage,
  client: Caller,
): (runtimeID: string) => Promise<SeenRuntime> | undefined {
  const answers = new Map<string, Promise<SeenRuntime>>();
  stage.receiver.onMessage(({ type, data }) => {
    const id = data.ids["runtimeID"];
    if (type !== "runtime.ready" || id === undefined) return;
    const answer = client
      .ask<{ runtime: SeenRuntime }>(SEEN_RUNTIME, { id }, { quiet: true })
      .then(({ runtime }) => runtime);
    answer.catch(() => undefined);
    answers.set(id, answer);
  });
  return (runtimeID) => answers.get(runtimeID);
}

/** The message that a runtime is ready. */
export interface ReadyMessage extends Received {
  /** By the library that receivers use. */
  readonly genuine: boolean;
  /** The same with one byte of the body changed. */
  readonly genuineWhenChanged: boolean;
  /** The same with another secret. */
  readonly genuineByAnotherSecret: boolean;
  /** What the application was told when it asked for the rest at the moment when the message came. */
  readonly runtimeAtOnce: SeenRuntime | undefined;
}

/** By a signed webhook message, whose receiver asks for the rest over mTLS. */
export async function theShopIsToldThatTheRuntimeIsReady(
  stage: Stage,
  given: {
    readonly shop: RegisteredApplication;
    readonly client: Caller;
    readonly runtime: Pick<ProvisionedRuntime, "id">;
    readonly askedAtOnce: ReturnType<typeof askWhenTold>;
  },
): Promise<ReadyMessage> {
  const { shop, client, runtime, askedAtOnce } = given;
  const received = await stage.receiver.next(
    "the message that the runtime is ready",
    ({ type, data }) => type === "runtime.ready" && data.ids["runtimeID"] === runtime.id,
  );
  const secret = shop.signingSecret;
  const genuine = isGenuine(secret, received);
  const signature = received.headers["webhook-signature"];
  stage.report.seen(`POST ${stage.receiver.url}\n${received.body}`);
  stage.report.seen(`signature ${signature}: ${genuine ? "genuine" : "NOT GENUINE"}`);
  await client.ask(SEEN_RUNTIME, { id: runtime.id });
  return {
    ...received,
    genuine,
    genuineWhenChanged: isGenuine(secret, {
      ...received,
      body: received.body.replace("ready", "reads"),
    }),
    genuineByAnotherSecret: isGenuine(`whsec_${Buffer.alloc(32).toString("base64")}`, received),
    runtimeAtOnce: await askedAtOnce(runtime.id),
  };
}

/** How the credentials came to the runtime. */
export interface GivenCredentials {
  readonly id: string;
  readonly username: string;
  /** Milliseconds from the application's request to the agent's file; undefined where that cannot be seen. */
  readonly toFile: readonly number[] | undefined;
  /** Milliseconds from the application's request to the answer of the story's own held poll. */
  readonly toPoll: readonly number[];
  /** Changes that came to the story's own agent, the polls that it sent meanwhile, and those that brought nothing. */
  readonly changes: number;
  readonly polls: number;
  readonly pollsInVain: number;
  /** Polls that the gateway held just before; undefined where its metrics cannot be read. */
  readonly heldBefore: number | undefined;
  /** User names in the plan of each runtime afterwards. */
  readonly inPlan: readonly (readonly string[])[];
}

const CHANGES = 5;

/** The application gives credentials to both runtimes, and changes them a few times: each time they arrive at once. */
export async function theShopGivesTheRuntimesCredentials(
  stage: Stage,
  given: {
    readonly client: Caller;
    readonly bundle: Pick<RegisteredBundle, "id">;
    readonly runtime: Pick<ProvisionedRuntime, "id" | "name">;
    readonly watch: DirectoryWatch | undefined;
    readonly edge: FollowedRuntime;
  },
): Promise<GivenCredentials> {
  const { client, bundle, runtime, watch, edge } = given;
  const agents = watch === undefined ? 1 : 2;
  const heldBefore =
    stage.plane.services &&
    (await until("the agents' polls are held", async () => {
      const held = await heldPolls(stage);
      return held !== undefined && held >= agents && held;
    }));
  if (heldBefore !== undefined) stage.report.seen(`the gateway holds ${heldBefore} polls`);
  const passwordIs = (password: string) => (plan: Plan) => JSON.stringify(plan).includes(password);

  const toFile: number[] = [];
  const toPoll: number[] = [];
  let id = "";
  let edgeID = "";
  const pollsBefore = edge.follower.polls();
  const inVainBefore = edge.follower.unchanged();
  for (let change = 0; change <= CHANGES; change += 1) {
    const password = `secret-${change}-${stage.name("p")}`;
    const auth = { credential: { basic: { username: "factory", password } } };
    const begun = performance.now();
    if (change === 0) id = await createAuth(client, bundle.id, runtime.id, auth, false);
    else await updateAuth(client, id, auth);
    if (watch !== undefined) {
      const { at } = await watch.until("with the new credentials", passwordIs(password));
      toFile.push(at - begun);
    }

    const edgePassword = `edge-${password}`;
    const edgeAuth = { credential: { basic: { username: "edge", password: edgePassword } } };
    const edgeBegun = performance.now();
    if (change === 0) edgeID = await createAuth(client, bundle.id, edge.id, edgeAuth, true);
    else await updateAuth(client, edgeID, edgeAuth);
    const { at } = await edge.follower.until("with the new credentials", passwordIs(edgePassword));
    toPoll.push(at - edgeBegun);
  }
  const show = (values: readonly number[]): string =>
    values.map((value) => `${value.toFixed(0)} ms`).join(", ");
  if (watch !== undefined) stage.report.seen(`request to agent's plan.json: ${show(toFile)}`);
  stage.report.seen(`request to the answer of a held poll: ${show(toPoll)}`);
  const plans = [watch?.newest(), edge.follower.newest()];
  return {
    id,
    username: "factory",
    toFile: watch === undefined ? undefined : toFile,
    toPoll,
    changes: CHANGES + 1,
    polls: edge.follower.polls() - pollsBefore,
    pollsInVain: edge.follower.unchanged() - inVainBefore,
    heldBefore,
    inPlan: plans.flatMap((plan) => (plan === undefined ? [] : [usersIn(plan)])),
  };
}

async function createAuth(
  client: Caller,
  bundleID: string,
  runtimeID: string,
  auth: object,
  quiet: boolean,
): Promise<string> {
  const { createBundleInstanceAuth: made } = await client.ask<{
    createBundleInstanceAuth: { id: string };
  }>(
    `mutation ($bundleID: ID!, $in: BundleInstanceAuthCreateInput!) {
      createBundleInstanceAuth(bundleID: $bundleID, in: $in) { id runtimeID status { condition reason } }
    }`,
    { bundleID, in: { runtimeID, auth } },
    { quiet },
  );
  return made.id;
}

async function updateAuth(client: Caller, id: string, auth: object): Promise<void> {
  await client.ask(
    `mutation ($id: ID!, $in: BundleInstanceAuthUpdateInput!) {
      updateBundleInstanceAuth(id: $id, in: $in) { id revision }
    }`,
    { id, in: { auth } },
    { quiet: true },
  );
}

/** Polls that the gateway holds now, by its metrics. */
export async function heldPolls(stage: Pick<Stage, "plane">): Promise<number | undefined> {
  const gateway = stage.plane.services?.["api-gateway"];
  if (gateway === undefined) return undefined;
  const metrics = await (await fetch(`${gateway.opsURL}/metrics`)).text();
  return Number(/^sextant_held_polls(?:\{[^}]*\})? (\d+)/m.exec(metrics)?.[1]);
}
