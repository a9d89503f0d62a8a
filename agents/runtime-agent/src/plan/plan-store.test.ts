import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createPlanStore } from "./plan-store.ts";
import { readPlanHead, reportOn } from "./plan.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sextant-plan-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const text = '{"revision": 3, "resources": [{"id": "r1"}], "price": 1.10}';

it("keeps a plan as it was sent, byte by byte, for its owner alone", async () => {
  const store = createPlanStore(directory);
  await store.save(text, '"3-abc"');
  expect(readFileSync(join(directory, "plan.json"), "utf8")).toBe(text);
  expect(statSync(join(directory, "plan.json")).mode & 0o777).toBe(0o600);
  expect(await store.load()).toEqual({
    etag: '"3-abc"',
    head: { revision: 3, itemIds: ["r1"], targets: [] },
  });
  expect(readdirSync(directory).toSorted()).toEqual(["plan.etag", "plan.json"]);
});

it("has no plan before the first, and none after someone has written nonsense over it", async () => {
  const store = createPlanStore(directory);
  expect(await store.load()).toBeUndefined();
  await store.save(text, '"3-abc"');
  writeFileSync(join(directory, "plan.json"), "{");
  expect(await store.load()).toBeUndefined();
});

it("asks for the plan again after the ETag was forgotten", async () => {
  const store = createPlanStore(directory);
  await store.save(text, '"3-abc"');
  await store.forgetEtag();
  expect((await store.load())?.etag).toBeUndefined();
});

it("overwrites what a killed agent left half written", async () => {
  writeFileSync(join(directory, ".plan.json.tmp"), '{"revis');
  const store = createPlanStore(directory);
  await store.save(text, '"3-abc"');
  expect(readdirSync(directory).toSorted()).toEqual(["plan.etag", "plan.json"]);
});

it("refuses what is not a plan", () => {
  for (const other of ["", "null", "{}", '{"revision": -1}', '{"revision": "1"}']) {
    expect(() => readPlanHead(other)).toThrow(/./);
  }
});

it("reports each item of the plan, and the fault when there was one", () => {
  const head = { revision: 3, itemIds: ["r1"] };
  expect(reportOn(head, [{ condition: "SUCCEEDED" }])).toEqual({
    revision: 3,
    applied: true,
    ready: true,
    items: [{ id: "r1", applied: true, ready: true, message: "" }],
    health: [{ condition: "SUCCEEDED" }],
  });
  expect(reportOn(head, [], "disk is full")).toMatchObject({
    applied: false,
    ready: false,
    items: [{ message: "disk is full" }],
  });
});
