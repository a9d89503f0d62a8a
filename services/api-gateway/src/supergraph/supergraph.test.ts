import { readFileSync } from "node:fs";
import { internal } from "@sextant/errors";
import { createDocumentReader, defaultLimits, type Operation } from "@sextant/graphql";
import { silentLogger } from "@sextant/logging";
import type { InternalClient } from "@sextant/service";
import { expect, it } from "vitest";
import { loadSupergraph } from "./supergraph.ts";

const sdl = readFileSync(new URL("../../../../schema/supergraph.graphql", import.meta.url), "utf8");

/** A service that answers everything so. */
const saying = (status: number, text: string): InternalClient => ({
  send: async () => ({ status, headers: {}, body: Buffer.from(text), text }),
  text: () => Promise.reject(new Error("not asked")),
  json: () => Promise.reject(new Error("not asked")),
  errorOf: () => internal("e-1", new Error("unreadable")),
  close: async () => undefined,
});
const viewer = saying(200, `{"data":{"viewer":{"id":"v"}}}`);
const query = "{ viewer { id } certificates { totalCount } }";

/** What the services say now. */
let current = { director: viewer, connector: viewer };
const service = (name: keyof typeof current): InternalClient => ({
  ...viewer,
  send: (call) => current[name].send(call),
});
const clients = {
  ...{ director: service("director"), connector: service("connector") },
  "runtime-provisioner": viewer,
};
const supergraph = loadSupergraph(sdl, clients, defaultLimits, silentLogger);
const document = createDocumentReader(supergraph.schema, defaultLimits)(query);
const [operation] = document.ok ? document.operations : [];

function ask(director: InternalClient, connector: InternalClient) {
  current = { director, connector };
  const identity = { consumer: { type: "USER", id: "u" }, scopes: [] } as const;
  const { signal } = new AbortController();
  return supergraph.execute({ query }, operation as Operation, { identity, headers: {}, signal });
}

const unknown = saying(
  401,
  `{"errors":[{"message":"who?","extensions":{"code":"UNAUTHENTICATED","error_code":26}}]}`,
);

it("a caller that no service knows is unknown, as when one service is asked alone", async () => {
  await expect(ask(unknown, unknown)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
});

it("what one service says about the request itself is at the places of its fields", async () => {
  const { text } = await ask(viewer, unknown);
  expect(JSON.parse(text)).toEqual({
    data: null,
    errors: [
      {
        message: "who?",
        locations: [{ line: 1, column: 17 }],
        path: ["certificates"],
        extensions: { code: "UNAUTHENTICATED", error_code: 26 },
      },
    ],
  });
});

it("a service that ends is away, and one whose answer cannot be read has failed", async () => {
  const ending = saying(503, "");
  const told = async (connector: InternalClient) =>
    JSON.parse((await ask(viewer, connector)).text).errors[0].extensions;
  expect(await told(ending)).toEqual({ code: "INTERNAL", error_code: 10, retryAfter: 1 });
  for (const text of ["", "<html>", "[]", "null", `"data"`])
    expect(await told(saying(200, text))).toMatchObject({ code: "INTERNAL", errorId: "e-1" });
});

it("a supergraph with a service that is not known is not loaded", () => {
  expect(() => loadSupergraph(sdl, { director: viewer }, defaultLimits, silentLogger)).toThrow(
    /which is not known/,
  );
});
