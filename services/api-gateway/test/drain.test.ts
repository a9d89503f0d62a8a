/** The end of a gateway's process: whoever sends requests to it learns of it first. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Agent } from "node:https";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Plane, startPlane } from "./plane.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await startPlane();
  await plane.closeGateway();
}, 90_000);
afterAll(() => plane.close(), 30_000);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address !== null ? address.port : 0;
}

it("says that it is not ready, serves on for the drain delay and asks for other connections, then ends with 0", async () => {
  const opsPort = await freePort();
  const child = spawn(process.execPath, [join(import.meta.dirname, "../src/main.ts")], {
    env: {
      ...plane.settings,
      SEXTANT_OPS_LISTEN: `127.0.0.1:${opsPort}`,
      SEXTANT_DRAIN_DELAY: "3",
      LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exit = once(child, "exit") as Promise<[number | null]>;
  const readiness = () =>
    fetch(`http://127.0.0.1:${opsPort}/readyz`).then(
      ({ status }) => status,
      () => 0,
    );
  // A client that would keep its connection.
  const agent = new Agent({ keepAlive: true });
  const viewer = () =>
    plane.graph(
      "{ viewer { id } }",
      {},
      {
        agent,
        headers: { authorization: `Bearer ${plane.adminToken}` },
      },
    );
  while ((await readiness()) !== 200) await pause(50);
  const before = await viewer();
  expect([before.status, before.headers.connection]).toEqual([200, "keep-alive"]);

  child.kill("SIGTERM");
  while ((await readiness()) === 200) await pause(10);
  expect(await readiness()).toBe(503);
  const during = await viewer();
  expect([during.status, during.headers.connection]).toEqual([200, "close"]);
  const [code] = await exit;
  expect(code).toBe(0);
  await expect(viewer()).rejects.toMatchObject({ code: "ECONNREFUSED" });
}, 60_000);
