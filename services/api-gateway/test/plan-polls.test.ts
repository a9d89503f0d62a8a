import { Agent } from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type ClientCertificate, type Plane, startPlane } from "./plane.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await startPlane();
}, 90_000);
afterAll(() => plane.close(), 30_000);

type Polling = { readonly has?: string; readonly wait?: number; readonly agent?: Agent };
const poll = (
  certificate: ClientCertificate,
  { has, wait, agent }: Polling = {},
): Promise<Answer> =>
  plane.send(`${plane.mtlsURL}/v1/runtime/plan`, {
    certificate,
    ...(agent === undefined ? {} : { agent }),
    headers: {
      ...(has === undefined ? {} : { "if-none-match": has }),
      ...(wait === undefined ? {} : { prefer: `wait=${wait}` }),
    },
  });
const aRuntime = async () => {
  const runtime = await plane.pair("Runtime", `polling-${randomUUID()}`);
  let tag = "";
  await expect
    .poll(async () => {
      const answer = await poll(runtime.certificate);
      tag = String(answer.headers.etag);
      return answer.status;
    })
    .toBe(200);
  return { ...runtime, tag };
};
const change = (id: string) =>
  plane.ask(
    `mutation($id: ID!, $v: Any!) { setRuntimeLabel(runtimeID: $id, key: "nr", value: $v) { key } }`,
    { id, v: randomUUID() },
  );
const timed = async <Value>(work: Promise<Value>): Promise<{ value: Value; took: number }> => {
  const started = performance.now();
  const value = await work;
  return { value, took: performance.now() - started };
};

describe("a poll", () => {
  it("gets the plan with its tag, and 304 for the tag that is current, in whatever form it comes", async () => {
    const { id, certificate, tag } = await aRuntime();
    const plan = await poll(certificate);
    expect(plan.headers["content-type"]).toMatch(/^application\/json/);
    expect(plan.json).toMatchObject({ revision: expect.any(Number), runtime: { id } });
    expect(tag).toMatch(/^"\d+-[0-9a-f]+"$/);
    for (const has of [tag, `W/${tag}`, `"1-old", ${tag}`, "*"]) {
      const answer = await poll(certificate, { has });
      expect([has, answer.status, answer.headers.etag, answer.text]).toEqual([has, 304, tag, ""]);
    }
    for (const has of ['"0-x"', tag.replaceAll('"', ""), `${tag}x`])
      expect([has, (await poll(certificate, { has })).status]).toEqual([has, 200]);
  });

  it("is held until the time is up, and is told that nothing has changed", async () => {
    const { certificate, tag } = await aRuntime();
    const { value, took } = await timed(poll(certificate, { has: tag, wait: 1 }));
    expect(value.status).toBe(304);
    expect(took).toBeGreaterThan(950);
    expect(took).toBeLessThan(3_000);
    expect((await poll(certificate, { has: tag, wait: 56 })).status).toBe(400);
  });

  it("that is held gets a change at once, and others' changes not at all", async () => {
    const [one, two] = [await aRuntime(), await aRuntime()];
    const other = poll(two.certificate, { has: two.tag, wait: 3 });
    const held = poll(one.certificate, { has: one.tag, wait: 20 });
    await pause(300);
    await change(one.id);
    const { value, took } = await timed(held);
    expect(took).toBeLessThan(1_000);
    expect(value.status).toBe(200);
    expect(value.headers.etag).not.toBe(one.tag);
    expect((await other).status).toBe(304);
  });

  it("loses no change that comes between two polls, and never goes back", async () => {
    const { id, certificate } = await aRuntime();
    const agent = new Agent({ keepAlive: true });
    let changing = true;
    const changes = (async () => {
      for (let index = 0; index < 15; index += 1) await change(id);
      changing = false;
    })();
    let has: string | undefined;
    let last = 0;
    while (changing) {
      const answer = await poll(certificate, {
        ...(has === undefined ? {} : { has }),
        wait: 1,
        agent,
      });
      if (answer.status !== 200) continue;
      expect(answer.json.revision).toBeGreaterThan(last);
      last = answer.json.revision as number;
      has = String(answer.headers.etag);
    }
    await changes;
    const { runtime } = await plane.ask(
      `query($id: ID!) { runtime(id: $id) { labels(key: "nr") } }`,
      { id },
    );
    await expect
      .poll(async () => (await poll(certificate)).json.runtime.labels.nr as string)
      .toBe(runtime.labels.nr);
    agent.destroy();
  });

  it("that is held ends when its certificate is revoked, and tells nothing more", async () => {
    const { id, certificate, tag } = await aRuntime();
    const held = poll(certificate, { has: tag, wait: 20 });
    await pause(200);
    await plane.ask(`mutation($id: ID!) { revokeCertificates(runtimeID: $id) }`, { id });
    const { value, took } = await timed(held);
    expect([value.status, value.text.includes(id)]).toEqual([401, false]);
    expect(took).toBeLessThan(3_000);
  });

  it("that is held ends when its runtime is unregistered", async () => {
    const { id, certificate, tag } = await aRuntime();
    const held = poll(certificate, { has: tag, wait: 20 });
    await pause(200);
    await plane.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, { id });
    const { value, took } = await timed(held);
    expect(value.status).toBe(401);
    expect(took).toBeLessThan(3_000);
  });

  it("by an application is refused, and so is its report", async () => {
    const { certificate } = await plane.pair("Application", `no-agent-${randomUUID()}`);
    expect((await poll(certificate)).status).toBe(403);
    const body = JSON.stringify({ revision: 1, applied: true, ready: true });
    const report = await plane.send(`${plane.mtlsURL}/v1/runtime/status`, { certificate, body });
    expect(report.status).toBe(403);
  });
});

