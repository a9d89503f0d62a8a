import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalElement, elementsOf, isComparable } from "./label-element.ts";

describe("a label's element", () => {
  it("is the same for the same JSON value, however it is written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const spaced = JSON.parse(JSON.stringify(value, null, 3)) as unknown;
        expect(canonicalElement(spaced)).toBe(canonicalElement(value));
      }),
    );
    expect(canonicalElement({ b: 1, a: [1.0] })).toBe(
      canonicalElement(JSON.parse('{"a":[1],"b":1e0}')),
    );
  });

  it("differs for different values, long ones too", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), fc.string({ maxLength: 400 }), (one, other) => {
        expect(canonicalElement(one) === canonicalElement(other)).toBe(one === other);
      }),
    );
    expect(canonicalElement("1")).not.toBe(canonicalElement(1));
  });

  it("fits into an index entry, whatever its length", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 150, maxLength: 3000, unit: "grapheme" }), (text) => {
        expect(Buffer.byteLength(canonicalElement(text))).toBeLessThan(2_000);
      }),
    );
  });

  it("is each of an array's, once; anything else is its own", () => {
    expect(elementsOf(["a", "b", "a"])).toEqual(['"a"', '"b"']);
    expect(elementsOf([])).toEqual([]);
    expect(elementsOf("a")).toEqual(['"a"']);
    expect(elementsOf({ a: ["b"] })).toEqual(['{"a":["b"]}']);
    expect(elementsOf(null)).toEqual(["null"]);
  });
});

describe("a value that PostgreSQL cannot compare", () => {
  it("is recognised wherever the trouble is", () => {
    for (const value of ["\0", "\ud800", { "\0": 1 }, [["\udc00"]], Infinity]) {
      expect(isComparable(value)).toBe(false);
    }
    expect(isComparable({ a: ["\u{1F600}", 1.5, null, true] })).toBe(true);
  });
});
