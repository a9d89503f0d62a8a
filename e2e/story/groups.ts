/** The story's third part: groups decide which applications a runtime sees. */
import type { RegisteredApplication } from "./application.ts";
import type { Caller } from "./caller.ts";
import { namesIn, type PlanWatch, usersIn } from "./plans.ts";
import type { FollowedRuntime, ProvisionedRuntime } from "./runtime.ts";
import type { Stage } from "./stage.ts";

/** A runtime with what sees its plans. */
export interface WatchedRuntime {
  readonly id: string;
  readonly name: string;
  readonly plans: PlanWatch;
}

/** The runtimes whose plans can be seen: the story's own, and where its directory can be looked at, the provisioned one. */
export function watchedRuntimes(
  runtime: ProvisionedRuntime,
  watch: PlanWatch | undefined,
  edge: FollowedRuntime,
): WatchedRuntime[] {
  const own = { id: edge.id, name: edge.name, plans: edge.follower };
  return watch === undefined ? [own] : [{ id: runtime.id, name: runtime.name, plans: watch }, own];
}

/** An application as the groups' part needs it. */
export type GroupedApplication = Pick<RegisteredApplication, "id" | "name" | "labels">;

async function register(
  stage: Stage,
  base: string,
  labels: Readonly<Record<string, unknown>> | undefined,
): Promise<GroupedApplication> {
  const { registerApplication } = await stage.admin.ask<{
    registerApplication: GroupedApplication;
  }>(
    `mutation ($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id name labels } }`,
    {
      in: {
        name: stage.name(base),
        ...(labels && { labels }),
        bundles: [
          {
            name: base,
            apiDefinitions: [{ name: base, targetURL: `https://${base}.example.com/api` }],
          },
        ],
      },
    },
  );
  return registerApplication;
}

/** What a runtime sees by each way of looking. */
export interface View {
  /** `applicationsForRuntime`, asked by the admin. */
  readonly forRuntime: readonly string[];
  /** `applications`, asked by the runtime. */
  readonly ownList: readonly string[];
  readonly ownCount: number;
  /** `application(id)` of the other application, asked by the runtime. */
  readonly byID: unknown;
  /** Its plan. */
  readonly plan: readonly string[];
}

interface Page {
  readonly data: readonly { readonly name: string }[];
  readonly totalCount: number;
}

const names = ({ data }: Pick<Page, "data">): string[] => data.map(({ name }) => name).toSorted();

async function viewOf(stage: Stage, edge: FollowedRuntime, otherID: string): Promise<View> {
  const { applicationsForRuntime } = await stage.admin.ask<{ applicationsForRuntime: Page }>(
    `query ($id: ID!) { applicationsForRuntime(runtimeID: $id) { data { name } totalCount } }`,
    { id: edge.id },
  );
  const own = await edge.caller.ask<{ applications: Page; application: unknown }>(
    `query ($id: ID!) { applications { data { name } totalCount } application(id: $id) { name } }`,
    { id: otherID },
  );
  return {
    forRuntime: names(applicationsForRuntime),
    ownList: names(own.applications),
    ownCount: own.applications.totalCount,
    byID: own.application,
    plan: namesIn(edge.follower.newest() ?? ({ applications: [] } as never)),
  };
}

/** A second application, and what a runtime of another group sees of it. */
export interface InvisibleApplication {
  readonly warehouse: GroupedApplication;
  readonly view: View;
}

/** It is registered in the group `stage`; the runtimes are in `production`. */
export async function aSecondApplicationInAnotherGroupIsInvisible(
  stage: Stage,
  edge: FollowedRuntime,
): Promise<InvisibleApplication> {
  const warehouse = await register(stage, "warehouse", { group: [stage.name("stage")] });
  return { warehouse, view: await viewOf(stage, edge, warehouse.id) };
}

async function relabel(admin: Caller, runtimeID: string, group: readonly string[]): Promise<void> {
  await admin.ask(
    `mutation ($id: ID!, $value: Any!) { setRuntimeLabel(runtimeID: $id, key: "group", value: $value) { key value } }`,
    { id: runtimeID, value: group },
  );
}

/** What relabelling changed for each runtime. */
export interface Switch {
  /** Names in each plan that came, in order, by runtime. */
  readonly plans: Readonly<Record<string, readonly (readonly string[])[]>>;
  /** Users whose credentials are in the newest plan of each runtime. */
  readonly users: readonly (readonly string[])[];
}

