import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  aBundle,
  anApplication,
  aRuntime,
  basicAuth,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";
import { KEPT_PLANS } from "./plan.ts";
import { planRuntime } from "./planner.ts";

let director: TestDirector;
let tenant: TestTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

type Plan = { revision: number; cause: string; applications: any[]; rules: any[]; runtime: any };
const planOf = async (id: string): Promise<Plan> => {
  await director.plan();
  const served = await director.plans.current(tenant.runtime(id).identity);
  if (served === undefined) throw new Error("there is no plan");
  return JSON.parse(String(served.body)) as Plan;
};
const label = (noun: "Application" | "Runtime", id: string, key: string, value: unknown) =>
  tenant.admin.ask(
    `mutation($id: ID!, $key: String!, $value: Any!) { set${noun}Label(${noun.toLowerCase()}ID: $id, key: $key, value: $value) { key } }`,
    { id, key, value },
  );

describe("a plan", () => {
  it("has what the runtime may use, and its own credentials in clear", async () => {
    const application = await anApplication(tenant, "shop", {
      labels: { group: ["whole"], zone: 1 },
    });
    const bundle = await aBundle(tenant, application, {
      name: "orders",
      defaultInstanceAuth: basicAuth("not-for-plans"),
      apiDefinitions: [
        {
          name: "api",
          targetURL: "https://shop.example/api",
          version: { value: "1.2.3" },
          spec: { type: "OPEN_API", format: "JSON", data: '{"openapi":"3.0.0"}' },
        },
      ],
      eventDefinitions: [{ name: "sold" }],
      documents: [
        { title: "t", displayName: "d", description: "", format: "MARKDOWN", data: "# d" },
      ],
    });
    const runtime = await aRuntime(tenant, "whole", { labels: { group: ["whole"] } });
    const neighbour = await aRuntime(tenant, "whole-2", { labels: { group: ["whole"] } });
    for (const [to, password] of [
      [runtime, "mine"],
      [neighbour, "theirs"],
    ] as const)
      await tenant
        .application(application)
        .ask(
          `mutation($b: ID!, $in: BundleInstanceAuthCreateInput!) { createBundleInstanceAuth(bundleID: $b, in: $in) { id } }`,
          { b: bundle, in: { runtimeID: to, auth: basicAuth(password) } },
        );
    const plan = await planOf(runtime);
    expect(plan).toMatchObject({
      runtime: { id: runtime, name: "whole", labels: { group: ["whole"] } },
      applications: [
        {
          id: application,
          name: "shop",
          labels: { group: ["whole"], zone: 1 },
          bundles: [
            {
              id: bundle,
              apiDefinitions: [
                {
                  name: "api",
                  targetURL: "https://shop.example/api",
                  version: { value: "1.2.3" },
                  spec: { type: "OPEN_API", hash: expect.stringMatching(/^[0-9a-f]{64}$/) },
                },
              ],
              eventDefinitions: [{ name: "sold" }],
              documents: [{ title: "t", hash: expect.any(String) }],
              credentials: [
                { auth: { credential: { basic: { username: "user", password: "mine" } } } },
              ],
            },
          ],
        },
      ],
      rules: [{ applicationID: application, mayCall: ["https://shop.example/api"] }],
    });
    expect(JSON.stringify(plan)).not.toMatch(/theirs|not-for-plans|stranger/);
  });

  it("of equal content makes no new revision, and tells nobody", async () => {
    const runtime = await aRuntime(tenant, "calm", { labels: { group: ["calm"] } });
    const first = await planOf(runtime);
    expect(first.revision).toBe(1);
    await label("Runtime", runtime, "zone", "a");
    expect((await planOf(runtime)).revision).toBe(2);
    const position = (
      await director.inside.registry.watch({ after: null, types: ["plan.changed"], waitSeconds: 0 })
    ).position;
    await label("Runtime", runtime, "zone", "a");
    expect(await director.plan()).toBe(1);
    expect((await planOf(runtime)).revision).toBe(2);
    const { events } = await director.inside.registry.watch({
      after: position,
      types: ["plan.changed"],
      waitSeconds: 0,
    });
    // What is told of the second revision may come late; there is no third.
    const newer = events.filter(({ id, data }) => id === runtime && Number(data["revision"]) > 2);
    expect(newer).toEqual([]);
  });

  it("shows one of two applications that are relabelled, and never both or what it lost", async () => {
    const production = await anApplication(tenant, "in-production", {
      labels: { group: ["production"] },
    });
    const stage = await anApplication(tenant, "in-stage", { labels: { group: ["stage"] } });
    const runtime = await aRuntime(tenant, "in-production", { labels: { group: ["production"] } });
    const names = async () =>
      (await planOf(runtime)).applications.map(({ name }) => name as string);
    expect(await names()).toEqual(["in-production"]);
    await label("Application", production, "group", ["stage"]);
    await label("Application", stage, "group", ["production"]);
    expect(await names()).toEqual(["in-stage"]);
    await label("Runtime", runtime, "group", ["stage"]);
    expect(await names()).toEqual(["in-production"]);
  });

  it("is never one of two groups at once, however often the runtime moves while plans are computed", async () => {
    await anApplication(tenant, "left", { labels: { group: ["left"] } });
    await anApplication(tenant, "right", { labels: { group: ["right"] } });
    const runtime = await aRuntime(tenant, "mover", { labels: { group: ["left"] } });
    await director.plan();
    let moving = true;
    const seen = new Set<string>();
    const planning = (async () => {
      while (moving) {
        const plan = await planOf(runtime);
        seen.add(plan.applications.map(({ name }) => name as string).join());
      }
    })();
    for (let move = 0; move < 20; move += 1)
      await label("Runtime", runtime, "group", [move % 2 === 0 ? "right" : "left"]);
    moving = false;
    await planning;
    for (const names of seen) expect(["left", "right"]).toContain(names);
    expect((await planOf(runtime)).applications.map(({ name }) => name as string)).toEqual([
      "left",
    ]);
  });

  it("follows every change of what is in it", async () => {
    const application = await anApplication(tenant, "followed", {
      labels: { group: ["followed"] },
    });
    const runtime = await aRuntime(tenant, "follower", { labels: { group: ["followed"] } });
    const { admin } = tenant;
    let last = await planOf(runtime);
    const ids: Record<string, string> = {};
    const changes: readonly (readonly [string, string | undefined])[] = [
      [`x: updateApplication(id: "${application}", in: { description: "new" }) { id }`, undefined],
      [`x: addBundle(applicationID: "${application}", in: { name: "b" }) { id }`, "bundle"],
      [`x: updateBundle(id: "$bundle", in: { name: "b2" }) { id }`, undefined],
      [
        `x: addAPIDefinitionToBundle(bundleID: "$bundle", in: { name: "a", targetURL: "https://x.example" }) { id }`,
        "api",
      ],
      [
        `x: updateAPIDefinition(id: "$api", in: { name: "a", targetURL: "https://y.example" }) { id }`,
        undefined,
      ],
      [`x: addEventDefinitionToBundle(bundleID: "$bundle", in: { name: "e" }) { id }`, "event"],
      [`x: updateEventDefinition(id: "$event", in: { name: "e2" }) { id }`, undefined],
      [
        `x: addDocumentToBundle(bundleID: "$bundle", in: { title: "t", displayName: "d", description: "", format: MARKDOWN }) { id }`,
        "document",
      ],
      [
        `x: createBundleInstanceAuth(bundleID: "$bundle", in: { runtimeID: "${runtime}", auth: { credential: { basic: { username: "u", password: "p" } } } }) { id }`,
        "auth",
      ],
      [
        `x: updateBundleInstanceAuth(id: "$auth", in: { auth: { credential: { basic: { username: "u", password: "q" } } } }) { id }`,
        undefined,
      ],
      [`x: requestBundleInstanceAuthDeletion(authID: "$auth") { id }`, undefined],
      [`x: deleteAPIDefinition(id: "$api") { id }`, undefined],
      [`x: deleteEventDefinition(id: "$event") { id }`, undefined],
      [`x: deleteDocument(id: "$document") { id }`, undefined],
      [`x: deleteBundle(id: "$bundle") { id }`, undefined],
      [`x: updateRuntime(id: "${runtime}", in: { name: "follower-2" }) { id }`, undefined],
      [
        `x: setApplicationLabel(applicationID: "${application}", key: "zone", value: 1) { id: key }`,
        undefined,
      ],
      [
        `x: deleteApplicationLabel(applicationID: "${application}", key: "zone") { id: key }`,
        undefined,
      ],
      [`x: unregisterApplication(id: "${application}") { id }`, undefined],
    ];
    for (const [text, name] of changes) {
      const { x } = await admin.ask(
        `mutation { ${text.replaceAll(/\$(\w+)/g, (_, key: string) => ids[key] as string)} }`,
      );
      if (name !== undefined) ids[name] = x.id as string;
      const plan = await planOf(runtime);
      expect([text, plan.revision]).toEqual([text, last.revision + 1]);
      last = plan;
    }
    expect(last.applications).toEqual([]);
  });

  it("of a runtime that was unregistered meanwhile is not made, and its mark is gone", async () => {
    const runtime = await aRuntime(tenant, "short-lived");
    const seen: string[] = [];
    await director.work("staleRuntime", async (work) => {
      seen.push(work.id);
      if (work.id === runtime)
        await tenant.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
          id: runtime,
        });
      return planRuntime(director.context, work);
    });
    expect(seen).toContain(runtime);
    expect(await director.plan()).toBe(0);
  });

  it("computed by two planners at once has one revision", async () => {
    const runtime = await aRuntime(tenant, "contended");
    const [work] = (
      await director.inside.registry.claim({
        queue: "staleRuntime",
        max: 500,
        leaseSeconds: 60,
        waitSeconds: 0,
      })
    ).filter(({ id }) => id === runtime);
    if (work === undefined) throw new Error("the runtime is not stale");
    const outcomes = await Promise.all([1, 2, 3].map(() => planRuntime(director.context, work)));
    expect(outcomes.some(({ done }) => done)).toBe(true);
    expect((await planRuntime(director.context, work)).done).toBe(true);
    expect((await planOf(runtime)).revision).toBe(1);
  });

  it("is kept with so many before it, and no more", async () => {
    const runtime = await aRuntime(tenant, "old-plans");
    for (let index = 0; index < KEPT_PLANS + 5; index += 1) {
      await label("Runtime", runtime, "nr", index);
      await director.plan();
    }
    const rows = await storedRows(director.inside.database, tenant.id);
    const plans = rows.filter((row) => row.startsWith("plan ") && row.includes(runtime));
    expect(plans).toHaveLength(KEPT_PLANS);
  });
});

