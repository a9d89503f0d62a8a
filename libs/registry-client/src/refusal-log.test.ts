import { silentLogger } from "@sextant/logging";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Commit } from "./contract.ts";
import { createRefusalLog, PLANE_TENANT } from "./refusal-log.ts";

let commits: Commit[];
let fails: boolean;
beforeEach(() => {
  commits = [];
  fails = false;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const start = () =>
  createRefusalLog({
    registry: {
      commit: async (commit) => {
        if (fails) throw new Error("away");
        commits.push(commit);
        return { ok: true, repeated: false };
      },
    },
    newID: () => crypto.randomUUID(),
    now: Date.now,
    log: silentLogger,
  });
const refusal = (id: string, tenant = "t") => ({
  tenant,
  actor: { type: "USER", id, address: "192.0.2.1" },
  action: "registerRuntime",
  code: "INSUFFICIENT_SCOPES",
});
const told = () =>
  commits.map(({ actor, refusal: one }) => `${actor.type} ${actor.id} ${one?.times}`);

describe("refusals", () => {
  it("are recorded at once, and those of the same kind within a minute as one entry more", async () => {
    const refusals = start();
    for (let times = 0; times < 5; times += 1) refusals.record(refusal("a"));
    refusals.record(refusal("b"));
    await vi.advanceTimersByTimeAsync(1);
    expect(told()).toEqual(["USER a 1", "USER b 1"]);
    await vi.advanceTimersByTimeAsync(63_000);
    expect(told()).toEqual(["USER a 1", "USER b 1", "USER a 4"]);
    refusals.record(refusal("a"));
    await refusals.close();
    expect(told().at(-1)).toBe("USER a 1");
  });

  it("of very many callers are told as those of many, each tenant for itself", async () => {
    const refusals = start();
    for (let nr = 0; nr < 1000; nr += 1) refusals.record(refusal(String(nr)));
    refusals.record(refusal("x", "other"));
    refusals.record({ ...refusal("x"), tenant: undefined });
    await refusals.close();
    expect(commits.length).toBe(104);
    expect(told().filter((one) => one.startsWith("MANY"))).toEqual(["MANY  1", "MANY  899"]);
    expect(commits.filter(({ tenant }) => tenant === "other")).toHaveLength(1);
    expect(commits.filter(({ tenant }) => tenant === PLANE_TENANT)).toHaveLength(1);
  });

  it("that cannot be recorded now are told with the next", async () => {
    const refusals = start();
    fails = true;
    refusals.record(refusal("a"));
    refusals.record(refusal("a"));
    await vi.advanceTimersByTimeAsync(10);
    expect(told()).toEqual([]);
    fails = false;
    await vi.advanceTimersByTimeAsync(65_000);
    expect(told()).toEqual(["USER a 2"]);
    await refusals.close();
  });
});
