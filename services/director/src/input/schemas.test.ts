import { afterAll, describe, expect, it } from "vitest";
import { createSchemas } from "./schemas.ts";

const schemas = createSchemas();
afterAll(() => schemas.close());

/** Takes a time that doubles with every letter. */
const costly = { type: "string", pattern: "^(a+)+$" };
const attack = `${"a".repeat(40)}!`;

describe("a JSON Schema from outside", () => {
  it("says what is wrong with a value", async () => {
    const schema = { type: "object", required: ["size"] };
    expect(await schemas.fault(schema, { size: 1 })).toBeUndefined();
    expect(await schemas.fault(schema, {})).toContain("size");
    expect(await schemas.fault(false, 1)).toBeDefined();
  });

  it("that is none is named", async () => {
    expect(await schemas.schemaFault({ type: "object" })).toBeUndefined();
    expect(await schemas.schemaFault({ type: "no such" })).toMatch(/not a valid JSON Schema/);
    expect(await schemas.schemaFault({ $ref: "https://example.com/x" })).toMatch(/not a valid/);
    expect(await schemas.schemaFault({ $async: true })).toContain("$async");
    expect(await schemas.schemaFault(undefined)).toContain("must be a JSON Schema");
    expect(await schemas.fault({ type: "no such" }, 1)).toMatch(/the schema is not a valid/);
  });

  it("names the first of many values that it does not accept", async () => {
    const values = Array.from({ length: 1_200 }, (_, index) => (index === 777 ? "x" : index));
    expect(await schemas.firstFault({ type: "integer" }, values)).toMatchObject({ place: 777 });
    expect(await schemas.firstFault({ type: "integer" }, [])).toBeUndefined();
  });

  it("whose pattern never ends is given up, and holds up neither this thread nor other schemas", async () => {
    let turns = 0;
    const ticking = setInterval(() => (turns += 1), 5);
    const fault = schemas.fault(costly, attack);
    expect(await schemas.fault({ type: "integer" }, 1)).toBeUndefined();
    expect(await fault).toContain("within the limits of time and memory");
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(20);
    expect(await schemas.fault({ type: "integer" }, "x")).toContain("integer");
  });

  it("or a value that is too long is refused before a thread reads it", async () => {
    expect(await schemas.fault(true, "x".repeat(3_000_000))).toContain("at most");
    const long = { const: "x".repeat(2_000_000) };
    expect(await schemas.schemaFault(long)).toContain("at most");
    expect(await schemas.fault(long, 1)).toContain("at most");
  });

  it("that is as large and as branched as it may be neither ends the process nor holds up others", async () => {
    const branches = Array.from({ length: 20_000 }, (_, index) => ({ pattern: `${index}` }));
    const texts = Array.from({ length: 60_000 }, (_, index) => `text ${index}`);
    const names = Object.fromEntries(texts.slice(0, 30_000).map((text) => [text, true]));
    const tree = (depth: number): unknown =>
      depth === 0 ? { $ref: "#" } : { anyOf: [tree(depth - 1), tree(depth - 1)] };
    for (const schema of [{ anyOf: branches }, { enum: texts }, { properties: names }, tree(12)]) {
      await schemas.schemaFault(schema);
      await schemas.fault(schema, texts);
      expect(await schemas.fault({ type: "integer" }, 1)).toBeUndefined();
    }
  });

  it("is not waited for when the threads are closed", async () => {
    const own = createSchemas(60_000);
    const fault = own.fault(costly, attack);
    const waiting = own.fault(costly, attack);
    const third = own.fault(costly, attack);
    const refused = Promise.all(
      [fault, waiting, third].map((one) => expect(one).rejects.toThrow("closed")),
    );
    await own.close();
    await refused;
    await expect(own.schemaFault({})).rejects.toThrow("closed");
  });

  it("that is cheap costs no start of a thread", async () => {
    await schemas.fault({ type: "integer" }, 1);
    const before = performance.now();
    for (let index = 0; index < 500; index += 1) await schemas.fault({ type: "integer" }, index);
    expect((performance.now() - before) / 500).toBeLessThan(5);
  });
});
