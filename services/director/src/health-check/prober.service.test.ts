import { silentLogger } from "@sextant/logging";
import {
  type Claimed,
  type Outcome,
  readList,
  readOne,
  startWorker,
} from "@sextant/registry-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  anApplication,
  startDirector,
  type TestDirector,
  type TestTenant,
  type Variables,
} from "../../test/given.ts";
import { startTestServer, type TestServer } from "../../test/test-server.ts";
import { createOutbound, type Outbound } from "../outbound/outbound-client.ts";
import { KEPT_CHANGES } from "./health-check.ts";
import { createProber, pauseUntilNext } from "./prober.ts";

let director: TestDirector;
let tenant: TestTenant;
let server: TestServer;
let outbound: Outbound;
let probe: (work: Claimed<"healthProbe">) => Promise<Outcome>;
const never = new AbortController().signal;
const times = { interval: 30, timeout: 1 };

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  server = await startTestServer();
  outbound = createOutbound({ allowPrivateTargets: true });
  const prober = createProber(director.context, outbound, times, () => 0.5);
  probe = (work) => prober(work, never);
});
afterAll(async () => {
  await outbound.close();
  await server.close();
  await director.close();
});
beforeEach(() => server.reset());

const type = "MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK";
const answer = (status: number) => {
  server.answer = (_request, response) => response.writeHead(status).end();
};
let count = 0;
const aProbed = async (more: Variables = {}): Promise<string> => {
  count += 1;
  return anApplication(tenant, `probed-${count}`, {
    healthCheckURL: `${server.base}/health/${count}`,
    ...more,
  });
};
/** Looks once at everything, as if it were due now. */
const look = () =>
  director.work("healthProbe", async (one) => {
    const { nextAttemptAt: _later, ...outcome } = await probe(one);
    return outcome;
  });
const checks = async (origin: string, who = tenant.admin) =>
  (
    await who.ask(
      `query($origin: ID) { healthChecks(origin: $origin) { totalCount data { type condition origin runtimeID message timestamp } } }`,
      { origin },
    )
  ).healthChecks.data;
const status = async (id: string) =>
  (
    await tenant.admin.ask(`query($id: ID!) { application(id: $id) { status { condition } } }`, {
      id,
    })
  ).application.status.condition;
const update = (id: string, values: Variables) =>
  tenant.admin.ask(
    `mutation($id: ID!, $in: ApplicationUpdateInput!) { updateApplication(id: $id, in: $in) { id } }`,
    { id, in: values },
  );
const remove = (id: string) =>
  tenant.admin.ask(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, { id });
const probeRow = (id: string) =>
  readOne(
    director.inside.registry,
    tenant.id,
    "healthProbe",
    { op: "equals", field: "id", value: { param: "id" } },
    ["url", "condition", "failures", "nextAttemptAt"],
    { id },
  );