describe("a report", () => {
  it("is taken, or says all that is wrong with it", async () => {
    const { id, certificate, tag } = await aRuntime();
    const revision = Number(/\d+/.exec(tag)?.[0]);
    const send = (body: unknown) =>
      plane.send(`${plane.mtlsURL}/v1/runtime/status`, {
        certificate,
        body: typeof body === "string" ? body : JSON.stringify(body),
      });
    expect((await send({ revision, applied: true, ready: true, items: [] })).status).toBe(204);
    const { runtime } = await plane.ask(
      `query($id: ID!) { runtime(id: $id) { syncState { applied ready } } }`,
      { id },
    );
    expect(runtime.syncState).toEqual({ applied: true, ready: true });
    const wrong = await send({ revision: -1, applied: "yes" });
    expect(wrong.status).toBe(400);
    for (const field of ["revision", "applied", "ready"])
      expect(wrong.json.message).toContain(`${field}: `);
    expect((await send("{")).status).toBe(400);
    expect((await send({ revision: 1000, applied: true, ready: true })).status).toBe(400);
  });
});

describe("while the registry is away", () => {
  it("nothing in memory is trusted, and what changed meanwhile is known when it is back", async () => {
    const { id, certificate, tag } = await aRuntime();
    const other = await aRuntime();
    await plane.services.registry.end();
    await expect.poll(() => plane.readiness(), { timeout: 5_000 }).toBeDefined();
    const away = await poll(certificate, { has: tag });
    expect([away.status, away.headers["retry-after"]]).toEqual([503, "1"]);
    expect((await plane.admin("{ viewer { id } }")).status).toBe(503);
    await plane.services.registry.start();
    await expect.poll(() => plane.readiness(), { timeout: 10_000 }).toBeUndefined();
    await plane.ask(`mutation($id: ID!) { revokeCertificates(runtimeID: $id) }`, { id });
    await pause(1_000);
    expect((await poll(certificate, { has: tag })).status).toBe(401);
    const held = poll(other.certificate, { has: other.tag, wait: 15 });
    await pause(200);
    await change(other.id);
    expect((await held).status).toBe(200);
  });
});

describe("the end of the gateway", () => {
  it("answers held polls at once, and takes the next ones after it is started again", async () => {
    const { certificate, tag } = await aRuntime();
    const held = Array.from({ length: 5 }, () => poll(certificate, { has: tag, wait: 50 }));
    await pause(300);
    const { took } = await timed(plane.restartGateway());
    for (const answer of await Promise.all(held)) expect(answer.status).toBe(304);
    expect(took).toBeLessThan(6_000);
    expect((await poll(certificate, { has: tag })).status).toBe(304);
  });
});
