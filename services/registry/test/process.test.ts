import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scopes } from "@sextant/identity";
import { createRegistryClient, type RegistryClient } from "@sextant/registry-client";
import { createTestDatabase, createTestKeys, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RegistryProcess } from "./registry-process.ts";

const adminTokenHash = "c".repeat(64);

let directory: string;
let test: TestDatabase;
let registry: RegistryProcess;
let client: RegistryClient;
let settings: Readonly<Record<string, string>>;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "sextant-test-"));
  test = await createTestDatabase();
  const bootstrap = join(directory, "bootstrap.json");
  writeFileSync(
    bootstrap,
    JSON.stringify({ tenant: { externalID: "default", name: "Default" }, adminTokenHash }),
  );
  settings = {
    DATABASE_URL: test.ownerURL,
    DATABASE_SERVICE_URL: test.serviceURL,
    SEXTANT_BOOTSTRAP_FILE: bootstrap,
  };
  registry = await RegistryProcess.create(settings);
  registry.start();
  await registry.ready();
  client = createRegistryClient({
    url: registry.url,
    signer: registry.keys.signerOf("api-gateway"),
    deadline: 20_000,
  });
});
afterAll(async () => {
  await client?.close();
  await registry?.close();
  await test?.close();
  rmSync(directory, { recursive: true, force: true });
});

const call = (path: string, init: RequestInit = {}) =>
  fetch(registry.url + path, { method: "POST", ...init });
const signed = async (service: "director" | "api-gateway" | "registry", keys = registry.keys) => ({
  authorization: keys.signerOf(service).ownAuthorization("registry"),
});

