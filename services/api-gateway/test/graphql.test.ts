/** What GraphQL promises at every endpoint of the gateway, and at every service's own. */
import { createPrivateKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSigner, scopes, type ServiceName } from "@sextant/identity";
import { getIntrospectionQuery } from "graphql";
import { serverAudits } from "graphql-http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Plane, startPlane } from "./plane.ts";

/** An endpoint: where it is, a field without arguments, and a mutation that nobody may carry out unnoticed. */
type Endpoint = {
  readonly path: string;
  readonly service?: Exclude<ServiceName, "registry" | "api-gateway">;
  readonly field: string;
  readonly mutation: string;
};

const register = `registerRuntime(in: { name: "from-get" }) { id }`;
const paths: readonly Endpoint[] = [
  { path: "/graphql", field: "viewer { type }", mutation: register },
  { path: "/director/graphql", field: "viewer { type }", mutation: register },
  {
    path: "/connector/graphql",
    field: "certificates { totalCount }",
    mutation: "revokeCertificate",
  },
  {
    path: "/provisioner/graphql",
    field: "runtimeOperations { totalCount }",
    mutation: `cancelOperation(id: "x") { id }`,
  },
];
const own = (["director", "connector", "runtime-provisioner"] as const).map((service, index) => ({
  ...(paths[index + 1] as Endpoint),
  path: "/graphql",
  service,
}));

let plane: Plane;
let internal: Readonly<Record<string, string>>;
beforeAll(async () => {
  plane = await startPlane();
  await plane.services["runtime-provisioner"].start();
  const signer = createSigner({
    service: "api-gateway",
    kid: (
      JSON.parse(readFileSync(join(plane.keysOf("api-gateway"), "trust.json"), "utf8")) as {
        issuers: Record<string, readonly { kid: string }[]>;
      }
    ).issuers["api-gateway"]?.[0]?.kid as string,
    privateKey: createPrivateKey(
      readFileSync(join(plane.keysOf("api-gateway"), "service-key.pem")),
    ),
    now: Date.now,
  });
  const { tenants } = await plane.ask("{ tenants { internalID } }");
  const identity = {
    tenant: tenants[0].internalID as string,
    consumer: { type: "USER", id: "admin" },
    scopes: [...scopes],
  } as const;
  internal = Object.fromEntries(
    own.map(
      ({ service }) =>
        [service, signer.authorizationFor(service as ServiceName, identity)] as const,
    ),
  );
}, 90_000);
afterAll(() => plane.close(), 30_000);

type Sent = { readonly method?: string; readonly headers?: object; readonly body?: string };

/** Sends to an endpoint as its own kind of admin. */
async function send({ path, service }: Endpoint, search: string, sent: Sent): Promise<Answer> {
  const headers = { ...sent.headers } as Record<string, string>;
  if (service === undefined) {
    headers["authorization"] = `Bearer ${plane.adminToken}`;
    return plane.send(`${plane.publicURL}${path}${search}`, {
      method: sent.method ?? "GET",
      headers,
      ...(sent.body === undefined ? {} : { body: sent.body }),
    });
  }
  headers["authorization"] = internal[service] as string;
  const reply = await fetch(`${plane.services[service].url}${path}${search}`, {
    method: sent.method ?? "GET",
    headers,
    ...(sent.body === undefined ? {} : { body: sent.body }),
  });
  const text = await reply.text();
  const json: unknown = text.startsWith("{") ? JSON.parse(text) : undefined;
  return {
    status: reply.status,
    headers: Object.fromEntries(reply.headers.entries()),
    text,
    json,
  };
}

