import { silentLogger } from "@sextant/logging";
import { setTimeout as pause } from "node:timers/promises";
import {
  create,
  createIDSource,
  createRegistryClient,
  readList,
  type RegistryClient,
} from "@sextant/registry-client";
import { type BreakableServer, startBreakableServer } from "@sextant/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runAuditCommand } from "../src/audit/audit.command.ts";
import { AuditRepository } from "../src/audit/audit.repository.ts";
import { Database } from "../src/database/database.ts";
import { RegistryProcess } from "./registry-process.ts";

const newID = createIDSource(Date.now);
const WRITERS = 6;
const FINDS_AGAIN_WITHIN = 90_000;

let server: BreakableServer;
let registry: RegistryProcess;
const clients: RegistryClient[] = [];

beforeAll(async () => {
  server = await startBreakableServer();
  registry = await RegistryProcess.create({ DATABASE_URL: server.ownerURL, LOG_LEVEL: "warn" });
  registry.start();
  await registry.ready();
});
afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await registry?.close();
  await server?.stop();
});

function clientOf(service: "director" | "api-gateway"): RegistryClient {
  const client = createRegistryClient({
    url: registry.url,
    signer: registry.keys.signerOf(service),
    deadline: FINDS_AGAIN_WITHIN,
  });
  clients.push(client);
  return client;
}

it(
  "what was acknowledged is there, and was told, whatever is killed; and nobody has to be helped back",
  { timeout: 240_000 },
  async () => {
    const director = clientOf("director");
    const gateway = clientOf("api-gateway");
    const tenant = newID();
    const actor = { type: "SERVICE", id: "test" };
    const stored = { statusCondition: "INITIAL", statusTimestamp: "2026-01-02T03:04:05Z" };
    await director.commit({
      id: tenant,
      tenant,
      actor,
      action: "registerTenant",
      steps: [create("tenant", tenant, { externalID: tenant, name: "chaos" })],
      params: {},
    });

    const told = new Set<string>();
    const stop = new AbortController();
    const { position } = await gateway.watch({
      after: null,
      types: ["plan.changed"],
      waitSeconds: 0,
    });
    const reading = (async () => {
      let after = position;
      while (!stop.signal.aborted) {
        const answer = await gateway.watch({ after, types: ["plan.changed"], waitSeconds: 2 });
        expect(answer.startOver).toBe(false);
        after = answer.position;
        for (const { id } of answer.events) told.add(id);
      }
    })();

    const acknowledged: string[] = [];
    let writing = true;
    const writers = Array.from({ length: WRITERS }, async () => {
      while (writing) {
        const id = newID();
        const answer = await director.commit({
          id: newID(),
          tenant,
          actor,
          action: "registerApplication",
          steps: [
            create("application", id, { name: id, ...stored }),
            { op: "event", type: "plan.changed", id, data: {} },
          ],
          params: {},
        });
        expect(answer.ok).toBe(true);
        acknowledged.push(id);
      }
    });
    const more = async (count: number): Promise<void> => {
      const goal = acknowledged.length + count;
      while (acknowledged.length < goal) await Promise.race([pause(20), ...writers]);
    };

    await more(100);
    await server.crash();
    await more(100);
    await registry.end("SIGKILL");
    registry.start();
    await more(100);
    await server.crash();
    await registry.end("SIGKILL");
    registry.start();
    await more(100);

    writing = false;
    await Promise.all(writers);
    const found = new Set(
      (
        await readList(director, tenant, "application", { op: "all", of: [] }, ["id"], {}, 10_000)
      ).map(({ id }) => id),
    );
    expect(acknowledged.filter((id) => !found.has(id))).toEqual([]);
    expect(found.size).toBe(acknowledged.length);
    while (told.size < acknowledged.length) await Promise.race([pause(20), reading]);
    stop.abort();
    await reading;
    expect(acknowledged.filter((id) => !told.has(id))).toEqual([]);
    const database = new Database({ url: server.ownerURL, log: silentLogger, connections: 2 });
    const audit = new AuditRepository(database);
    const entries = acknowledged.length + 1;
    await expect
      .poll(async () => (await audit.head(tenant))?.position, { timeout: FINDS_AGAIN_WITHIN })
      .toBe(entries);
    const lines: string[] = [];
    await runAuditCommand(audit, ["verify", "--tenant", tenant], {
      line: (one) => lines.push(one),
    });
    expect(lines).toEqual([`${tenant} ${tenant}: whole, ${entries} entries`]);
    await database.close();
    await registry.ready();
  },
);
