import { describe, expect, it } from "vitest";
import { StatementCache } from "./statement-cache.ts";

describe("the statements of a connection", () => {
  it("are prepared once", () => {
    const cache = new StatementCache(2);
    const first = cache.use("a");
    expect(first).toMatchObject({ prepare: true, close: [] });
    cache.prepared();
    expect(cache.use("a")).toEqual({ name: first.name, prepare: false, close: [] });
  });

  it("are no more than so many: the one that was not used for longest is closed", () => {
    const cache = new StatementCache(2);
    const [a, b] = [cache.use("a"), cache.use("b")];
    cache.use("a");
    expect(cache.use("c")).toMatchObject({ prepare: true, close: [b.name] });
    expect(cache.size).toBe(2);
    expect(cache.use("a").name).toBe(a.name);
    expect(cache.use("b").prepare).toBe(true);
  });

  it("are kept up to a length of all together, and a long one is not kept at all", () => {
    const cache = new StatementCache(1_000);
    const first = cache.use(`1${"x".repeat(60_000)}`);
    for (let place = 2; place <= 17; place += 1) cache.use(`${place}${"x".repeat(60_000)}`);
    expect(cache.size).toBe(17);
    expect(cache.use(`18${"x".repeat(60_000)}`).close).toEqual([first.name]);
    const long = "y".repeat(70_000);
    for (let time = 0; time < 2; time += 1)
      expect(cache.use(long)).toEqual({ name: "", prepare: true, close: [] });
    cache.failed();
    expect(cache.size).toBe(0);
    expect(cache.use("z").close).toEqual([first.name]);
  });

  it("that a failed batch did not get to are prepared and closed again", () => {
    const cache = new StatementCache(1);
    const a = cache.use("a");
    cache.prepared();
    cache.use("b");
    cache.failed();
    const again = cache.use("b");
    expect(again.prepare).toBe(true);
    expect(again.close).toContain(a.name);
    cache.prepared();
    cache.closed();
    cache.failed();
    expect(cache.use("b").prepare).toBe(false);
  });
});
