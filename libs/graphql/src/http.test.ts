import type { Caller } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { listen, type Listener, requestListener } from "@sextant/service";
import { buildSchema } from "graphql";
import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExecutor, graphqlRoute } from "./index.ts";

const caller: Caller = {
  service: "api-gateway",
  identity: { consumer: { type: "USER", id: "u" }, scopes: [] },
};
let listener: Listener;
let url: string;

beforeAll(async () => {
  const executor = createExecutor({
    schema: buildSchema(
      "type Query { hello(name: String): String! } type Mutation { shout: Int! whisper: Int! }",
    ),
    sdl: "",
    declarations: { types: {}, queries: {} },
    resolvers: {
      Query: { hello: async ({ name }: { name?: string }) => `hello ${name ?? "you"}` },
      Mutation: {
        shout: () => Promise.reject(new Error("internal detail")),
        whisper: async () => 1,
      },
    },
    registry: { read: () => Promise.reject(new Error("nothing is read here")) },
    log: silentLogger,
    parameters: {},
    introspection: true,
  });
  const route = graphqlRoute({
    path: "/graphql",
    executor,
    authenticate: () => caller,
    maxBody: 100_000,
    log: silentLogger,
  });
  listener = await listen({
    address: { host: "127.0.0.1", port: 0 },
    listener: requestListener([route], silentLogger),
    log: silentLogger,
  });
  url = `http://127.0.0.1:${listener.port}/graphql`;
});
afterAll(() => listener.close(100));

const post = async (body: unknown): Promise<{ status: number; body: Record<string, unknown> }> => {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: (await reply.json()) as Record<string, unknown> };
};

describe("the audits of GraphQL over HTTP", () => {
  for (const audit of serverAudits({ url: () => url, fetchFn: fetch })) {
    it(`${audit.id} ${audit.name}`, async () => {
      const result = await audit.fn();
      expect(result.status === "ok" ? "ok" : (result as { reason: string }).reason).toBe("ok");
    });
  }
});

describe("an operation", () => {
  it("with empty parentheses is understood, and a text that looks like them is left alone", async () => {
    expect((await post({ query: "{ hello() }" })).body).toEqual({ data: { hello: "hello you" } });
    expect((await post({ query: '{ a: hello() b: hello(name: "f()") }' })).body).toEqual({
      data: { a: "hello you", b: "hello f()" },
    });
  });

  it("of which there are several is chosen by its name, and refused without one", async () => {
    const query = "query A { a: hello } query B { b: hello }";
    expect((await post({ query, operationName: "B" })).body).toEqual({ data: { b: "hello you" } });
    expect((await post({ query })).body["errors"]).toBeDefined();
    expect((await post({ query, operationName: "C" })).body["errors"]).toBeDefined();
  });

  it("that fails inside shows an id and nothing of the fault, and stops the mutations behind it", async () => {
    const { body } = await post({ query: "mutation { shout whisper }" });
    expect(body["data"]).toBeNull();
    expect(JSON.stringify(body)).not.toContain("internal detail");
    expect(body["errors"]).toMatchObject([
      { path: ["shout"], extensions: { code: "INTERNAL", error_code: 10 } },
    ]);
  });

  it("that misspells a field is not told the right name", async () => {
    const { body } = await post({ query: "{ helo }" });
    expect(JSON.stringify(body)).not.toContain("hello");
  });
});
