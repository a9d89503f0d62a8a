/** What a plane for others does not tell. */
import { getIntrospectionQuery } from "graphql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Plane, startPlane } from "./plane.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await startPlane("production");
}, 90_000);
afterAll(() => plane.close(), 30_000);

const paths = ["/graphql", "/director/graphql", "/connector/graphql", "/provisioner/graphql"];

it("the schema is served nowhere, however it is asked for", async () => {
  const questions = [
    getIntrospectionQuery(),
    `{ __type(name: "Query") { name } }`,
    "{ a: __schema { queryType { name } } }",
    "{ ...F } fragment F on Query { ... { __schema { types { name } } } }",
    "query($yes: Boolean = true) { __schema @include(if: $yes) { types { name } } }",
    `{ __typename __type(name: "Application") { fields { name } } }`,
  ];
  for (const path of paths) {
    for (const query of questions) {
      const answer = await plane.graph(
        query,
        {},
        { path, headers: { authorization: `Bearer ${plane.adminToken}` } },
      );
      expect([path, query, answer.json]).toEqual([
        path,
        query,
        {
          errors: [
            {
              message: "the schema is not served here",
              extensions: { code: "FORBIDDEN", error_code: 26 },
            },
          ],
        },
      ]);
    }
  }
});

it("who is not known learns nothing of a document, not even that it is wrong", async () => {
  for (const path of paths) {
    for (const query of ["{ viewer { id } }", "{ wrong", "{ vewer }", getIntrospectionQuery()]) {
      const { status, json } = await plane.graph(query, {}, { path });
      expect([path, query, status, json.errors[0].extensions.code]).toEqual([
        path,
        query,
        401,
        "UNAUTHENTICATED",
      ]);
    }
  }
});

it("there is no explorer", async () => {
  const answer = await plane.send(`${plane.publicURL}/graphql`, {
    headers: { accept: "text/html", authorization: `Bearer ${plane.adminToken}` },
  });
  expect(answer.text).not.toContain("<html");
});