describe("an application with a healthCheckURL", () => {
  it("is asked, and only a change of what is found is kept", async () => {
    const id = await aProbed();
    answer(204);
    for (let times = 0; times < 3; times += 1) await look();
    expect(await checks(id)).toEqual([
      {
        type,
        condition: "SUCCEEDED",
        origin: id,
        runtimeID: null,
        message: null,
        timestamp: expect.any(String),
      },
    ]);
    expect(server.heard).toHaveLength(3);
    expect(await status(id)).toBe("INITIAL");
    await remove(id);
    expect(await checks(id)).toEqual([]);
    expect(await look()).toBe(0);
  });

  it("is FAILED after two failures in a row, and well again after one success", async () => {
    const id = await aProbed();
    answer(200);
    await look();
    answer(503);
    await look();
    expect(await checks(id)).toHaveLength(1);
    answer(200);
    await look();
    answer(503);
    await look();
    await look();
    expect(await status(id)).toBe("FAILED");
    await look();
    const found = await checks(id);
    expect(found.map((one: { condition: string }) => one.condition)).toEqual([
      "SUCCEEDED",
      "FAILED",
    ]);
    expect(found[1].message).toBe("the application answered 503");
    answer(200);
    await look();
    expect(await status(id)).toBe("INITIAL");
    await tenant.application(id).ask("{ viewer { id } }");
    await remove(id);
  });

  it("is CONNECTED again when it was ever heard, and what it says of itself stays", async () => {
    const id = await aProbed();
    await director.inside.registry.commit({
      id: director.context.newID(),
      tenant: tenant.id,
      actor: { type: "SERVICE", id: "director" },
      action: "seen",
      observed: true,
      params: {},
      steps: [
        {
          op: "update",
          kind: "application",
          id,
          values: { lastSeen: new Date().toISOString() },
          quiet: true,
        },
      ],
    });
    answer(500);
    await look();
    await look();
    expect(await status(id)).toBe("FAILED");
    answer(200);
    await look();
    expect(await status(id)).toBe("CONNECTED");
    answer(500);
    await look();
    await look();
    await update(id, {
      healthCheckURL: (await probeRow(id))?.url,
      statusCondition: "CONNECTED",
    });
    answer(200);
    await look();
    expect(await status(id)).toBe("CONNECTED");
    await update(id, { healthCheckURL: (await probeRow(id))?.url, statusCondition: "FAILED" });
    await look();
    expect(await status(id)).toBe("FAILED");
    await remove(id);
  });

  it("tells its webhooks of the change, makes no plan stale, and keeps a bounded history", async () => {
    const id = await aProbed({
      webhooks: [{ type: "CONFIGURATION_CHANGED", url: `${server.base}/hook` }],
    });
    await director.plan();
    for (let times = 0; times < KEPT_CHANGES; times += 1) {
      answer(times % 2 === 0 ? 500 : 200);
      await look();
      await look();
    }
    answer(500);
    await look();
    await look();
    const found = await checks(id);
    expect(found).toHaveLength(KEPT_CHANGES);
    expect(found.at(-1).condition).toBe("FAILED");
    expect(await director.plan()).toBe(0);
    const deliveries = await director.inside.registry.claim({
      queue: "delivery",
      max: 100,
      leaseSeconds: 60,
      waitSeconds: 0,
    });
    expect(deliveries).toHaveLength(KEPT_CHANGES + 1);
    expect(deliveries[0]?.body).toMatchObject({
      type: "health.changed",
      data: { ids: { applicationID: id } },
    });
    const latest = await readList(
      director.inside.registry,
      tenant.id,
      "healthCheck",
      { op: "equals", field: "latest", value: { param: "yes" } },
      ["origin"],
      { yes: true },
      100,
    );
    expect(latest).toEqual([{ origin: id }]);
    await remove(id);
  });

  it("is asked anew at once when the URL is another, and no more when there is none", async () => {
    const id = await aProbed();
    answer(500);
    await look();
    await look();
    const old = (await probeRow(id))?.url as string;
    const due = await director.work("healthProbe", (one) => probe(one));
    expect(due).toBe(1);
    const before = await probeRow(id);
    await update(id, { healthCheckURL: old });
    expect(await probeRow(id)).toEqual(before);
    expect(await status(id)).toBe("FAILED");
    await update(id, { healthCheckURL: `${server.base}/new` });
    expect(await probeRow(id)).toMatchObject({ condition: null, failures: 0 });
    expect(await status(id)).toBe("INITIAL");
    server.reset();
    answer(500);
    await look();
    await look();
    expect(server.heard.map(({ url }) => url)).toEqual(["/new", "/new"]);
    expect(await status(id)).toBe("FAILED");
    await update(id, {});
    expect(await probeRow(id)).toBeUndefined();
    expect(await status(id)).toBe("INITIAL");
    await update(id, { healthCheckURL: `${server.base}/again` });
    expect(await probeRow(id)).toMatchObject({ condition: null, failures: 0 });
    await remove(id);
  });

  it("whose answer comes after the URL was changed is judged by the new one", async () => {
    const id = await aProbed();
    answer(500);
    await look();
    let respond = (): void => {};
    const asked = new Promise<void>((resolve) => {
      server.answer = (_request, response) => {
        respond = () => void response.writeHead(500).end();
        resolve();
      };
    });
    const running = look();
    await asked;
    await update(id, { healthCheckURL: `${server.base}/new` });
    respond();
    await running;
    expect(await status(id)).toBe("INITIAL");
    expect(await checks(id)).toEqual([]);
    expect(await probeRow(id)).toMatchObject({ condition: null, failures: 0 });
    await remove(id);
  });

  it("is not well when it redirects, is silent, breaks off or cannot be found", async () => {
    const cases: readonly (readonly [TestServer["answer"], string])[] = [
      [
        (_request, response) => response.writeHead(302, { location: server.base }).end(),
        "the application answered 302",
      ],
      [() => undefined, "there was no answer within 1 seconds"],
      [
        (_request, response) => response.destroy(),
        "the application cannot be reached, or not understood",
      ],
    ];
    for (const [turn, message] of cases) {
      const id = await aProbed();
      server.answer = turn;
      await look();
      await look();
      expect((await checks(id)).at(-1)).toMatchObject({ condition: "FAILED", message });
      await remove(id);
    }
  }, 20_000);

  it("is asked by one Director at a time, and again when that one dies", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => aProbed()));
    answer(200);
    const { registry } = director.inside;
    const due = { queue: "healthProbe", waitSeconds: 0 } as const;
    expect(await registry.claim({ ...due, max: 3, leaseSeconds: 1 })).toHaveLength(3);
    const workers = [1, 2].map(() =>
      startWorker({
        registry,
        queue: "healthProbe",
        concurrency: 2,
        leaseSeconds: 30,
        handle: createProber(director.context, outbound, times, () => 0.5),
        log: silentLogger,
      }),
    );
    await expect.poll(() => server.heard.length, { timeout: 10_000 }).toBe(10);
    // Who is asked is heard before it has answered: a worker that ends then does not wait for that.
    for (const id of ids) await expect.poll(() => checks(id), { timeout: 10_000 }).toHaveLength(1);
    await Promise.all(workers.map((worker) => worker.close()));
    expect(server.heard).toHaveLength(10);
    for (const id of ids) await remove(id);
  }, 20_000);
});

