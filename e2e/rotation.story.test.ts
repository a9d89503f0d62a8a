/** An operator changes what the plane is trusted by and what it signs and seals with, while agents poll and admins work. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endPlanes, type LocalPlane, startPlane } from "./local-plane.ts";
import {
  anAdminRegistersTheShopWithAWebhook,
  type RegisteredApplication,
} from "./story/application.ts";
import { silent } from "./story/report.ts";
import { anAdminProvisionsARuntime, type ProvisionedRuntime } from "./story/runtime.ts";
import { openStage, type Stage } from "./story/stage.ts";
import { until } from "./story/until.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

afterAll(endPlanes);

let plane: LocalPlane;
let stage: Stage;
let shop: RegisteredApplication;
let runtime: ProvisionedRuntime;
let traffic: Traffic;

beforeAll(async () => {
  // Certificates that are renewed within the time of a test.
  plane = await startPlane({ environment: { SEXTANT_CERTIFICATE_TTL_RUNTIME: "60" } });
  // Before anybody comes who is to trust both roots.
  await keys("ca prepare --new-root");
  stage = await openStage(plane.file(), silent);
  shop = await anAdminRegistersTheShopWithAWebhook(stage);
  runtime = await anAdminProvisionsARuntime(stage);
  traffic = startTraffic(stage.admin, shop.id, 300);
});
afterAll(async () => {
  await traffic?.stop();
  await stage?.close();
});

/** Milliseconds. The command tells operators to wait for ten seconds. */
const SEEN_BY_ALL = 5_000;

/** Runs `npm run keys -- …` as an operator would. */
async function keys(words: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    "npm",
    ["run", "-s", "keys", "--", ...words.split(" ")],
    {
      cwd: dirname(import.meta.dirname),
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], SEXTANT_HOME: plane.home },
    },
  );
  return stdout;
}
/** As soon as it is not refused any more. */
const keysOnce = (words: string, within = 120_000): Promise<unknown> =>
  until(
    words,
    () =>
      keys(words).then(
        () => true,
        () => false,
      ),
    within,
    500,
  );

/** What the agents have said, that is more than information. */
const complaints = (): readonly string[] =>
  plane
    .output()
    .split("\n")
    .filter((line) => /^\S+ (?:warn|error|fatal) +(?:runtime-agent)/.test(line));
const agentTrusts = (): string =>
  (
    JSON.parse(
      readFileSync(join(plane.home, "runtimes", runtime.id, "agent", "identity.json"), "utf8"),
    ) as { ca: string }
  ).ca;
const stored = (name: string): string => readFileSync(join(plane.home, "keys", name), "utf8");

async function changeReachesTheAgent(key: string): Promise<void> {
  await stage.admin.ask(
    "mutation ($id: ID!, $key: String!) { setApplicationLabel(applicationID: $id, key: $key, value: true) { key } }",
    { id: shop.id, key },
    { quiet: true },
  );
  const file = join(plane.home, "runtimes", runtime.id, "agent", "plan.json");
  await until(
    `${key} reaches the agent`,
    () => readFileSync(file, "utf8").includes(`"${key}":true`),
    40_000,
  );
}

describe("the authority", () => {
  test("of another root signs once the agents know it, and the one before goes once its certificates are renewed", async () => {
    await keysOnce("ca activate 2");
    const next = stored("connector/authorities/2/root.pem");
    expect(agentTrusts()).toContain(next.trim());
    await changeReachesTheAgent("signed_by_two");
    await keysOnce("ca retire 1");
    await until(
      "the agent trusts the new root alone",
      () => !agentTrusts().includes(stored("offline/retired-1.pem").trim()),
      90_000,
    );
    await changeReachesTheAgent("one_is_gone");
    const { certificates } = await stage.admin.ask<{
      certificates: { data: readonly { state: string; issuerKeyID: string }[] };
    }>("{ certificates(filter: { state: VALID }) { data { state issuerKeyID } } }");
    expect(new Set(certificates.data.map(({ issuerKeyID }) => issuerKeyID)).size).toBe(1);
  });

  test("is what a runtime that comes later trusts", async () => {
    const later = await anAdminProvisionsARuntime(stage, "later");
    expect(later.runtime.online).toBe(true);
  });
});

describe("the keys inside", () => {
  test("by which services sign their calls change in three steps", async () => {
    const before = stored("director/trust.json");
    for (const step of ["prepare", "activate", "retire --force"]) {
      await keys(`identity ${step}`);
      // Services look at their files once a second, each when it likes: who goes on sooner retires what is still used.
      await pause(SEEN_BY_ALL);
      await changeReachesTheAgent(`identity_${step.slice(0, 6)}`);
    }
    expect(stored("director/trust.json")).not.toBe(before);
  });

  test("that seal secrets change, and what was sealed is sealed anew", async () => {
    await keys("data prepare");
    await changeReachesTheAgent("data_prepared");
    await keys("data activate");
    await changeReachesTheAgent("data_activated");
    await keysOnce("data retire");
    await changeReachesTheAgent("data_retired");
  });
});

test("no poll of the agent and no request of an admin has failed over all of it", async () => {
  await traffic.stop();
  expect([...traffic.failures]).toEqual([]);
  expect(traffic.done()).toBeGreaterThan(100);
  expect(complaints()).toEqual([]);
});
