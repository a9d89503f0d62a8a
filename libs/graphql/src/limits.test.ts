import { readFileSync } from "node:fs";
import { buildASTSchema, type GraphQLError, parse } from "graphql";
import { describe, expect, it } from "vitest";
import { coerceVariables } from "./coerce.ts";
import { createCost } from "./cost.ts";
import { createDocumentReader, type Operation } from "./document.ts";
import { defaultLimits, limitsOf } from "./limits.ts";

const published = readFileSync(
  new URL("../../../schema/supergraph.graphql", import.meta.url),
  "utf8",
);
const schema = buildASTSchema(parse(published), { assumeValidSDL: true });
const read = createDocumentReader(schema, defaultLimits);
const objectsOf = createCost(schema);

function operation(query: string): Operation {
  const document = read(query);
  if (!document.ok) throw new Error(document.errors[0]?.message);
  return document.operations[0] as Operation;
}
const objects = (query: string, variables = {}) => objectsOf(operation(query), variables);
function faults(query: string): string {
  const document = read(query);
  return document.ok ? "" : document.errors.map(({ message }) => message).join("\n");
}

const definition = `data { id name description version { value deprecated } }`;
const bundles = `bundles { data { id name description instanceAuthRequestInputSchema defaultInstanceAuth { credential { ... on BasicCredentialData { username password } } }
  apiDefinitions { ${definition} } eventDefinitions { ${definition} } documents { data { id title displayName kind } } } }`;
const published200 = (alias = "x") =>
  `${alias}: applicationsForRuntime(runtimeID: "r") { data { id name providerName description labels ${bundles} } pageInfo { endCursor } totalCount }`;

describe("the objects of an operation", () => {
  it("are counted as if every page were full", () => {
    expect(objects("{ viewer { id } }")).toBe(0);
    expect(objects("{ applications { totalCount } }")).toBe(0);
    expect(objects("{ applications { data { id } } }")).toBe(200);
    expect(
      objects("{ applications(first: 3) { data { id bundles(first: 5) { data { id } } } } }"),
    ).toBe(18);
    expect(objects(`{ application(id: "x") { bundles { data { id } } } }`)).toBe(200);
    expect(objects("{ applications(first: 3) { data { webhooks { id } } } }")).toBe(3 + 3000);
    expect(
      objects(`mutation { unregisterApplication(id: "x") { bundles(first: 7) { data { id } } } }`),
    ).toBe(7);
  });

  it("follow from variables and their defaults, whatever is sent", () => {
    const query =
      "query($n: Int = 50) { applications(first: $n) { data { bundles { data { id } } } } }";
    expect(objects(query, { n: 50 })).toBe(50 + 10_000);
    expect(objects(query, { n: 1 })).toBe(201);
    expect(objects(query, {})).toBe(200 + 40_000);
    expect(objects(query, { n: null })).toBe(200 + 40_000);
    expect(objects(query, { n: -5 })).toBe(0);
    expect(objects(query, { n: 1e9 })).toBe(200 + 40_000);
  });

  it("are counted once where selections are merged, and for each alias", () => {
    expect(
      objects(
        "{ applications { data { id } } ...F ... on Query { applications { data { name } } } } fragment F on Query { applications { data { labels } } }",
      ),
    ).toBe(200);
    expect(objects("{ a: applications { data { id } } b: applications { data { id } } }")).toBe(
      400,
    );
    expect(
      objects("query($x: Boolean!) { applications @skip(if: $x) { data { id } } }", { x: true }),
    ).toBe(200);
  });

  it("leave room for what published clients ask of whole pages, and not for several of it", () => {
    expect(objects(`{ ${published200()} }`)).toBe(24_040_200);
    expect(objects(`{ ${published200()} }`)).toBeLessThan(defaultLimits.objects);
    const three = `{ ${["a", "b", "c"].map(published200).join(" ")} }`;
    expect(objects(three)).toBeGreaterThan(defaultLimits.objects);
    const credentials = "instanceAuths { id status { condition } }";
    const all = bundles.replace("apiDefinitions", `${credentials} apiDefinitions`);
    expect(objects(`{ applications { data { id auths { id } webhooks { id } ${all} } } }`)).toBe(
      64_440_200,
    );
  });
});