describe("an agent's report", () => {
  const sync = async (id: string) =>
    (
      await tenant.admin.ask(
        `query($id: ID!) { runtime(id: $id) { syncState { desiredRevision appliedRevision applied ready lastError } } }`,
        { id },
      )
    ).runtime.syncState;
  const report = (id: string, revision: number, more: object = {}) =>
    director.plans.report(tenant.runtime(id).identity, {
      revision,
      applied: true,
      ready: true,
      items: [],
      health: [],
      ...more,
    });
  const readyTold = async (): Promise<number> => {
    let count = 0;
    await director.work("delivery", async ({ type }) => {
      if (type === "runtime.ready") count += 1;
      return { done: true, values: { state: "DELIVERED" } };
    });
    return count;
  };
  const watched = async (name: string) => {
    const group = [name];
    await anApplication(tenant, name, {
      labels: { group },
      webhooks: [{ type: "CONFIGURATION_CHANGED", url: "https://x.example" }],
    });
    const runtime = await aRuntime(tenant, name, { labels: { group } });
    await director.plan();
    await readyTold();
    return runtime;
  };

  it("moves the state on and never back, whatever comes late", async () => {
    const id = await watched("late");
    await label("Runtime", id, "a", 1);
    await director.plan();
    await report(id, 2);
    expect(await sync(id)).toMatchObject({
      desiredRevision: 2,
      appliedRevision: 2,
      applied: true,
      ready: true,
    });
    await report(id, 1, { applied: false, ready: false });
    expect(await sync(id)).toMatchObject({ appliedRevision: 2, applied: true, ready: true });
    await label("Runtime", id, "a", 2);
    await director.plan();
    expect(await sync(id)).toMatchObject({
      desiredRevision: 3,
      appliedRevision: 2,
      applied: false,
    });
    await report(id, 2);
    expect(await sync(id)).toMatchObject({ appliedRevision: 2, applied: false });
    await expect(report(id, 4)).rejects.toMatchObject({ code: "INVALID_DATA" });
  });

  it("that the runtime is ready is told once each time it comes to be so", async () => {
    const id = await watched("readiness");
    await report(id, 1);
    expect(await readyTold()).toBe(1);
    await report(id, 1);
    await label("Runtime", id, "a", 1);
    await director.plan();
    await readyTold();
    await report(id, 2);
    expect(await readyTold()).toBe(0);
    await report(id, 2, {
      ready: false,
      items: [{ id: "x", applied: true, ready: false, message: "down" }],
    });
    expect(await sync(id)).toMatchObject({ ready: false, lastError: "x: down" });
    await report(id, 2);
    expect(await readyTold()).toBe(1);
    expect((await sync(id)).lastError).toBeNull();
  });

  it("that is sent several times at once is told once, and the last word is not lost", async () => {
    const id = await watched("at-once");
    await Promise.all(Array.from({ length: 6 }, () => report(id, 1)));
    expect(await readyTold()).toBe(1);
    await Promise.all([
      report(id, 1, { ready: false }),
      label("Runtime", id, "a", 1).then(() => director.plan()),
    ]);
    expect((await sync(id)).ready).toBe(false);
  });

  it("is a runtime's about itself", async () => {
    const id = await watched("spoken-for");
    const application = await anApplication(tenant, "speaks-for");
    await expect(
      director.plans.report(tenant.application(application).identity, {
        revision: 1,
        applied: true,
        ready: true,
        items: [],
        health: [],
      }),
    ).rejects.toMatchObject({ code: "INSUFFICIENT_SCOPES" });
    expect((await sync(id)).ready).toBe(false);
    const other = await director.tenant();
    await expect(director.plans.current(other.runtime(id).identity)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });
});
