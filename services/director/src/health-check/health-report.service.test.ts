import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";
import { statusReport } from "../plan/plan.service.ts";

let director: TestDirector;
let tenant: TestTenant;
beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const type = "RUNTIME_HEALTHCHECK";
const report = async (runtime: string, health: readonly object[], revision = 0) =>
  director.plans.report(
    tenant.runtime(runtime).identity,
    statusReport.parse({ revision, applied: true, ready: true, health }),
  );
const query = `query($types: [HealthCheckType!], $origin: ID, $first: Int, $after: PageCursor) {
  healthChecks(types: $types, origin: $origin, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor } data { type condition origin runtimeID message } } }`;
const checks = async (variables: object, who = tenant.admin) =>
  (await who.ask(query, { first: 200, ...variables })).healthChecks.data;
const runtimeStatus = async (id: string) =>
  (await tenant.admin.ask(`query($id: ID!) { runtime(id: $id) { status { condition } } }`, { id }))
    .runtime.status.condition;

describe("a runtime's report of health", () => {
  it("of itself is kept when it changes, and is the runtime's status while it is FAILED", async () => {
    const runtime = await aRuntime(tenant, "own");
    await report(runtime, [{ condition: "SUCCEEDED", message: "fine" }]);
    await report(runtime, [{ condition: "SUCCEEDED" }]);
    await report(runtime, [{ condition: "FAILED", message: "disk full" }]);
    await report(runtime, [{ condition: "FAILED", message: "disk still full" }]);
    expect(await runtimeStatus(runtime)).toBe("FAILED");
    await report(runtime, [{ condition: "SUCCEEDED" }]);
    expect(await runtimeStatus(runtime)).toMatch(/INITIAL|CONNECTED/);
    const of = { type, origin: runtime, runtimeID: runtime };
    expect(await checks({ origin: runtime })).toEqual([
      { ...of, condition: "SUCCEEDED", message: null },
      { ...of, condition: "FAILED", message: "disk full" },
      { ...of, condition: "SUCCEEDED", message: null },
    ]);
  });

  it("of an application is kept for both of them, and only while they share a group", async () => {
    const group = ["report"];
    const application = await anApplication(tenant, "reached", { labels: { group } });
    const foreign = await anApplication(tenant, "foreign", { labels: { group: ["elsewhere"] } });
    const runtime = await aRuntime(tenant, "reaching", { labels: { group } });
    const other = await aRuntime(tenant, "other", { labels: { group } });
    await report(runtime, [
      { applicationID: application, condition: "FAILED", message: "refused" },
      { applicationID: foreign, condition: "FAILED" },
      { applicationID: director.context.newID(), condition: "SUCCEEDED" },
    ]);
    await report(other, [{ applicationID: application.toUpperCase(), condition: "SUCCEEDED" }]);
    const failed = {
      type,
      condition: "FAILED",
      origin: application,
      runtimeID: runtime,
      message: "refused",
    };
    const well = { ...failed, condition: "SUCCEEDED", runtimeID: other, message: null };
    expect(await checks({ origin: application })).toEqual([failed, well]);
    expect(await checks({ origin: foreign })).toEqual([]);
    expect(await checks({}, tenant.runtime(runtime))).toEqual([failed]);
    expect(await checks({}, tenant.application(application))).toEqual([failed, well]);
    expect(await checks({}, tenant.application(foreign))).toEqual([]);
    expect(await checks({ origin: application }, (await director.tenant()).admin)).toEqual([]);
    await tenant.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
      id: runtime,
    });
    expect(await checks({ origin: application })).toEqual([well]);
  });

  it("tells the application when it is not reached any more, and when it is again", async () => {
    const group = ["told"];
    const url = "https://hooks.example/";
    const application = await anApplication(tenant, "told", {
      labels: { group },
      webhooks: [{ type: "CONFIGURATION_CHANGED", url }],
    });
    const runtime = await aRuntime(tenant, "telling", { labels: { group } });
    const claim = async () => {
      const due = { queue: "delivery", max: 100, leaseSeconds: 60, waitSeconds: 0 } as const;
      return (await director.inside.registry.claim(due)).map(({ body }) => body);
    };
    await report(runtime, [{ applicationID: application, condition: "SUCCEEDED" }]);
    await claim();
    await report(runtime, [{ applicationID: application, condition: "FAILED" }]);
    await report(runtime, [{ applicationID: application, condition: "SUCCEEDED" }]);
    await report(runtime, [{ condition: "FAILED" }]);
    const ids = { applicationID: application, runtimeID: runtime };
    expect(await claim()).toMatchObject([
      { type: "health.changed", data: { ids } },
      { type: "health.changed", data: { ids } },
      { type: "health.changed", data: { ids: { runtimeID: runtime } } },
    ]);
  });

  it("that came at the same moment as another, or is older than the last, adds nothing", async () => {
    const runtime = await aRuntime(tenant, "twice");
    await Promise.all(
      [1, 2, 3].map(() => report(runtime, [{ condition: "FAILED" }]).catch(() => undefined)),
    );
    expect(await checks({ origin: runtime })).toHaveLength(1);
    await director.plan();
    await report(runtime, [], 1);
    await report(runtime, [{ condition: "SUCCEEDED" }], 0);
    expect(await checks({ origin: runtime })).toHaveLength(1);
  });

  it("is checked: who is named twice, an unknown condition, too many", () => {
    const faultsOf = (health: unknown) =>
      statusReport
        .safeParse({ revision: 0, applied: true, ready: true, health })
        .error?.issues.map(({ path }) => path.join("."));
    expect(faultsOf([{ condition: "SUCCEEDED" }])).toBeUndefined();
    expect(faultsOf([{ condition: "SUCCEEDED" }, { condition: "FAILED" }])).toEqual(["health"]);
    expect(faultsOf([{ condition: "MAYBE" }])).toEqual(["health.0.condition"]);
    expect(faultsOf([{ condition: "FAILED", applicationID: "x" }])).toEqual([
      "health.0.applicationID",
    ]);
    expect(faultsOf(Array.from({ length: 1001 }, () => ({ condition: "FAILED" })))).toContain(
      "health",
    );
  });
});

describe("healthChecks", () => {
  it("answers by type and in pages, the oldest first", async () => {
    const own = await director.tenant();
    const before = tenant;
    tenant = own;
    const runtime = await aRuntime(own, "paged");
    for (const condition of ["FAILED", "SUCCEEDED", "FAILED", "SUCCEEDED"])
      await report(runtime, [{ condition }]);
    const plane = "MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK";
    expect(await checks({ types: [type] })).toHaveLength(4);
    expect(await checks({ types: [type, plane, type] })).toHaveLength(4);
    expect(await checks({ types: [] })).toHaveLength(4);
    expect(await checks({ types: [plane] })).toEqual([]);
    expect(await checks({ types: [type], origin: "no id" })).toEqual([]);
    const first = (await own.admin.ask(query, { first: 3 })).healthChecks;
    expect([first.totalCount, first.data.length, first.pageInfo.hasNextPage]).toEqual([4, 3, true]);
    const rest = (await own.admin.ask(query, { first: 3, after: first.pageInfo.endCursor }))
      .healthChecks;
    expect([rest.data.length, rest.pageInfo.hasNextPage]).toEqual([1, false]);
    expect(await own.with("runtime:read").refusal(query, { first: 1 })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
    tenant = before;
  });
});
