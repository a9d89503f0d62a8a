import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRateLimiter } from "./rate-limiter.ts";

function given(perSecond: number, burst: number, maxKeys?: number) {
  let time = 1_000_000;
  const limiter = createRateLimiter({ perSecond, burst }, () => time, maxKeys);
  return {
    ...limiter,
    pass: (milliseconds: number) => (time += milliseconds),
    /** Whether it was let through. */
    try(key: string, cost = 1): boolean {
      if (limiter.wait(key, cost) > 0) return false;
      limiter.take(key, cost);
      return true;
    },
  };
}

describe("the rate limiter", () => {
  it("lets a burst through at once, and then one unit an interval", () => {
    const limiter = given(10, 3);
    expect([1, 2, 3, 4].map(() => limiter.try("a"))).toEqual([true, true, true, false]);
    expect(limiter.wait("a", 1)).toBe(100);
    limiter.pass(99);
    expect(limiter.try("a")).toBe(false);
    limiter.pass(1);
    expect(limiter.try("a")).toBe(true);
    expect(limiter.try("a")).toBe(false);
  });

  it("counts each key alone", () => {
    const limiter = given(1, 1);
    expect(limiter.try("a")).toBe(true);
    expect(limiter.try("b")).toBe(true);
    expect(limiter.try("a")).toBe(false);
  });

  it("lets what costs more than the burst through after a rest, and only then", () => {
    const limiter = given(1, 5);
    expect(limiter.try("a", 50)).toBe(true);
    expect(limiter.try("a", 50)).toBe(false);
    limiter.pass(4_999);
    expect(limiter.try("a", 50)).toBe(false);
    limiter.pass(1);
    expect(limiter.try("a", 50)).toBe(true);
  });

  it("makes who is refused wait no longer for having asked", () => {
    const limiter = given(1, 1);
    limiter.try("a");
    for (let again = 0; again < 100; again += 1) limiter.try("a");
    expect(limiter.wait("a", 1)).toBe(1_000);
  });

  it("forgets who was quiet longest when there are too many keys", () => {
    const limiter = given(1, 1, 2);
    for (const key of ["a", "b", "c"]) limiter.try(key);
    expect(limiter.try("b")).toBe(false);
    expect(limiter.try("a")).toBe(true);
  });

  it("never lets more through in any time than the burst and what the rate gives", () => {
    const step = fc.record({
      rest: fc.integer({ min: 0, max: 400 }),
      cost: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const limiter = given(10, 4);
        let [passed, units] = [0, 0];
        for (const { rest, cost } of steps) {
          limiter.pass(rest);
          passed += rest;
          if (limiter.try("a", cost)) units += cost;
        }
        expect(units).toBeLessThanOrEqual(4 + passed / 100 + 1e-6);
      }),
    );
  });
});
