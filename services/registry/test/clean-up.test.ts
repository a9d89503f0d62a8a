/** Texts that nothing refers to are removed, and never one that somebody is about to refer to. */
import { createHash } from "node:crypto";
import { silentLogger } from "@sextant/logging";
import { create, createIDSource, type Registry, type Step } from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startCleanUp } from "../src/clean-up/clean-up.ts";
import { CleanUpRepository } from "../src/clean-up/clean-up.repository.ts";
import { Database } from "../src/database/database.ts";
import { createRegistry } from "../src/registry.ts";

const newID = createIDSource(Date.now);
const [tenant, other, application, bundle] = [newID(), newID(), newID(), newID()];
const status = { statusCondition: "INITIAL", statusTimestamp: "2026-01-02T03:04:05Z" };

let test: TestDatabase;
let database: Database;
let registry: Registry;
let repository: CleanUpRepository;
let owner: Client;

const commit = async (steps: readonly Step[], of = tenant): Promise<void> => {
  const answer = await registry.commit({
    id: newID(),
    tenant: of,
    actor: { type: "USER", id: "u" },
    action: "test",
    params: {},
    steps,
  });
  if (!answer.ok) throw new Error(JSON.stringify(answer.failure));
};
const content = (text: string): Extract<Step, { op: "content" }> => ({
  op: "content",
  hash: createHash("sha256").update(text).digest("hex"),
  text,
});
const referring = (kind: "api" | "event" | "document", hash: string): Step => {
  const place = { applicationID: application, bundleID: bundle };
  const name = newID();
  const spec = {
    specType: kind === "api" ? "OPEN_API" : "ASYNC_API",
    specFormat: "JSON",
    specContent: hash,
  };
  if (kind === "api")
    return create("apiDefinition", newID(), { ...place, name, targetURL: "https://a/", ...spec });
  if (kind === "event") return create("eventDefinition", newID(), { ...place, name, ...spec });
  const texts = { title: name, displayName: name, description: "", format: "MARKDOWN" };
  return create("document", newID(), { ...place, ...texts, content: hash });
};
/** As if all texts had been stored long ago. */
const age = async (): Promise<void> => {
  for (const id of [tenant, other]) {
    await owner.query("select set_config('app.tenant', $1, false)", [id]);
    await owner.query("update content set created_at = now() - interval '2 hours'");
  }
};
const hashes = async (of = tenant): Promise<readonly string[]> => {
  const call = { text: "select hash from content order by hash", values: [] };
  const [rows] = await database.run({ tenant: of }, [call]);
  return (rows ?? []).map((row) => String(row[0]));
};
const removeTexts = async (of = tenant): Promise<void> => {
  while (await repository.removeUnreferenced(of));
};

beforeAll(async () => {
  test = await createTestDatabase();
  database = new Database({ url: test.serviceURL, log: silentLogger, connections: 4 });
  registry = createRegistry({ database, log: silentLogger }).registryFor("director");
  repository = new CleanUpRepository(database);
  owner = new Client({ connectionString: test.ownerURL });
  await owner.connect();
  for (const id of [tenant, other])
    await commit([create("tenant", id, { externalID: id, name: "t" })], id);
  await commit([
    create("application", application, { name: "a", ...status }),
    create("bundle", bundle, { applicationID: application, name: "b" }),
  ]);
});
afterAll(async () => {
  await owner.end();
  await database.close();
  await test.close();
});

it("a text goes once nothing refers to it, and no sooner than an hour after it was stored", async () => {
  const kept = ["api", "event", "document"].map((kind) => content(kind));
  const loose = Array.from({ length: 120 }, (_, index) => content(`loose ${index}`));
  await commit([...kept.flatMap((one) => [one, referring(one.text as "api", one.hash)]), ...loose]);
  await removeTexts();
  expect(await hashes()).toHaveLength(123);
  await age();
  await removeTexts(other);
  expect(await hashes()).toHaveLength(123);
  await removeTexts();
  expect(await hashes()).toEqual(kept.map(({ hash }) => hash).toSorted());
});

it("a text that a commit stores again stays, whenever the clean-up comes", async () => {
  const one = content("about to be referred to");
  await commit([one]);
  await age();
  const gate = new Client({ connectionString: test.serviceURL });
  await gate.connect();
  await gate.query("begin");
  await gate.query("select set_config('app.tenant', $1, true)", [tenant]);
  await gate.query(
    "insert into content (tenant_id, hash, text) values ($1, $2, $3) on conflict (tenant_id, hash) do update set created_at = now()",
    [tenant, one.hash, one.text],
  );
  await removeTexts();
  await gate.query("commit");
  await gate.end();
  await removeTexts();
  expect(await hashes()).toContain(one.hash);

  for (let round = 0; round < 30; round += 1) {
    const text = content(`round ${round}`);
    await commit([text]);
    await age();
    await Promise.all([
      commit([text, referring("api", text.hash)]),
      repository.removeUnreferenced(tenant),
    ]);
    expect(await hashes()).toContain(text.hash);
  }
});

it("tokens and certificates go long after their end, and a key with its last certificate", async () => {
  const connector = createRegistry({ database, log: silentLogger }).registryFor("connector");
  const [ended, current] = ["e".repeat(64), "c".repeat(64)];
  const before = (days: number): string =>
    new Date(Date.now() - days * 24 * 3_600_000).toISOString();
  const steps = (key: string, end: string, at = 0): Step[] => {
    const consumer = { consumerType: "APPLICATION", consumerID: application } as const;
    const digit = String(at);
    return [
      create("certificate", newID(), {
        ...consumer,
        hash: digit.repeat(64),
        serialNumber: digit.repeat(20),
        subject: "CN=x",
        publicKeyHash: key,
        notBefore: before(200),
        notAfter: end,
      }),
      create("oneTimeToken", newID(), {
        ...consumer,
        hash: digit.repeat(64),
        purpose: "PAIRING",
        expiresAt: end,
      }),
    ];
  };
  const answer = await connector.commit({
    id: newID(),
    tenant,
    actor: { type: "USER", id: "u" },
    action: "test",
    params: {},
    steps: [
      ...[ended, current].map((hash) =>
        create("certificateKey", newID(), {
          hash,
          consumerType: "APPLICATION",
          consumerID: application,
        }),
      ),
      ...steps(ended, before(91), 1),
      ...steps(current, before(91), 2),
      ...steps(current, before(89), 3),
      ...steps(current, before(29), 4),
    ],
  });
  expect(answer.ok).toBe(true);
  const rows = async (table: string, column: string): Promise<readonly string[]> => {
    const call = { text: `select ${column} from ${table} order by 1`, values: [] };
    const [found] = await database.run({ tenant }, [call]);
    return (found ?? []).map((row) => String(row[0]));
  };
  while (await repository.removeSome());
  await owner.query("select set_config('app.tenant', $1, false)", [tenant]);
  await owner.query("update certificate_key set created_at = now() - interval '2 hours'");
  await removeTexts();
  expect(await rows("certificate", "serial_number")).toEqual(["3".repeat(20), "4".repeat(20)]);
  expect(await rows("one_time_token", "hash")).toEqual(["4".repeat(64)]);
  expect(await rows("certificate_key", "hash")).toEqual([current]);
});

it("looks at the texts of every tenant", async () => {
  await commit([content("loose")], other);
  await age();
  const cleanUp = startCleanUp({ repository, log: silentLogger, every: 10 });
  await expect.poll(() => hashes(other)).toEqual([]);
  await cleanUp.close();
});