const post = (endpoint: Endpoint, body: unknown, accept = "application/graphql-response+json") =>
  send(endpoint, "", {
    method: "POST",
    headers: { "content-type": "application/json", accept },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const messageOf = (answer: Answer): string =>
  `${String(answer.status)} ${String(answer.json?.errors?.[0]?.extensions.code)}: ${String(answer.json?.errors?.[0]?.message)}`;

for (const endpoint of [...paths, ...own]) {
  const { field, mutation } = endpoint;
  describe(`${endpoint.service ?? "the gateway"} at ${endpoint.path}`, () => {
    it("passes every audit of GraphQL over HTTP", async () => {
      const fetchFn = async (url: string, init: Sent = {}) => {
        const answer = await send(endpoint, new URL(url).search, init);
        return new Response(answer.status === 204 ? null : answer.text, {
          status: answer.status,
          headers: answer.headers as Record<string, string>,
        });
      };
      const failed: string[] = [];
      const audits = serverAudits({ url: () => "http://endpoint/", fetchFn });
      expect(audits).toHaveLength(61);
      for (const audit of audits) {
        const result = await audit.fn();
        if (result.status !== "ok") failed.push(`${audit.id} ${audit.name}: ${result.reason}`);
      }
      expect(failed).toEqual([]);
    });

    it("carries out one operation a request: a batch is a 400 that says so", async () => {
      const query = `{ ${field} }`;
      expect(messageOf(await post(endpoint, [{ query }, { query }]))).toBe(
        "400 INVALID_DATA: the body must be one JSON object with `query`; batches are not served",
      );
    });

    it("carries out queries by GET, and mutations only by POST", async () => {
      const get = (query: string) =>
        send(endpoint, `?query=${encodeURIComponent(query)}`, {
          headers: { accept: "application/graphql-response+json" },
        });
      expect((await get(`{ ${field} }`)).json.data).toBeDefined();
      const refused = await get(`mutation { ${mutation} }`);
      expect([refused.status, refused.headers["allow"]]).toEqual([405, "POST"]);
      expect(messageOf(refused)).toContain("a mutation must be sent by POST");
    });

    it("carries out the named one of several operations, and tells when none is meant", async () => {
      const query = `query A { ${field} } query B { b: ${field} }`;
      expect(
        Object.keys((await post(endpoint, { query, operationName: "B" })).json.data as object),
      ).toEqual(["b"]);
      expect(messageOf(await post(endpoint, { query }))).toBe(
        "400 INVALID_DATA: the document has several operations: say which by operationName",
      );
      expect(messageOf(await post(endpoint, { query, operationName: "C" }))).toBe(
        '400 INVALID_DATA: there is no operation named "C"',
      );
      expect(
        messageOf(await post(endpoint, { query: "fragment F on Query { __typename }" })),
      ).toMatch(/^400 INVALID_DATA: /);
    });

    it("takes empty parentheses for no arguments", async () => {
      const query = `{ ${field.replace(" ", "() ")} }`;
      expect((await post(endpoint, { query })).json.errors).toBeUndefined();
      expect((await post(endpoint, { query: `query Q () ${query}` })).json.errors).toBeUndefined();
    });

    it("tells no name that was not asked for, and no value that was sent", async () => {
      const name = /\w+/.exec(field)?.[0] as string;
      const misspelt = `${name.slice(0, -1)}`;
      for (const query of [`{ ${misspelt} { id } }`, `{ ${name}(frist: 1) { __typename } }`]) {
        const answer = await post(endpoint, { query });
        expect(answer.text).not.toContain("Did you mean");
        expect(answer.json.errors[0].extensions).toEqual({ code: "INVALID_DATA", error_code: 22 });
      }
    });

    it("refuses what asks too much before any work, and names the limit, the amount and the remedy", async () => {
      const deep = `${"{ a ".repeat(30)}${"}".repeat(30)}`;
      const cases: readonly (readonly [string, string])[] = [
        [
          deep,
          "depth: 30 selections inside each other, at most 20 are allowed: ask for what is deeper by its own id.",
        ],
        [
          `{ ${Array.from({ length: 51 }, (_, index) => `a${index}: ${field}`).join(" ")} }`,
          "rootFields: 51 fields of its root, at most 50 are allowed: send several operations.",
        ],
        [
          `mutation { ${Array.from({ length: 60 }, (_, index) => `a${index}: ${mutation}`).join(" ")} }`,
          "rootFields: 60 fields of its root, at most 50",
        ],
        [
          `{ ${"__typename ".repeat(10_001)} }`,
          "tokens: more than 10000 tokens, at most 10000 are allowed: ask in several operations.",
        ],
        [
          `{ ...A } fragment A on Query { ...B ...B ...B ...B ...B ...B ...B ...B ...B ...B } fragment B on Query { ${"__typename ".repeat(600)} }`,
          "fields: 6000 fields, fragments put in their places, at most 5000 are allowed",
        ],
        [
          `{ __typename #${"x".repeat(24_000_000)}\n}`,
          "document: 24000016 characters, at most 24000000 are allowed: send large values as variables.",
        ],
      ];
      for (const [query, message] of cases) {
        const answer = await post(endpoint, { query });
        // Two services take smaller bodies altogether.
        if (/type request: body: is larger than \d+ bytes/.test(messageOf(answer))) continue;
        expect(messageOf(answer)).toContain(
          "400 INVALID_DATA: validation error for type Operation: ",
        );
        expect(messageOf(answer)).toContain(message);
        expect(answer.json.data).toBeUndefined();
      }
    });

    it("serves the explorer's questions about the schema on a local plane", async () => {
      const query = getIntrospectionQuery({
        inputValueDeprecation: true,
        specifiedByUrl: true,
        schemaDescription: true,
        directiveIsRepeatable: true,
        oneOf: true,
      });
      const { json } = await post(endpoint, { query, operationName: "IntrospectionQuery" });
      expect(json.errors).toBeUndefined();
      expect(json.data.__schema.queryType.name).toBe("Query");
      const endless = `{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }`;
      expect(messageOf(await post(endpoint, { query: endless }))).toMatch(
        /^400 INVALID_DATA: Maximum introspection depth exceeded/,
      );
    });
  });
}

describe("an operation that several services answer", () => {
  const joined = (first: number | string) =>
    `{ applications { data { id certificates { totalCount } bundles(first: ${first}) { data { apiDefinitions { data { id } } eventDefinitions { data { id } } documents { data { id } } } } } } }`;

  it("is bounded by the objects of its pages as one that a single service answers", async () => {
    const three = joined(200).slice(1, -1);
    const query = `{ a: ${three} b: ${three} c: ${three} }`;
    expect(messageOf(await post(paths[0] as Endpoint, { query }))).toContain(
      "objects: 72120600 objects when every page is full, at most 70000000 are allowed: ask for smaller pages with `first`, or in several operations.",
    );
    expect((await post(paths[0] as Endpoint, { query: joined(200) })).json.errors).toBeUndefined();
    const variable = `query($first: Int) { a: ${three} b: ${three} c: ${joined("$first").slice(1, -1)} }`;
    expect(
      (await post(paths[0] as Endpoint, { query: variable, variables: { first: 10 } })).json.errors,
    ).toBeUndefined();
    expect(
      messageOf(await post(paths[0] as Endpoint, { query: variable, variables: { first: 200 } })),
    ).toContain("objects: 72120600");
  });

  it("with wrong variables is told what is wrong, without what was sent and without other names", async () => {
    const query = `query($first: Int, $filter: CertificateFilter) { viewer { type } certificates(first: $first, filter: $filter) { totalCount } }`;
    const { json } = await post(paths[0] as Endpoint, {
      query,
      variables: { first: "geheim", filter: { serialNumbr: "geheim", state: "VALI" } },
    });
    const messages = (json.errors as { message: string }[]).map(({ message }) => message);
    expect(messages.join("\n")).not.toMatch(/geheim|Did you mean/);
    expect(messages).toContain(
      'Variable "$first" got invalid value; Int cannot represent non-integer value.',
    );
    const deep = await post(
      paths[0] as Endpoint,
      `{"query":${JSON.stringify(`mutation($v: Any!) { setRuntimeLabel(runtimeID: "x", key: "k", value: $v) { key } revokeCertificate }`)},"variables":{"v":${"[".repeat(10_000)}${"]".repeat(10_000)}}}`,
    );
    expect(messageOf(deep)).toBe(
      '400 INVALID_DATA: Variable "$v" must not be nested deeper than 200.',
    );
  });
});
