import { silentLogger } from "@sextant/logging";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Commit } from "./contract.ts";
import { createNoteLog, PLANE_TENANT } from "./note-log.ts";

let commits: Commit[];
let fails: boolean;
beforeEach(() => {
  commits = [];
  fails = false;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

const start = () =>
  createNoteLog({
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
const told = () => commits.map(({ actor, note: one }) => `${actor.type} ${actor.id} ${one?.times}`);

describe("refusals", () => {
  it("are recorded at once, and those of the same kind within a minute as one entry more", async () => {
    const refusals = start();
    for (let times = 0; times < 5; times += 1) void refusals.record(refusal("a"));
    void refusals.record(refusal("b"));
    await vi.advanceTimersByTimeAsync(1);
    expect(told()).toEqual(["USER a 1", "USER b 1"]);
    await vi.advanceTimersByTimeAsync(63_000);
    expect(told()).toEqual(["USER a 1", "USER b 1", "USER a 4"]);
    void refusals.record(refusal("a"));
    await refusals.close();
    expect(told().at(-1)).toBe("USER a 1");
  });

  it("of very many callers are told as those of many, each tenant for itself", async () => {
    const refusals = start();
    for (let nr = 0; nr < 1000; nr += 1) void refusals.record(refusal(String(nr)));
    void refusals.record(refusal("x", "other"));
    void refusals.record({ ...refusal("x"), tenant: undefined });
    await refusals.close();
    expect(commits.length).toBe(104);
    expect(told().filter((one) => one.startsWith("MANY"))).toEqual(["MANY  1", "MANY  899"]);
    expect(commits.filter(({ tenant }) => tenant === "other")).toHaveLength(1);
    expect(commits.filter(({ tenant }) => tenant === PLANE_TENANT)).toHaveLength(1);
  });

  it("are not held back because the clock was put back", async () => {
    const refusals = start();
    void refusals.record(refusal("a"));
    void refusals.record(refusal("a"));
    vi.setSystemTime(Date.now() - 3_600_000);
    await vi.advanceTimersByTimeAsync(65_000);
    expect(told()).toEqual(["USER a 1", "USER a 1"]);
    await refusals.close();
  });

  it("that cannot be recorded now are told with the next", async () => {
    const refusals = start();
    fails = true;
    void refusals.record(refusal("a"));
    void refusals.record(refusal("a"));
    await vi.advanceTimersByTimeAsync(10);
    expect(told()).toEqual([]);
    fails = false;
    await vi.advanceTimersByTimeAsync(65_000);
    expect(told()).toEqual(["USER a 2"]);
    await refusals.close();
  });
});

describe("what is carried out only when it is on record", () => {
  const issued = (id: string) => ({
    tenant: "t",
    actor: { type: "RUNTIME", id },
    action: "issueAccessToken",
    objects: [{ kind: "systemAuth", id: "s" }],
  });
  const entries = () =>
    commits.map(({ actor, note }) => `${actor.id} ${note?.code ?? "done"} ${note?.times}`);

  it("is told to be once it is written, and what comes of the same within a minute is counted", async () => {
    const notes = start();
    const [first, second] = [notes.record(issued("a")), notes.record(issued("a"))];
    expect(entries()).toEqual([]);
    expect(await first).toBe(true);
    expect(entries()).toEqual(["a done 1"]);
    expect([await second, await notes.record(issued("a"))]).toEqual([true, true]);
    await notes.close();
    expect(entries()).toEqual(["a done 1", "a done 2"]);
  });

  it("is told not to be when it cannot be written, and is then in no entry", async () => {
    const notes = start();
    fails = true;
    const both = [notes.record(issued("a")), notes.record(issued("a"))];
    expect(await Promise.all(both)).toEqual([false, false]);
    fails = false;
    expect(await notes.record(issued("a"))).toBe(true);
    await notes.close();
    expect(entries()).toEqual(["a done 1"]);
  });

  it("is not lost once it was carried out: what was counted is told with the next", async () => {
    const notes = start();
    await notes.record(issued("a"));
    await notes.record(issued("a"));
    fails = true;
    await vi.advanceTimersByTimeAsync(65_000);
    fails = false;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(entries()).toEqual(["a done 1", "a done 1"]);
    await notes.close();
  });

  it("is told of each, however many they are, and keeps no refusals from being told apart", async () => {
    const notes = start();
    for (let nr = 0; nr < 300; nr += 1) void notes.record(issued(String(nr)));
    void notes.record(refusal("x"));
    await notes.close();
    expect(commits).toHaveLength(301);
    expect(told().at(-1)).toBe("USER x 1");
  });
});