/** Relabels every runtime and waits until each has a plan with just these applications. */
async function moveTo(
  stage: Stage,
  runtimes: readonly WatchedRuntime[],
  group: readonly string[] | undefined,
  expected: readonly string[],
): Promise<Switch> {
  const plans: Record<string, readonly (readonly string[])[]> = {};
  for (const { id, name, plans: watch } of runtimes) {
    const before = watch.seen.length;
    if (group !== undefined) await relabel(stage.admin, id, group);
    else
      await stage.admin.ask(
        `mutation ($id: ID!) { deleteRuntimeLabel(runtimeID: $id, key: "group") { key value } }`,
        { id },
      );
    await watch.until(
      `of ${name} with just ${expected.join(", ")}`,
      (plan) => namesIn(plan).join() === expected.join(),
    );
    plans[name] = watch.seen.slice(before).map(({ plan }) => namesIn(plan));
    stage.report.seen(`${name}: plan ${watch.newest()?.revision} has ${expected.join(", ")}`);
  }
  return { plans, users: runtimes.map(({ plans: watch }) => usersIn(watch.newest() as never)) };
}

/** The other application appears and the first one vanishes, in one plan. */
export function relabellingTheRuntimeSwapsTheApplications(
  stage: Stage,
  runtimes: readonly WatchedRuntime[],
  warehouse: GroupedApplication,
): Promise<Switch> {
  return moveTo(stage, runtimes, [stage.name("stage")], [warehouse.name]);
}

/** And back. */
export function relabellingTheRuntimeBackBringsTheShopWithItsCredentials(
  stage: Stage,
  runtimes: readonly WatchedRuntime[],
  shop: Pick<RegisteredApplication, "name">,
): Promise<Switch> {
  return moveTo(stage, runtimes, [stage.name("production")], [shop.name]);
}

/** How the default group behaved. */
export interface DefaultGroup {
  /** Labels of an application that was registered without any. */
  readonly withoutLabels: unknown;
  /** Label `group` of the runtime after its last explicit one was removed. */
  readonly runtimeAfterRemoval: unknown;
  /** The runtimes' plans then. */
  readonly inDefault: Switch;
  /** Label `group` of the application after its first explicit one. */
  readonly afterFirstExplicit: unknown;
  /** Applications in the runtimes' plans then. */
  readonly plansThen: readonly (readonly string[])[];
  /** Label `group` of the application after that one was removed again. */
  readonly afterRemoval: unknown;
  readonly catalog: GroupedApplication;
}

/** Who is in no other group is in the default group, and nobody is in none. */
export async function whoeverIsInNoGroupIsInTheDefaultGroup(
  stage: Stage,
  runtimes: readonly WatchedRuntime[],
): Promise<DefaultGroup> {
  const { admin } = stage;
  const catalog = await register(stage, "catalog", undefined);
  const others = await admin.ask<{ applications: Page }>(
    `query ($filter: [LabelFilter!]) { applications(filter: $filter) { data { name } } }`,
    { filter: [{ key: "group", query: '$[*] ? (@ == "default")' }] },
    { quiet: true },
  );
  // Whatever else the plane has in that group is seen too.
  const inDefault = await moveTo(stage, runtimes, undefined, names(others.applications));
  const [first] = runtimes;
  const labelOf = async (kind: "application" | "runtime", id: string): Promise<unknown> => {
    const answer = await admin.ask<Record<string, { labels: { group?: unknown } | null }>>(
      `query ($id: ID!) { ${kind}(id: $id) { labels(key: "group") } }`,
      { id },
    );
    return answer[kind]?.labels?.group;
  };
  const runtimeAfterRemoval = await labelOf("runtime", first?.id ?? "");
  await admin.ask(
    `mutation ($id: ID!, $value: Any!) { setApplicationLabel(applicationID: $id, key: "group", value: $value) { key value } }`,
    { id: catalog.id, value: ["archive"] },
  );
  const afterFirstExplicit = await labelOf("application", catalog.id);
  const plansThen: string[][] = [];
  for (const { name, plans } of runtimes) {
    const { plan } = await plans.until(
      `of ${name} without ${catalog.name}`,
      (newest) => !namesIn(newest).includes(catalog.name),
    );
    plansThen.push(namesIn(plan));
  }
  await admin.ask(
    `mutation ($id: ID!) { deleteApplicationLabel(applicationID: $id, key: "group") { key value } }`,
    { id: catalog.id },
  );
  const afterRemoval = await labelOf("application", catalog.id);
  const withoutLabels = catalog.labels;
  return {
    ...{ withoutLabels, runtimeAfterRemoval, inDefault, afterFirstExplicit },
    ...{ plansThen, afterRemoval, catalog },
  };
}
