import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeName,
  encodeName,
  formatSubject,
  NameError,
  parseSubject,
  type NameAttribute,
} from "./name.ts";
import { readDer } from "./reader.ts";

const value = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 16 })
  .filter(
    (text) =>
      text === text.trim() &&
      !/[\p{Cc}]/u.test(text) &&
      text.isWellFormed() &&
      [...text].length <= 64,
  );
const attributes: fc.Arbitrary<NameAttribute[]> = fc
  .tuple(
    fc.uniqueArray(fc.constantFrom("O", "OU", "L", "ST", "CN"), { minLength: 1 }),
    fc.infiniteStream(value),
  )
  .map(([types, values]) =>
    types.map((type) => ({ type: type as NameAttribute["type"], value: values.next().value })),
  );

describe("a subject", () => {
  it("comes back from its text and from its DER as it was", () => {
    fc.assert(
      fc.property(attributes, (subject) => {
        expect(parseSubject(formatSubject(subject))).toEqual(subject);
        expect(decodeName(readDer(encodeName(subject)))).toEqual(subject);
      }),
    );
  });

  it("keeps commas, equals signs and backslashes of a value inside the value", () => {
    const subject: NameAttribute[] = [
      { type: "O", value: 'Smith, "Sons" + Co; <x>\\' },
      { type: "CN", value: "#1=2,O=evil" },
    ];
    const text = formatSubject(subject);
    expect(text).toBe(String.raw`O=Smith\, \"Sons\" \+ Co\; \<x\>\\,CN=\#1=2\,O=evil`);
    expect(parseSubject(text)).toEqual(subject);
  });

  it("reads the order in which it is written", () => {
    expect(
      parseSubject("O=Org,OU=Unit,L=Town,ST=State,C=DE,CN=id")
        .map(({ type }) => type)
        .join(),
    ).toBe("O,OU,L,ST,C,CN");
  });

  it.each([
    ["", "expected"],
    ["O=", "O is empty"],
    ["O=a,", "expected"],
    ["O=a,,CN=b", "expected"],
    ["X=a", "expected"],
    ["O=a,O=b", "O occurs twice"],
    ["C=DEU", "country code"],
    ["C=D1", "country code"],
    [`CN=${"x".repeat(65)}`, "longer than 64"],
    ["CN= a", "white space"],
    ["CN=a ", "white space"],
    ["CN=a\nb", "control characters"],
    ["CN=a\u0000", "control characters"],
    ["CN=a+OU=b", "backslash"],
    ['CN="a"', "backslash"],
    ["CN=#0c01", "backslash"],
    ["CN=a\\", "wrong escape"],
    ["CN=a\\41", "wrong escape"],
    ["CN=\ud800", "Unicode"],
  ])("%j is refused: %s", (text, message) => {
    expect(() => parseSubject(text)).toThrow(NameError);
    expect(() => parseSubject(text)).toThrow(message);
  });
});
