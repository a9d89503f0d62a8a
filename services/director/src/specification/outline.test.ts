import fc from "fast-check";
import { dump } from "js-yaml";
import { expect, it } from "vitest";
import { jsonOutline } from "./json-outline.ts";
import { MAX_DEPTH, MAX_NODES, TextFault } from "./limits.ts";
import { type Format, specificationFault, type SpecText } from "./parse.ts";
import { yamlOutline } from "./yaml-outline.ts";

const outcome = (read: () => unknown): "read" | "same name" | "refused" => {
  try {
    read();
    return "read";
  } catch (error) {
    if (!(error instanceof TextFault) && !(error instanceof SyntaxError)) throw error;
    return error.message.includes("same name") ? "same name" : "refused";
  }
};
const typeOf: Record<Format, SpecText["type"]> = {
  JSON: "OPEN_API",
  YAML: "OPEN_API",
  XML: "ODATA",
};
const faultOf = (format: Format, data: string) =>
  specificationFault({ type: typeOf[format], format, data });

it("JSON is read exactly when JSON.parse reads it, whatever is changed in it", () => {
  const text = fc.json({ maxDepth: 4 });
  const inserted = fc.constantFrom(
    ...['"', "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "t", " ", "\n", "\u0001", "é"],
  );
  fc.assert(
    fc.property(text, fc.nat(), inserted, fc.boolean(), (json, at, piece, cut) => {
      const place = at % (json.length + 1);
      const changed = json.slice(0, place) + piece + json.slice(place + (cut ? 1 : 0));
      for (const one of [json, changed]) {
        const read = outcome(() => jsonOutline(one));
        // Told before the rest is read; only a change can have made it.
        if (read === "same name") expect(one).not.toBe(json);
        else expect([one, read]).toEqual([one, outcome(() => JSON.parse(one))]);
      }
    }),
    { numRuns: 3_000 },
  );
});

it("the names at the root are those of the object, in JSON and in YAML", () => {
  const object = fc.dictionary(
    fc.string({ unit: "grapheme" }).filter((name) => name !== "__proto__"),
    fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.boolean())),
  );
  fc.assert(
    fc.property(object, (value) => {
      const names = Object.keys(value).toSorted();
      const texts = names.map((name) => typeof value[name] === "string");
      for (const outline of [jsonOutline(JSON.stringify(value)), yamlOutline(dump(value))]) {
        expect([...(outline?.keys() ?? [])].toSorted()).toEqual(names);
        expect(names.map((name) => outline?.get(name))).toEqual(texts);
      }
    }),
    { numRuns: 500 },
  );
});

it("whatever text it is given, a reader ends with a verdict and not with an error", () => {
  const piece = fc.constantFrom(
    ...["<", ">", "</a>", "<a b='", "&amp;", "<![CDATA[", "<!--", "<?", "&x;", "xmlns:a=''", "'"],
    ...[
      "? ",
      ": ",
      "- ",
      "&a ",
      "*a",
      "<<: ",
      "!!str ",
      "!<",
      "%TAG ! ",
      "---\n",
      "|\n",
      "\t",
      "\n",
    ],
    ...["{", "}", "[", "]", ",", '"', "\\u", "x", "1e", "\ud800", "\u0000", "\ufeff"],
  );
  const text = fc.oneof(
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(text, fc.constantFrom<Format>("JSON", "YAML", "XML"), (data, format) => {
      const fault = faultOf(format, data);
      expect(fault === undefined || (fault.length > 0 && fault.length < 300)).toBe(true);
    }),
    { numRuns: 3_000 },
  );
});

