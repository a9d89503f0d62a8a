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
