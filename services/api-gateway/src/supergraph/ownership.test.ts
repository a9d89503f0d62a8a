import { readFileSync } from "node:fs";
import { createDocumentReader, defaultLimits } from "@sextant/graphql";
import { buildASTSchema, parse } from "graphql";
import { expect, it } from "vitest";
import { readOwnership, singleService } from "./ownership.ts";

const sdl = readFileSync(new URL("../../../../schema/supergraph.graphql", import.meta.url), "utf8");
const document = parse(sdl);
const schema = buildASTSchema(document, { assumeValidSDL: true });
const ownership = readOwnership(document);
const read = createDocumentReader(schema, defaultLimits);

const serviceOf = (query: string): string | undefined => {
  const found = read(query);
  if (!found.ok) throw new Error(found.errors[0]?.message);
  return singleService(ownership, schema, found.operations[0] as never);
};

it("an operation that one service knows whole goes to it", () => {
  expect(
    serviceOf("{ applications { data { id labels bundles { totalCount } } } viewer { id } }"),
  ).toBe("director");
  expect(serviceOf("{ configuration { token { token } } }")).toBe("connector");
  expect(serviceOf("{ runtimes { data { ...R } } } fragment R on Runtime { id name }")).toBe(
    "director",
  );
  expect(serviceOf("{ __typename viewer { __typename } }")).toBe("director");
});

it("an operation that needs several services, or asks for the schema, goes to none alone", () => {
  expect(serviceOf("{ runtimes { data { id certificates { totalCount } } } }")).toBeUndefined();
  expect(
    serviceOf(
      "{ runtimes { data { ...R } } } fragment R on Runtime { provisioning { runtimeID } }",
    ),
  ).toBeUndefined();
  expect(serviceOf("{ viewer { id } certificates { totalCount } }")).toBeUndefined();
  expect(serviceOf("{ __schema { queryType { name } } }")).toBeUndefined();
});