it("deep nesting is refused in every notation, and what is just not too deep is read", () => {
  const nested = (depth: number): readonly [Format, string][] => [
    ["JSON", `{"openapi":"3.1.0","a":${"[".repeat(depth)}${"]".repeat(depth)}}`],
    ["JSON", `{"openapi":"3.1.0","a":${'{"a":'.repeat(depth)}1${"}".repeat(depth)}}`],
    ["YAML", `openapi: 3.1.0\na: ${"[".repeat(depth)}${"]".repeat(depth)}\n`],
    ["XML", `<Edmx>${"<a>".repeat(depth)}${"</a>".repeat(depth)}</Edmx>`],
  ];
  for (const [format, data] of nested(10_000))
    expect([format, faultOf(format, data)]).toEqual([format, `is nested deeper than ${MAX_DEPTH}`]);
  for (const [format, data] of nested(MAX_DEPTH - 10))
    expect([format, faultOf(format, data)]).toEqual([format, undefined]);
  const blocks = Array.from({ length: 3_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n");
  expect(faultOf("YAML", blocks)).toContain("deeper");
});

it("aliases may not repeat more than a specification may have", () => {
  const lines = ["openapi: 3.1.0", "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"];
  for (let level = 1; level < 10; level += 1)
    lines.push(`a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`);
  expect(faultOf("YAML", lines.join("\n"))).toBe(
    `has more than ${MAX_NODES} values by its aliases`,
  );
  expect(faultOf("YAML", lines.slice(0, 5).join("\n"))).toBeUndefined();

  const text = "x".repeat(1_000_000);
  const repeated = `openapi: 3.1.0\na: &a "${text}"\nb: [${"*a, ".repeat(10_000)}]\n`;
  expect(faultOf("YAML", repeated)).toContain("aliases");
  // The reader puts the parts of such a key together to one text.
  const key = `a: &a "${text}"\n? [${"*a, ".repeat(10_000)}]\n: 1\n`;
  expect(faultOf("YAML", key)).toContain("aliases");

  const chain = ["openapi: 3.1.0", "a0: &a0 x"];
  for (let level = 1; level < 3_000; level += 1)
    chain.push(`a${level}: &a${level} [*a${level - 1}]`);
  expect(faultOf("YAML", chain.join("\n"))).toContain("deeper");
  const backwards = ["openapi: 3.1.0", "90000: &a0 x"];
  for (let level = 1; level < 50_000; level += 1)
    backwards.push(`${90_000 - level}: &a${level} [*a${level - 1}]`);
  expect(faultOf("YAML", backwards.join("\n"))).toContain("deeper");
  expect(faultOf("YAML", "openapi: 3.1.0\na: &a [*a]\n")).toBe("holds itself by an alias");
});

it("merge keys are names like others, so that they cannot multiply what is read", () => {
  expect(faultOf("YAML", "openapi: 3.1.0\na: &a {b: 1}\nc: {<<: *a}\n")).toBeUndefined();
});

it("huge numbers of names, values, elements and attributes are refused", () => {
  const names = Array.from({ length: MAX_NODES }, (_, index) => `"${index.toString(36)}":1`);
  expect(faultOf("JSON", `{"openapi":"3.1.0",${names.join(",")}}`)).toContain("more than");
  expect(faultOf("JSON", `{"openapi":"3.1.0","a":[${"[],".repeat(MAX_NODES)}1]}`)).toContain(
    "more than",
  );
  expect(faultOf("YAML", `openapi: 3.1.0\na:\n${"- {}\n".repeat(MAX_NODES)}`)).toContain(
    "more than",
  );
  expect(faultOf("XML", `<Edmx>${"<a/>".repeat(MAX_NODES)}</Edmx>`)).toContain("more than");
  const attributes = Array.from({ length: MAX_NODES }, (_, index) => ` a${index.toString(36)}=''`);
  expect(faultOf("XML", `<Edmx${attributes.join("")}/>`)).toContain("more than");
});

it("the same name twice is refused in every notation", () => {
  expect(faultOf("JSON", '{"openapi":"3.1.0",\n "a":{"b":1, "\\u0062":2}}')).toBe(
    "has the same name twice in one object at line 2, column 14",
  );
  expect(faultOf("YAML", "openapi: 3.1.0\na: 1\na: 2\n")).toContain("duplicated mapping key");
  expect(faultOf("XML", "<Edmx a='1' a='2'/>")).toContain("duplicate attribute");
});

it("what a text says is not repeated where it is told what is wrong with it", () => {
  for (const [format, data] of [
    ["JSON", '{"a": s3cret}'],
    ["JSON", '{"s3cret": 1, "s3cret": 2}'],
    ["YAML", "a: *s3cret"],
    ["YAML", "a: !s3cret 1"],
    ["YAML", "s3cret: 1\ns3cret: 2"],
    ["YAML", 'a: "s3cret'],
    ["XML", "<s3cret></other>"],
    ["XML", "<Edmx>&s3cret;</Edmx>"],
    ["XML", "<s3cret:a/>"],
    ["XML", "s3cret"],
  ] as const) {
    const fault = faultOf(format, data);
    expect([data, fault]).toEqual([data, expect.stringMatching(/./)]);
    expect(fault).not.toContain("s3cret");
  }
});