describe("a document", () => {
  it("is refused for each limit that it exceeds, all at once", () => {
    const small = limitsOf({
      SEXTANT_MAX_DOCUMENT: 1_000,
      SEXTANT_MAX_TOKENS: 100,
      SEXTANT_MAX_DEPTH: 2,
      SEXTANT_MAX_FIELDS: 3,
      SEXTANT_MAX_ROOT_FIELDS: 1,
      SEXTANT_MAX_OBJECTS: 200,
    });
    const document = createDocumentReader(
      schema,
      small,
    )("{ a: applications { data { id } } b: applications { totalCount } }");
    const [error] = document.ok ? [] : document.errors;
    expect(error?.message).toBe(
      "validation error for type Operation: depth: 3 selections inside each other, at most 2 are allowed: ask for what is deeper by its own id; fields: 5 fields, fragments put in their places, at most 3 are allowed: ask in several operations; rootFields: 2 fields of its root, at most 1 are allowed: send several operations.",
    );
  });

  it("is measured with its fragments, however they multiply, in no time", () => {
    const depth = 200;
    const fragments = Array.from(
      { length: depth },
      (_, index) => `fragment F${index} on Application { ${`...F${index + 1} `.repeat(20)} }`,
    );
    const started = performance.now();
    expect(
      faults(
        `{ applications { data { ...F0 } } } ${fragments.join(" ")} fragment F${depth} on Application { id }`,
      ),
    ).toContain("fields: more than can be counted fields");
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("with a fragment that leads to itself, or to nothing, is told so", () => {
    expect(faults("{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }")).toContain(
      "itself",
    );
    expect(faults("{ ...Nowhere }")).toContain('Unknown fragment "Nowhere"');
  });

  it("is parsed once, as long as not too much was read since", () => {
    const reader = createDocumentReader(schema, defaultLimits);
    const first = reader("{ viewer { id } }");
    expect(reader("{ viewer { id } }")).toBe(first);
    for (let place = 0; place < 20; place += 1)
      reader(`{ viewer { type } } #${place}${"x".repeat(60_000)}`);
    expect(reader("{ viewer { id } }")).not.toBe(first);
  });

  it("nested without end is refused, whatever is nested", () => {
    const value = `${"[".repeat(4_900)}${"]".repeat(4_900)}`;
    expect(
      faults(`mutation { setRuntimeLabel(runtimeID: "x", key: "k", value: ${value}) { key } }`),
    ).toMatch(/nested too deeply/);
    expect(faults(`${"{ viewer ".repeat(1_000)}${"}".repeat(1_000)}`)).toMatch(/depth: 1000/);
  });

  it("that cannot be parsed costs no more than its length, and is not read aloud", () => {
    const started = performance.now();
    for (const query of [
      `{ ${"a".repeat(60_000)} (`,
      `{ ${"a ".repeat(4_000)}`,
      `{ a ${"(".repeat(9_000)}`,
      `{ ${'"""'.repeat(9_001)}`,
      `{ a(x: "geheim" "geheim" }`,
    ]) {
      expect(faults(query)).not.toBe("");
      expect(faults(query)).not.toContain("geheim");
    }
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("variables", () => {
  const coerce = (query: string, variables: object) => {
    const coerced = coerceVariables(
      schema,
      operation(query).node,
      variables as Record<string, unknown>,
    );
    return coerced.ok ? coerced.values : coerced.errors.map((error: GraphQLError) => error.message);
  };
  const add = `mutation($a: ID!, $in: WebhookInput!) { addWebhook(applicationID: $a, in: $in) { id } }`;

  it("take their defaults, and nulls where they may be null", () => {
    const query =
      "query($n: Int = 3, $c: PageCursor) { applications(first: $n, after: $c) { totalCount } }";
    expect(coerce(query, {})).toEqual({ n: 3 });
    expect(coerce(query, { n: null, c: "x" })).toEqual({ n: null, c: "x" });
  });

  it("that are wrong are told all at once, by their places, without values and suggestions", () => {
    const wrong = coerce(add, {
      in: {
        type: "CONFIGURATION_CHANGE",
        url: { secret: "geheim" },
        auth: { credential: { basc: "geheim" } },
        timeout: "geheim",
      },
    });
    expect(wrong).toEqual([
      'Variable "$a" of required type "ID!" was not provided.',
      'Variable "$in" got invalid value at "in.type"; Value "CONFIGURATION_CHANGE" does not exist in "WebhookType" enum.',
      'Variable "$in" got invalid value at "in.url"; String cannot represent a non string value.',
      'Variable "$in" got invalid value at "in.auth.credential"; Field "basc" is not defined by type "CredentialDataInput".',
      'Variable "$in" got invalid value at "in.timeout"; Int cannot represent non-integer value.',
    ]);
  });

  it("may be called by names that JavaScript gives a meaning", () => {
    const query =
      "query($__proto__: Int, $constructor: PageCursor) { applications(first: $__proto__, after: $constructor) { totalCount } }";
    expect(coerce(query, JSON.parse('{"__proto__":5,"constructor":"c"}') as object)).toEqual(
      Object.assign(Object.create(null), JSON.parse('{"constructor":"c"}'), { ["__proto__"]: 5 }),
    );
    expect(coerce(query, {})).toEqual({});
  });
});
