import { generateKeyPairSync } from "node:crypto";
import { createSigner } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { type Call, json, listenInternally, type Listener, type Reply } from "@sextant/service";
import { afterEach, describe, expect, it } from "vitest";
import { type Commit, RegistryUnavailableError, UNKNOWN_PLAN } from "./contract.ts";
import { createRegistryClient, type RegistryClient } from "./http-client.ts";
import type { ReadPlan } from "./read-plan.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const signer = createSigner({ service: "director", kid: "d", privateKey, now: Date.now });
const tenant = "01a1f875-2f8d-7773-adb0-d1f02822c030";
const plan: ReadPlan = { select: [{ as: "x", constant: "1" }] };

let server: Listener | undefined;
let client: RegistryClient | undefined;
afterEach(async () => {
  await client?.close();
  await server?.close(0);
  server = undefined;
});

type Body = Record<string, unknown>;

/** A Registry that answers as it is told, and a client of it. */
async function serve(answer: (body: Body, path: string) => Reply, port = 0): Promise<number> {
  const POST = async (call: Call) =>
    answer(JSON.parse((await call.body()).toString()) as Body, call.path);
  const paths = ["read", "commit", "watch", "claim", "settle", "find-secret", "find-tenant"].map(
    (verb) => `/v1/${verb}`,
  );
  const routes = paths.map((path) => ({ path, methods: { POST } }));
  server = await listenInternally({
    address: { host: "127.0.0.1", port },
    routes,
    tls: undefined,
    log: silentLogger,
  });
  return server.port;
}
const connect = (port: number, deadline = 5_000) => {
  client = createRegistryClient({ url: `http://127.0.0.1:${port}`, signer, deadline });
  return client;
};

describe("a plan", () => {
  it("is sent once, and again when the Registry has forgotten it", async () => {
    const bodies: Body[] = [];
    let known = false;
    const port = await serve((body) => {
      bodies.push(body);
      if (body["plan"] !== undefined) known = true;
      return known ? { status: 200, body: '{"x":1}' } : { status: UNKNOWN_PLAN };
    });
    const registry = connect(port);
    const read = () => registry.read({ tenant, plan, params: {} });
    expect(await read()).toEqual({ text: '{"x":1}', missing: [] });
    await read();
    // The same plan made anew is the same plan.
    await registry.read({ tenant, plan: structuredClone(plan), params: {} });
    expect(bodies.map((body) => body["plan"] !== undefined)).toEqual([true, false, false]);
    expect(new Set(bodies.map((body) => body["planHash"])).size).toBe(1);
    known = false;
    expect(await read()).toEqual({ text: '{"x":1}', missing: [] });
    expect(bodies.slice(3).map((body) => body["plan"] !== undefined)).toEqual([false, true]);
  });

  it("says what is missing in a header", async () => {
    const port = await serve(() => ({
      status: 200,
      headers: { "x-sextant-missing": "0,2" },
      body: "{}",
    }));
    expect(await connect(port).read({ tenant, plan, params: {} })).toEqual({
      text: "{}",
      missing: [0, 2],
    });
  });
});

describe("a Registry that cannot be reached", () => {
  const commit: Commit = {
    id: tenant,
    tenant,
    actor: { type: "USER", id: "u" },
    action: "t",
    steps: [],
    params: {},
  };

  it("is tried again until it is there, commits under the id they had", async () => {
    const port = await serve(() => ({ status: 503 }));
    await server?.close(0);
    const registry = connect(port);
    const pending = registry.commit(commit);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const ids: unknown[] = [];
    await serve((body) => {
      ids.push(body["id"]);
      return ids.length < 3 ? { status: 503 } : json({ ok: true, repeated: true });
    }, port);
    expect(await pending).toEqual({ ok: true, repeated: true });
    expect(ids).toEqual([tenant, tenant, tenant]);
  });

  it("is given up at the deadline, with an error of its own kind", async () => {
    const port = await serve(() => ({ status: 503 }));
    const registry = connect(port, 200);
    const began = Date.now();
    await expect(registry.read({ tenant, plan, params: {} })).rejects.toBeInstanceOf(
      RegistryUnavailableError,
    );
    await server?.close(0);
    await expect(registry.commit(commit)).rejects.toBeInstanceOf(RegistryUnavailableError);
    expect(Date.now() - began).toBeLessThan(2_000);
  });

  it("that is lost in the middle of a call is asked again", async () => {
    const lost = await serve(() => {
      // It ends at once, with the call still open, and another takes its place.
      void (server as Listener)
        .close(0)
        .then(() => serve(() => ({ status: 200, body: "1" }), lost));
      return new Promise<never>(() => undefined) as never;
    });
    expect(await connect(lost).read({ tenant, plan, params: {} })).toEqual({
      text: "1",
      missing: [],
    });
  });

  it("is not asked again by a caller who has gone", async () => {
    const port = await serve(() => ({ status: 503 }));
    const gone = new AbortController();
    const watching = connect(port).watch(
      { after: 0, types: ["plan.changed"], waitSeconds: 1 },
      gone.signal,
    );
    gone.abort();
    await expect(watching).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("an error of the Registry", () => {
  it("comes back as the typed error that it was, and is not tried again", async () => {
    let calls = 0;
    const port = await serve(() => {
      calls += 1;
      return json({ code: "FORBIDDEN", message: "no" }, 403);
    });
    await expect(connect(port).findTenant({ id: tenant })).rejects.toMatchObject({
      code: "FORBIDDEN",
      message: "no",
    });
    expect(calls).toBe(1);
  });

  it("that is not one of ours shows nothing of the answer", async () => {
    const port = await serve(() => ({ status: 500, body: "secret" }));
    const failed = connect(port).findTenant({ id: tenant });
    await expect(failed).rejects.toMatchObject({ code: "INTERNAL", message: "internal error" });
  });
});
