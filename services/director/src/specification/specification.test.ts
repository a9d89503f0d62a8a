import { afterAll, describe, expect, it } from "vitest";
import { createSpecifications } from "./checker.ts";
import type { Format, SpecText, SpecType } from "./parse.ts";
import { specInput } from "./specification.ts";

const specifications = createSpecifications();
afterAll(() => specifications.close());
const checkSpecification = (text: SpecText) => specifications.fault(text);

const spec = (type: SpecType, format: Format, data: string): SpecText => ({ type, format, data });
/** The faults of an input, as `field: message`. */
const faultsOf = async (input: unknown): Promise<readonly string[]> => {
  const checks = { specifications, allowPrivateTargets: false };
  const { error } = await specInput(checks).safeParseAsync(input);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join(".")}: ${message}`);
};
const openAPI = '{"openapi":"3.1.0","info":{"title":"t","version":"1"}}';

describe("a specification", () => {
  it("is accepted in each of its notations", async () => {
    const edmx = '<edmx:Edmx xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx" Version="4.0"/>';
    for (const good of [
      spec("OPEN_API", "JSON", openAPI),
      spec("OPEN_API", "YAML", "swagger: '2.0'\ninfo: {}\n"),
      spec("ASYNC_API", "YAML", "asyncapi: 3.0.0\n"),
      spec("ODATA", "XML", edmx),
      spec("ODATA", "JSON", "{}"),
    ]) {
      expect(await checkSpecification(good)).toBeUndefined();
    }
  });

  it("that is something else, or does not parse, is named", async () => {
    expect(await checkSpecification(spec("OPEN_API", "JSON", "{"))).toMatch(/^is not valid JSON/);
    expect(await checkSpecification(spec("OPEN_API", "YAML", "a: [1"))).toMatch(
      /^is not valid YAML/,
    );
    expect(await checkSpecification(spec("ODATA", "XML", "<a><b></a>"))).toMatch(
      /^is not valid XML/,
    );
    expect(await checkSpecification(spec("OPEN_API", "JSON", '{"asyncapi":"3.0.0"}'))).toContain(
      "not OPEN_API",
    );
    expect(await checkSpecification(spec("ASYNC_API", "JSON", openAPI))).toContain("not ASYNC_API");
    expect(await checkSpecification(spec("OPEN_API", "YAML", "just words"))).toBe(
      "must be an object",
    );
  });

  it("of a notation that its type does not have is refused", async () => {
    expect(await faultsOf(spec("OPEN_API", "XML", "<a/>"))).toEqual([
      "format: OPEN_API is YAML or JSON, not XML",
    ]);
  });

  it("is either given or fetched", async () => {
    const fetchRequest = { url: "https://example.com/spec" };
    const fetched = { type: "OPEN_API", format: "JSON", fetchRequest };
    expect(await faultsOf(fetched)).toEqual([]);
    const oneOf = "data: give exactly one of data and fetchRequest";
    expect(await faultsOf({ ...fetched, data: openAPI })).toEqual([oneOf]);
    expect(await faultsOf({ ...fetched, fetchRequest: null })).toEqual([oneOf]);
  });

  it("with a document type is refused before an entity can grow", async () => {
    const bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>';
    expect(await checkSpecification(spec("ODATA", "XML", bomb))).toContain(
      "document type is not allowed",
    );
  });

  it("of a megabyte is read without holding up other work", async () => {
    const paths = Array.from(
      { length: 20_000 },
      (_, index) => `  /things/${index}:\n    get: { description: "one of many" }`,
    );
    const large = spec("OPEN_API", "YAML", `openapi: 3.1.0\npaths:\n${paths.join("\n")}\n`);
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 1);
    expect(await checkSpecification(large)).toBeUndefined();
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
  });
});
