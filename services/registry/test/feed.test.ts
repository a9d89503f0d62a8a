import { type AddressInfo, createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@sextant/logging";
import { createIDSource } from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Database } from "../src/database/database.ts";
import { Listener } from "../src/database/listener.ts";
import { FEED_CHANNEL, FeedRepository } from "../src/feed/feed.repository.ts";
import { createRegistry, type RegistryCore } from "../src/registry.ts";

const newID = createIDSource(Date.now);
const types = ["plan.changed"] as const;

let test: TestDatabase;
let database: Database;

beforeAll(async () => {
  test = await createTestDatabase();
  database = new Database({ url: test.serviceURL, log: silentLogger });
});
afterAll(async () => {
  await database?.close();
  await test?.close();
});

async function startedCore(keepEvents?: number): Promise<RegistryCore> {
  const core = createRegistry({
    database,
    log: silentLogger,
    ...(keepEvents === undefined ? {} : { keepEvents }),
  });
  await core.feed.start();
  return core;
}

const commitEvents = (core: RegistryCore, tenant: string, ids: readonly string[]) =>
  core.registryFor("director").commit({
    id: newID(),
    tenant,
    actor: { type: "SERVICE", id: "test" },
    action: "test",
    steps: ids.map((id) => ({ op: "event", type: "plan.changed", id, data: {} })),
    params: {},
  });

describe("the feed", () => {
  it("never skips an event that is committed late, and does not wait for it either", async () => {
    const core = await startedCore();
    const gateway = core.registryFor("api-gateway");
    const { position } = await gateway.watch({ after: null, types: [...types], waitSeconds: 0 });
    const tenant = newID();
    const late = new Client({ connectionString: test.serviceURL });
    await late.connect();
    await late.query("begin");
    await late.query("select set_config('app.tenant', $1, true)", [tenant]);
    const lateID = newID();
    await late.query(
      "insert into event (tenant_id, type, object_id, data) values ($1, 'plan.changed', $2, '{}')",
      [tenant, lateID],
    );

    const early = newID();
    await commitEvents(core, tenant, [early]);
    const first = await gateway.watch({ after: position, types: [...types], waitSeconds: 5 });
    expect(first.events.map(({ id }) => id)).toEqual([early]);

    await late.query("commit");
    await late.end();
    // Nothing hints at it: the poll behind the hints finds it.
    const second = await gateway.watch({
      after: first.position,
      types: [...types],
      waitSeconds: 5,
    });
    expect(second.events.map(({ id }) => id)).toEqual([lateID]);
    await core.close();
  });

  it("tells the readers of every process the same, while several give out positions", async () => {
    const cores = await Promise.all([startedCore(), startedCore(), startedCore()]);
    const listeners = cores.map(
      (core) =>
        new Listener(
          test.serviceURL,
          FEED_CHANNEL,
          (payload) => core.feed.hint(payload),
          silentLogger,
        ),
    );
    for (const listener of listeners) listener.start();
    await pause(200);
    const { last } = await new FeedRepository(database).head();
    const tenant = newID();
    const ids = Array.from({ length: 120 }, () => newID());
    const readers = cores.map(async (core) => {
      const gateway = core.registryFor("api-gateway");
      const seen: string[] = [];
      let after = last;
      while (seen.length < ids.length) {
        const answer = await gateway.watch({ after, types: [...types], waitSeconds: 5 });
        seen.push(...answer.events.map(({ id }) => id));
        after = answer.position;
      }
      return seen;
    });
    await Promise.all(ids.map((id, place) => commitEvents(cores[place % 3]!, tenant, [id])));
    const [one, two, three] = await Promise.all(readers);
    expect(one?.toSorted()).toEqual(ids.toSorted());
    expect(two).toEqual(one);
    expect(three).toEqual(one);
    for (const core of cores) await core.close();
    for (const listener of listeners) await listener.stop();
  });

  it("reaches a reader of another process at once, by the hint", async () => {
    const [here, there] = [await startedCore(), await startedCore()];
    const listener = new Listener(
      test.serviceURL,
      FEED_CHANNEL,
      (payload) => there.feed.hint(payload),
      silentLogger,
    );
    listener.start();
    await pause(200);
    const gateway = there.registryFor("api-gateway");
    const { position } = await gateway.watch({ after: null, types: [...types], waitSeconds: 0 });
    const held = gateway.watch({ after: position, types: [...types], waitSeconds: 5 });
    const began = Date.now();
    await commitEvents(here, newID(), [newID()]);
    expect((await held).events).toHaveLength(1);
    expect(Date.now() - began).toBeLessThan(400);
    await here.close();
    await there.close();
    await listener.stop();
  });

  it("keeps nobody who stops waiting for a server that does not answer", async () => {
    const sockets = new Set<{ destroy(): void }>();
    const mute = createServer((socket) => void sockets.add(socket));
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const url = new URL(test.serviceURL);
    url.host = `127.0.0.1:${(mute.address() as AddressInfo).port}`;
    const listener = new Listener(url.href, FEED_CHANNEL, () => undefined, silentLogger);
    listener.start();
    while (sockets.size === 0) await pause(10);
    const began = Date.now();
    await listener.stop();
    expect(Date.now() - began).toBeLessThan(2_000);
    for (const socket of sockets) socket.destroy();
    mute.close();
  });

  it("is as long as it is set to be: who is further behind starts over, who is within reads on", async () => {
    const core = await startedCore(100);
    const gateway = core.registryFor("api-gateway");
    const repository = new FeedRepository(database);
    const { position } = await gateway.watch({ after: null, types: [...types], waitSeconds: 0 });
    for (let round = 0; round < 5; round += 1)
      await commitEvents(
        core,
        newID(),
        Array.from({ length: 50 }, () => newID()),
      );
    const head = await (async () => {
      for (;;) {
        const found = await repository.head();
        if (found.last >= position + 250) return found;
        await pause(20);
      }
    })();
    // The database has its positions a moment before the feed has read them.
    const told = async () =>
      (await gateway.watch({ after: position, types: [...types], waitSeconds: 0 })).events;
    while ((await told()).length < 250) await pause(20);
    expect(await told()).toHaveLength(250);
    await repository.trim(100);
    expect((await repository.head()).removedUpTo).toBe(head.last - 100);
    const restarted = await startedCore(100);
    const again = restarted.registryFor("api-gateway");
    expect(await again.watch({ after: position, types: [...types], waitSeconds: 5 })).toEqual({
      position: head.last,
      events: [],
      startOver: true,
    });
    const within = await again.watch({ after: head.last - 60, types: [...types], waitSeconds: 0 });
    expect(within).toMatchObject({ startOver: false, position: head.last });
    expect(within.events).toHaveLength(60);
    await core.close();
    await restarted.close();
  });

  it("answers those who wait when it is closed", async () => {
    const core = await startedCore();
    const { position } = await core
      .registryFor("api-gateway")
      .watch({ after: null, types: [...types], waitSeconds: 0 });
    const held = core
      .registryFor("api-gateway")
      .watch({ after: position, types: [...types], waitSeconds: 50 });
    await pause(20);
    await core.close();
    expect(await held).toMatchObject({ events: [], position });
  });
});