describe("the Registry's process", () => {
  it("makes the first tenant and the admin's token, once", async () => {
    const check = async () => {
      const token = await client.findBySecret("apiToken", adminTokenHash);
      const tenant = await client.findTenant({ externalID: "default" });
      expect(token).toMatchObject({ name: "admin", tenants: ["*"], tenant: tenant?.id });
      expect(token?.scopes).toEqual([...scopes]);
      return token?.id;
    };
    const first = await check();
    expect(await registry.end("SIGTERM")).toBe(0);
    registry.start();
    await registry.ready();
    expect(await check()).toBe(first);
  });

  it("answers nobody who is not a service of this plane", async () => {
    const body = JSON.stringify({ id: "01a1f875-2f8d-7773-adb0-d1f02822c030" });
    const statuses = [
      await call("/v1/find-tenant", { body }),
      await call("/v1/find-tenant", { body, headers: { authorization: "Bearer x" } }),
      await call("/v1/find-tenant", { body, headers: await signed("director", createTestKeys()) }),
      await call("/v1/find-tenant", { body, headers: await signed("registry") }),
      await call("/v1/find-tenant", { body, headers: await signed("director") }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 403, 200]);
  });

  it("refuses what is no request, with a typed error and no internal text", async () => {
    const headers = await signed("director");
    for (const body of [
      "",
      "{",
      "[]",
      "null",
      '"text"',
      "{}",
      '{"tenant":1,"params":{}}',
      '{"tenant":null}',
    ]) {
      const answer = await call("/v1/read", { body, headers });
      expect({ body, status: answer.status }).toEqual({ body, status: 400 });
      expect(await answer.json()).toMatchObject({ code: "INVALID_DATA" });
    }
    expect((await call("/v1/read", { body: "x".repeat(2_000_000), headers })).status).toBe(400);
    expect(
      (
        await call("/v1/read", {
          body: JSON.stringify({ tenant: null, planHash: "?", params: {} }),
          headers,
        })
      ).status,
    ).toBe(428);
    expect((await call("/v1/settle", { body: "{}", headers })).status).toBe(400);
    expect((await call("/v1/nothing", { headers })).status).toBe(404);
    expect((await fetch(`${registry.url}/v1/read`, { headers })).status).toBe(405);
  });

  it("ends in order when it is told to, and lets held calls go", async () => {
    const { position } = await client.watch({
      after: null,
      types: ["plan.changed"],
      waitSeconds: 0,
    });
    const held = client.watch({ after: position, types: ["plan.changed"], waitSeconds: 40 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const began = Date.now();
    expect(await registry.end("SIGTERM")).toBe(0);
    expect(Date.now() - began).toBeLessThan(4_000);
    expect(await held).toMatchObject({ events: [] });
    registry.start();
    await registry.ready();
  });

  it("is not ready while the database is away, and is again when it is back", async () => {
    const superuser = new Client({
      connectionString: test.superuserURL.replace(/sextant_test_[0-9a-f]+$/, "postgres"),
    });
    await superuser.connect();
    const name = new URL(test.superuserURL).pathname.slice(1);
    const cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
    await superuser.query(`alter database ${name} allow_connections false`);
    await superuser.query(cut, [name]);
    const until = Date.now() + 15_000;
    while ((await registry.unready()) === undefined && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await registry.unready()).toBe("the database cannot be reached");
    const pending = client.findTenant({ externalID: "default" });
    await superuser.query(`alter database ${name} allow_connections true`);
    await registry.ready();
    expect(await pending).toMatchObject({ externalID: "default" });
    await superuser.end();
  });
});

describe("a start that cannot succeed", () => {
  const outcome = async (environment: Readonly<Record<string, string>>) => {
    const other = await RegistryProcess.create(environment);
    other.start();
    const code = await other.ended();
    const { output } = other;
    await other.close();
    return { code, output };
  };

  it("names every wrong setting at once", async () => {
    const { code, output } = await outcome({
      DATABASE_URL: "mysql://x",
      DATABASE_CONNECTIONS: "many",
    });
    expect(code).toBe(1);
    expect(output).toContain("DATABASE_URL: must be postgresql://role:password@host:port/database");
    expect(output).toContain("DATABASE_CONNECTIONS: must be a whole number from 2 to 200");
  });

  it("on a database of a newer version says so", async () => {
    const newer = await createTestDatabase();
    const owner = new Client({ connectionString: newer.ownerURL });
    await owner.connect();
    await owner.query(
      "insert into sextant_migration (name, checksum) values ('29990101000000_future', 'x')",
    );
    await owner.end();
    const { code, output } = await outcome({
      DATABASE_URL: newer.ownerURL,
      DATABASE_SERVICE_URL: newer.serviceURL,
    });
    expect(code).toBe(1);
    expect(output).toContain("made by a newer version of Sextant");
    await newer.close();
  });

  it("as a role that row-level security does not hold is refused", async () => {
    const { code, output } = await outcome({
      DATABASE_URL: test.ownerURL,
      DATABASE_SERVICE_URL: test.superuserURL,
    });
    expect(code).toBe(1);
    expect(output).toContain("name a plain role in DATABASE_SERVICE_URL");
  });
});

describe("a password in a file", () => {
  const startWith = async (password: string) => {
    const file = join(directory, "owner-password");
    writeFileSync(file, `${password}\n`);
    const url = new URL(test.ownerURL);
    url.password = "";
    const other = await RegistryProcess.create({
      ...settings,
      DATABASE_URL: url.href,
      DATABASE_PASSWORD_FILE: file,
    });
    other.start();
    return other;
  };

  it("is the one of DATABASE_URL's role", async () => {
    const other = await startWith(decodeURIComponent(new URL(test.ownerURL).password));
    await other.ready();
    await other.close();
  });

  it("that is wrong ends the start", async () => {
    const other = await startWith("wrong");
    expect(await other.ended()).toBe(1);
    expect(other.output).toContain("check DATABASE_URL");
    await other.close();
  });
});

describe("a start before the database's", () => {
  it("waits for it", async () => {
    const other = await RegistryProcess.create({
      DATABASE_URL: "postgresql://a:b@127.0.0.1:1/c",
      LOG_FORMAT: "text",
    });
    other.start();
    const until = Date.now() + 15_000;
    while (!other.output.includes("waiting for the database") && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(other.output).toContain("waiting for the database");
    expect(await other.unready()).toBe("the service is starting");
    await other.close();
  });
});
