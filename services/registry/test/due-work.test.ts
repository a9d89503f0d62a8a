/** Work is claimed by the time at which it is due, however much of it is not due yet. */
import { silentLogger } from "@sextant/logging";
import { createIDSource } from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Database } from "../src/database/database.ts";
import { WorkRepository } from "../src/work/work.repository.ts";

const newID = createIDSource(Date.now);
const tenant = newID();
const MANY = 100_000;
const DUE = 40;

let test: TestDatabase;
let superuser: Client;
let database: Database;
let work: WorkRepository;

beforeAll(async () => {
  test = await createTestDatabase();
  superuser = new Client({ connectionString: test.superuserURL });
  await superuser.connect();
  // References are not checked one by one: it is about the queue.
  await superuser.query("set session_replication_role = replica");
  await superuser.query(
    `insert into health_probe (tenant_id, id, url, failures, attempts, next_attempt_at)
     select '${tenant}', uuidv7(), 'https://x.example', 0, 0,
       now() + case when nr <= ${DUE} then interval '-1 second' else interval '1 hour' end
     from generate_series(1, ${MANY}) nr`,
  );
  await superuser.query("vacuum analyze health_probe");
  database = new Database({ url: test.serviceURL, log: silentLogger, connections: 1 });
  work = new WorkRepository(database);
}, 60_000);
afterAll(async () => {
  await database.close();
  await superuser.end();
  await test.close();
});

const scans = async (): Promise<number> => {
  const flush = { text: "select pg_stat_force_next_flush()", values: [] };
  await database.run({ queue: "healthProbe" }, [flush]);
  const { rows } = await superuser.query<{ scans: string }>(
    "select seq_scan as scans from pg_stat_user_tables where relname = 'health_probe'",
  );
  return Number(rows[0]?.scans);
};

it("the probes that are due among 100,000 are found by their index, each claimed once", async () => {
  const before = await scans();
  const claim = { queue: "healthProbe", max: 16, leaseSeconds: 60, waitSeconds: 0 } as const;
  const claimed: string[] = [];
  const start = performance.now();
  for (let round = 0; round < 10; round += 1) claimed.push(...(await work.claim(claim)));
  const milliseconds = (performance.now() - start) / 10;
  expect(new Set(claimed.map((text) => (JSON.parse(text) as { id: string }).id)).size).toBe(DUE);
  expect(claimed).toHaveLength(DUE);
  expect(await scans()).toBe(before);
  // It takes about one; reading them all takes far more.
  expect(milliseconds).toBeLessThan(25);
});