describe("a private address", () => {
  it("is not asked on a plane that many share: neither named nor found by DNS", async () => {
    const shared = await startDirector({ allowPrivateTargets: false });
    const { admin } = await shared.tenant();
    expect(
      await admin.refusal(
        `mutation { registerApplication(in: { name: "a", healthCheckURL: "http://10.0.0.1/" }) { id } }`,
      ),
    ).toContain("healthCheckURL: must not be a private address");
    await shared.close();

    const careful = createOutbound({
      allowPrivateTargets: false,
      lookup: (_host, _options, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]),
    });
    const id = await aProbed({ healthCheckURL: `http://inside.example:${server.port}/` });
    answer(200);
    const prober = createProber(director.context, careful, times, () => 0.5);
    for (let round = 0; round < 2; round += 1)
      await director.work("healthProbe", async (one) => {
        const { nextAttemptAt: _later, ...outcome } = await prober(one, never);
        return outcome;
      });
    expect((await checks(id)).at(-1)).toMatchObject({
      condition: "FAILED",
      message: "the application cannot be reached, or not understood",
    });
    expect(server.heard).toEqual([]);
    await careful.close();
    await remove(id);
  });
});

it("looks are spread, and rarer the longer something is not well", () => {
  expect(pauseUntilNext(30, 0, () => 0)).toBe(27);
  expect(pauseUntilNext(30, 1, () => 0.5)).toBe(30);
  expect(pauseUntilNext(30, 3, () => 0.5)).toBe(60);
  expect(pauseUntilNext(30, 1_000, () => 0.5)).toBe(300);
});
