import { describe, expect, it } from "vitest";
import { createPlanPolls } from "./plan-polls.ts";

const changed = (id: string, revision: number) =>
  ({ position: 1, tenant: "t", type: "plan.changed", id, data: { revision, hash: "h" } }) as const;
const never = new AbortController().signal;

describe("a held poll", () => {
  it("ends when the plan of its runtime changes, and not when another's does", async () => {
    const polls = createPlanPolls(() => ({ isLive: () => true }));
    const mine = polls.wait("r1", 10_000, never);
    const others = polls.wait("r2", 30, never);
    polls.event(changed("r1", 2));
    expect(await mine).toBe("changed");
    expect(polls.tag("r1")).toBe('"2-h"');
    expect(await others).toBe("time");
    expect(polls.held()).toBe(0);
  });

  it("ends when its client goes away, and when the gateway ends", async () => {
    const polls = createPlanPolls(() => ({ isLive: () => true }));
    const client = new AbortController();
    const left = polls.wait("r1", 10_000, client.signal);
    client.abort();
    expect(await left).toBe("gone");
    const ended = polls.wait("r1", 10_000, never);
    polls.close();
    expect(await ended).toBe("ending");
    expect(await polls.wait("r1", 10_000, never)).toBe("ending");
  });
});

describe("the newest plan", () => {
  it("is never replaced by an older one that comes late", () => {
    const polls = createPlanPolls(() => ({ isLive: () => true }));
    polls.event(changed("r1", 10));
    polls.learn("r1", '"9-old"');
    expect(polls.tag("r1")).toBe('"10-h"');
  });

  it("is not known while the feed is not followed, and forgotten when it starts over", () => {
    let live = false;
    const polls = createPlanPolls(() => ({ isLive: () => live }));
    polls.learn("r1", '"1-h"');
    expect(polls.tag("r1")).toBeUndefined();
    live = true;
    expect(polls.tag("r1")).toBe('"1-h"');
    polls.startOver();
    expect(polls.tag("r1")).toBeUndefined();
  });
});
