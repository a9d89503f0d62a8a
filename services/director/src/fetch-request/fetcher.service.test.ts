import { gzipSync } from "node:zlib";
import { silentLogger } from "@sextant/logging";
import { type Claimed, type Outcome, startWorker } from "@sextant/registry-client";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  aBundle,
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
  type Variables,
} from "../../test/given.ts";
import { startTestServer, type TestServer } from "../../test/test-server.ts";
import { createOutbound, type Outbound } from "../outbound/outbound-client.ts";
import { createFetcher, MAX_ATTEMPTS } from "./fetcher.ts";

let director: TestDirector;
let tenant: TestTenant;
let server: TestServer;
let outbound: Outbound;
let application: string;
let bundle: string;
let fetch: (work: Claimed<"fetchRequest">, ending?: AbortSignal) => Promise<Outcome>;

const never = new AbortController().signal;
beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  server = await startTestServer();
  outbound = createOutbound({ allowPrivateTargets: true });
  const fetcher = createFetcher(director.context, outbound, () => 0);
  fetch = (work, ending = never) => fetcher(work, ending);
  application = await anApplication(tenant, "shop");
  bundle = await aBundle(tenant, application);
});
afterAll(async () => {
  await outbound.close();
  await server.close();
  await director.close();
});
beforeEach(() => server.reset());

const openAPI = (title: string) => JSON.stringify({ openapi: "3.1.0", info: { title } });
const specFields =
  "type data fetchRequest { url mode filter auth { credential { __typename } } status { condition message timestamp } }";
const addAPI = `mutation($b: ID!, $in: APIDefinitionInput!) {
  x: addAPIDefinitionToBundle(bundleID: $b, in: $in) { id revision spec { ${specFields} } } }`;
const readAPI = `query($a: ID!, $b: ID!, $id: ID!) {
  application(id: $a) { bundle(id: $b) { api: apiDefinition(id: $id) { revision spec { ${specFields} } } } } }`;
const updateAPI = `mutation($id: ID!, $in: APIDefinitionInput!) {
  x: updateAPIDefinition(id: $id, in: $in) { revision spec { ${specFields} } } }`;
const refetch = `mutation($id: ID!) { x: refetchAPISpec(apiID: $id) { ${specFields} } }`;

const input = (fetchRequest: Variables = {}, spec: Variables = {}) => ({
  name: "orders",
  targetURL: "https://shop.example/orders",
  spec: {
    type: "OPEN_API",
    format: "JSON",
    fetchRequest: { url: `${server.base}/spec`, ...fetchRequest },
    ...spec,
  },
});
async function anAPI(fetchRequest: Variables = {}, spec: Variables = {}): Promise<string> {
  const { x } = await tenant.admin.ask(addAPI, { b: bundle, in: input(fetchRequest, spec) });
  return x.id as string;
}
const api = async (id: string, who = tenant.admin) =>
  (await who.ask(readAPI, { a: application, b: bundle, id })).application?.bundle?.api;
/** Carries out what is due. */
const work = () => director.work("fetchRequest", (one) => fetch(one));
/** Carries out what is due now and later, as if no time had to pass. */
async function workToTheEnd(): Promise<void> {
  for (let round = 0; round <= MAX_ATTEMPTS; round += 1) {
    const claimed = await director.work("fetchRequest", async (one) => {
      const { nextAttemptAt: _later, ...outcome } = await fetch(one);
      return outcome;
    });
    if (claimed === 0) return;
  }
}
const give =
  (
    text: string | Buffer,
    status = 200,
    headers: Record<string, string> = {},
  ): TestServer["answer"] =>
  (_request, response) =>
    response.writeHead(status, headers).end(text);

describe("a specification that is fetched", () => {
  it("is INITIAL at first, and in the background becomes what the URL gives", async () => {
    server.answer = give(openAPI("first"));
    const added = await tenant.admin.ask(addAPI, {
      b: bundle,
      in: input({ mode: "SINGLE", filter: "all" }),
    });
    expect(added.x.spec).toMatchObject({
      data: null,
      fetchRequest: {
        url: `${server.base}/spec`,
        mode: "SINGLE",
        filter: "all",
        auth: null,
        status: { condition: "INITIAL", message: null },
      },
    });
    expect(server.heard).toEqual([]);
    await work();
    expect((await api(added.x.id)).spec).toMatchObject({
      data: openAPI("first"),
      fetchRequest: { status: { condition: "SUCCEEDED", message: null } },
    });
  });

  it("makes plans stale only when the text is another", async () => {
    const runtime = await aRuntime(tenant, "watching");
    server.answer = give(openAPI("same"));
    const id = await anAPI();
    await work();
    await director.plan();
    const before = await api(id);
    const { x } = await tenant.admin.ask(refetch, { id });
    expect(x).toMatchObject({
      data: openAPI("same"),
      fetchRequest: { status: { condition: "INITIAL" } },
    });
    expect(await work()).toBe(1);
    expect(await director.plan()).toBe(0);
    expect((await api(id)).revision).toBe(before.revision);
    server.answer = give(openAPI("another"));
    await tenant.admin.ask(refetch, { id });
    await work();
    expect(await director.plan()).toBeGreaterThan(0);
    expect((await api(id)).spec.data).toBe(openAPI("another"));
    expect((await api(id)).revision).toBe(before.revision + 1);
    await tenant.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
      id: runtime,
    });
  });

  it("keeps the last good text when a later fetch fails", async () => {
    server.answer = give(openAPI("good"));
    const id = await anAPI();
    await work();
    server.answer = give("gone", 404);
    await tenant.admin.ask(refetch, { id });
    await work();
    expect((await api(id)).spec).toMatchObject({
      data: openAPI("good"),
      fetchRequest: { status: { condition: "FAILED", message: "the server answered 404" } },
    });
    server.answer = give(openAPI("better"));
    await tenant.admin.ask(refetch, { id });
    await work();
    expect((await api(id)).spec).toMatchObject({
      data: openAPI("better"),
      fetchRequest: { status: { condition: "SUCCEEDED", message: null } },
    });
  });

  it("of an event definition and of a document is fetched as well", async () => {
    server.answer = ({ url }, response) =>
      response.end(url === "/events" ? "asyncapi: 3.0.0\n" : "# Read me");
    const { event, document } = await tenant.admin.ask(
      `mutation($b: ID!, $e: EventDefinitionInput!, $d: DocumentInput!) {
        event: addEventDefinitionToBundle(bundleID: $b, in: $e) { id }
        document: addDocumentToBundle(bundleID: $b, in: $d) { id data fetchRequest { status { condition } } } }`,
      {
        b: bundle,
        e: {
          name: "placed",
          spec: {
            type: "ASYNC_API",
            format: "YAML",
            fetchRequest: { url: `${server.base}/events` },
          },
        },
        d: {
          title: "t",
          displayName: "d",
          description: "",
          format: "MARKDOWN",
          fetchRequest: { url: `${server.base}/document` },
        },
      },
    );
    expect(document).toMatchObject({
      data: null,
      fetchRequest: { status: { condition: "INITIAL" } },
    });
    await work();
    const fields = "data fetchRequest { status { condition } }";
    const read = await tenant.admin.ask(
      `query($a: ID!, $b: ID!, $e: ID!, $d: ID!) { application(id: $a) { bundle(id: $b) {
        eventDefinition(id: $e) { spec { ${fields} } } document(id: $d) { ${fields} } } } }`,
      { a: application, b: bundle, e: event.id, d: document.id },
    );
    const status = { condition: "SUCCEEDED" };
    expect(read.application.bundle).toEqual({
      eventDefinition: { spec: { data: "asyncapi: 3.0.0\n", fetchRequest: { status } } },
      document: { data: "# Read me", fetchRequest: { status } },
    });
    const { x } = await tenant.admin.ask(
      `mutation($id: ID!) { x: refetchEventDefinitionSpec(eventID: $id) { ${fields} } }`,
      { id: event.id },
    );
    expect(x).toEqual({
      data: "asyncapi: 3.0.0\n",
      fetchRequest: { status: { condition: "INITIAL" } },
    });
    await work();
  });

  it("cannot be fetched again when nothing says where from", async () => {
    const { x } = await tenant.admin.ask(addAPI, {
      b: bundle,
      in: input({}, { data: openAPI("given"), fetchRequest: null }),
    });
    expect(await tenant.admin.refusal(refetch, { id: x.id })).toMatch(
      /^INVALID_OPERATION: .*has no fetch request/,
    );
    expect(await tenant.admin.refusal(refetch, { id: director.context.newID() })).toMatch(
      /^NOT_FOUND/,
    );
  });
});

describe("what is fetched", () => {
  it("is refused when it is not what it claims to be, too large, a redirect or no text", async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, 0x20));
    const wrong: readonly (readonly [TestServer["answer"], RegExp])[] = [
      [give("{"), /what the server gave is not valid JSON/],
      [give('{"asyncapi":"3.0.0"}'), /has no openapi or swagger version/],
      [give(`{"openapi":"3.1.0","a":${"[".repeat(10_000)}`), /nested deeper/],
      [give("x".repeat(11 * 1024 * 1024)), /more than 10 MiB/],
      [give(bomb, 200, { "content-encoding": "gzip" }), /more than 10 MiB/],
      [give("", 302, { location: `${server.base}/elsewhere` }), /redirect \(302\)/],
      [give(Buffer.from([0x22, 0xff, 0x22])), /not a text in UTF-8/],
      [give("no", 401), /the server answered 401/],
      [give(`"\u0000"`), /cannot be stored/],
    ];
    for (const [answer, message] of wrong) {
      server.reset();
      server.answer = answer;
      const id = await anAPI();
      await work();
      const { spec } = await api(id);
      expect([spec.data, spec.fetchRequest.status.condition]).toEqual([null, "FAILED"]);
      expect(spec.fetchRequest.status.message).toMatch(message);
      expect(server.heard).toHaveLength(1);
    }
  }, 30_000);

  it("may be compressed, though it was asked for as it is", async () => {
    server.answer = give(gzipSync(openAPI("zipped")), 200, { "content-encoding": "gzip" });
    const id = await anAPI();
    await work();
    expect((await api(id)).spec.data).toBe(openAPI("zipped"));
    expect(server.heard[0]?.headers["accept-encoding"]).toBe("identity");
  });

  it("is asked for again after 5xx, 429, silence and a connection that breaks, until it comes", async () => {
    const answers: TestServer["answer"][] = [
      give("", 500),
      (_request, response) => response.destroy(),
      (_request, response) => {
        response.writeHead(200);
        response.write("{");
      },
      give(openAPI("late")),
    ];
    server.answer = (request, response) => answers.shift()?.(request, response);
    const id = await anAPI();
    const impatient = createFetcher(director.context, outbound, () => 0, 500);
    const pauses: number[] = [];
    const seen: string[] = [];
    while (answers.length > 0) {
      // Only who is silent is to be given up for the time that it takes, however busy the machine is.
      const one =
        answers.length === 2 ? (work: Claimed<"fetchRequest">) => impatient(work, never) : fetch;
      await director.work("fetchRequest", async (claimed) => {
        const { nextAttemptAt, ...outcome } = await one(claimed);
        if (nextAttemptAt !== undefined)
          pauses.push(Date.parse(nextAttemptAt) - director.clock.now);
        return outcome;
      });
      const { condition, message } = (await api(id)).spec.fetchRequest.status;
      seen.push(`${condition}: ${message}`);
    }
    expect(seen).toEqual([
      "INITIAL: the server answered 500; it is tried again (1 of 4)",
      "INITIAL: the server cannot be reached, or not understood; it is tried again (2 of 4)",
      "INITIAL: there was no answer within 0.5 seconds; it is tried again (3 of 4)",
      "SUCCEEDED: null",
    ]);
    expect(pauses).toEqual([5_000, 30_000, 120_000]);
  });

  it("is given up after so many attempts", async () => {
    server.answer = give("", 503);
    const id = await anAPI();
    await workToTheEnd();
    expect(server.heard).toHaveLength(MAX_ATTEMPTS);
    expect((await api(id)).spec.fetchRequest.status).toMatchObject({
      condition: "FAILED",
      message: "the server answered 503",
    });
  });

  it("by another mode than SINGLE is stored as asked and says that it is not carried out", async () => {
    const id = await anAPI({ mode: "INDEX", filter: "a" });
    await work();
    expect((await api(id)).spec.fetchRequest).toMatchObject({
      mode: "INDEX",
      filter: "a",
      status: { condition: "FAILED", message: "the mode INDEX is not carried out, only SINGLE is" },
    });
    expect(server.heard).toEqual([]);
  });
});

describe("how a fetch is authenticated", () => {
  const basic = { credential: { basic: { username: "u", password: "p" } } };
  const authorization = `Basic ${Buffer.from("u:p").toString("base64")}`;

  it("is by basic credentials, headers and query parameters", async () => {
    server.answer = give(openAPI("a"));
    await anAPI({
      auth: {
        ...basic,
        additionalHeaders: { "X-Key": ["k"], Host: ["internal.example"] },
        additionalQueryParams: { q: ["1"] },
      },
    });
    await work();
    const [{ url, headers }] = server.heard as [(typeof server.heard)[number]];
    expect(url).toBe("/spec?q=1");
    expect(headers).toMatchObject({
      authorization,
      "x-key": "k",
      host: `127.0.0.1:${server.port}`,
    });
  });

  it("is by a token of OAuth, and a token that is refused is final", async () => {
    const oauth = { clientId: "id", clientSecret: "s3cret", url: `${server.base}/token` };
    server.answer = ({ url }, response) =>
      response.end(url === "/token" ? '{"access_token":"the-token"}' : openAPI("o"));
    const id = await anAPI({ auth: { credential: { oauth } } });
    await work();
    expect(server.heard.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ["/token", `Basic ${Buffer.from("id:s3cret").toString("base64")}`],
      ["/spec", "Bearer the-token"],
    ]);
    server.answer = give('{"error":"s3cret is wrong"}', 401);
    await tenant.admin.ask(refetch, { id });
    await work();
    expect((await api(id)).spec.fetchRequest).toMatchObject({
      auth: { credential: { __typename: "OAuthCredentialData" } },
      status: { condition: "FAILED", message: "the token endpoint answered 401" },
    });
  });

  it("is by a CSRF token and its session, asked for with credentials of their own", async () => {
    server.answer = ({ url }, response) => {
      if (url !== "/csrf?c=2") return response.end(openAPI("c"));
      response.setHeader("x-csrf-token", "the-csrf-token");
      response.setHeader("set-cookie", ["session=1; Path=/; HttpOnly", "shard=b"]);
      return response.end();
    };
    const id = await anAPI({
      auth: {
        ...basic,
        requestAuth: {
          csrf: {
            tokenEndpointURL: `${server.base}/csrf`,
            credential: { basic: { username: "c", password: "d" } },
            additionalHeaders: { "X-Csrf": ["y"] },
            additionalQueryParams: { c: ["2"] },
          },
        },
      },
    });
    await work();
    const [token, spec] = server.heard;
    expect(token?.headers).toMatchObject({
      "x-csrf-token": "fetch",
      "x-csrf": "y",
      authorization: `Basic ${Buffer.from("c:d").toString("base64")}`,
    });
    expect(spec?.headers).toMatchObject({
      "x-csrf-token": "the-csrf-token",
      cookie: "session=1; shard=b",
      authorization,
    });
    expect((await api(id)).spec.data).toBe(openAPI("c"));
    server.answer = give("");
    await tenant.admin.ask(refetch, { id });
    await work();
    expect((await api(id)).spec.fetchRequest.status.message).toBe(
      "the CSRF token endpoint gave no X-CSRF-Token",
    );
  });
});

describe("an address inside the network", () => {
  it("is refused in every URL of the input on a plane that many share", async () => {
    const shared = await startDirector({ allowPrivateTargets: false });
    const other = await shared.tenant();
    const oauth = { clientId: "c", clientSecret: "s", url: "http://10.0.0.1/token" };
    const refusal = await other.admin.refusal(
      `mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id } }`,
      {
        in: {
          name: "a",
          bundles: [
            {
              name: "b",
              apiDefinitions: [
                input({
                  url: "http://169.254.169.254/latest",
                  auth: {
                    credential: { oauth },
                    requestAuth: {
                      csrf: { tokenEndpointURL: "http://[::1]/", credential: { oauth } },
                    },
                  },
                }),
              ],
            },
          ],
        },
      },
    );
    const at = "bundles.0.apiDefinitions.0.spec.fetchRequest";
    for (const place of [
      "url",
      "auth.credential.oauth.url",
      "auth.requestAuth.csrf.tokenEndpointURL",
      "auth.requestAuth.csrf.credential.oauth.url",
    ]) {
      expect(refusal).toContain(`${at}.${place}: must not be a private address`);
    }
    await shared.close();
  });

  it("is never connected to, and looks like any other that cannot be reached, whenever DNS changes its mind", async () => {
    const looked: string[] = [];
    const addresses: Record<string, string[]> = {
      "inside.example": ["127.0.0.1"],
      "metadata.example": ["169.254.169.254"],
      "both.example": ["93.184.216.34", "127.0.0.1"],
      "mapped.example": ["::ffff:127.0.0.1"],
    };
    const careful = createOutbound({
      allowPrivateTargets: false,
      lookup: (hostname, _options, callback) => {
        looked.push(hostname);
        const found = addresses[hostname]?.map((address) => ({
          address,
          family: address.includes(":") ? 6 : 4,
        }));
        if (found === undefined)
          callback(Object.assign(new Error("no"), { code: "ENOTFOUND" }), []);
        else callback(null, found);
      },
    });
    const fetcher = createFetcher(director.context, careful, () => 0);
    const names = [...Object.keys(addresses), "unknown.example"];
    const oauth = { clientId: "c", clientSecret: "s" };
    const ids: string[] = [];
    for (const name of names) {
      const url = `http://${name}:${server.port}/`;
      ids.push(await anAPI({ url }));
      ids.push(await anAPI({ auth: { credential: { oauth: { ...oauth, url } } } }));
      ids.push(await anAPI({ auth: { requestAuth: { csrf: { tokenEndpointURL: url } } } }));
    }
    await director.work("fetchRequest", (one) => fetcher(one, never));
    const messages = await Promise.all(
      ids.map(async (id) => (await api(id)).spec.fetchRequest.status.message),
    );
    expect(new Set(messages)).toEqual(
      new Set(["the server cannot be reached, or not understood; it is tried again (1 of 4)"]),
    );
    expect(server.heard).toEqual([]);
    expect(new Set(looked)).toEqual(new Set(names));
    await careful.close();
    await tenant.admin.ask(`mutation($id: ID!) { deleteBundle(id: $id) { id } }`, { id: bundle });
    bundle = await aBundle(tenant, application);
  });
});

describe("a fetch that is overtaken", () => {
  /** Starts a fetch whose answer the test gives later. */
  async function aRunningFetch(fetchRequest: Variables = {}) {
    let respond = (_text: string): void => {};
    const asked = new Promise<void>((resolve) => {
      server.answer = (_request, response) => {
        respond = (text) => void response.end(text);
        resolve();
      };
    });
    const id = await anAPI(fetchRequest);
    const running = work();
    await asked;
    return {
      id,
      async end(text: string) {
        respond(text);
        await running;
      },
    };
  }

  it("by an update of the API stores nothing", async () => {
    const { id, end } = await aRunningFetch();
    await tenant.admin.ask(updateAPI, {
      id,
      in: input({}, { data: openAPI("given"), fetchRequest: null }),
    });
    await end(openAPI("outdated"));
    expect((await api(id)).spec).toMatchObject({ data: openAPI("given"), fetchRequest: null });
  });

  it("by another fetch request, or the same again, leaves it to that one", async () => {
    for (const change of [
      async (id: string) => tenant.admin.ask(updateAPI, { id, in: input({ filter: "new" }) }),
      async (id: string) => tenant.admin.ask(refetch, { id }),
    ]) {
      const { id, end } = await aRunningFetch();
      await change(id);
      await end(openAPI("outdated"));
      expect((await api(id)).spec).toMatchObject({
        data: null,
        fetchRequest: { status: { condition: "INITIAL" } },
      });
      server.answer = give(openAPI("current"));
      expect(await work()).toBe(1);
      expect((await api(id)).spec.data).toBe(openAPI("current"));
    }
  });

  it("by the removal of the API ends quietly", async () => {
    const { id, end } = await aRunningFetch();
    await tenant.admin.ask(`mutation($id: ID!) { deleteAPIDefinition(id: $id) { id } }`, { id });
    await end(openAPI("outdated"));
    expect(await api(id)).toBeNull();
  });

  it("keeps the text it had until the new one is there, unless type or format change", async () => {
    server.answer = give(openAPI("old"));
    const id = await anAPI();
    await work();
    const { x } = await tenant.admin.ask(updateAPI, { id, in: input({ filter: "x" }) });
    expect(x.spec).toMatchObject({
      data: openAPI("old"),
      fetchRequest: { filter: "x", status: { condition: "INITIAL" } },
    });
    const other = await tenant.admin.ask(updateAPI, { id, in: input({}, { format: "YAML" }) });
    expect(other.x.spec.data).toBeNull();
    const without = await tenant.admin.ask(updateAPI, { id, in: { ...input(), spec: null } });
    expect(without.x.spec).toBeNull();
    expect(await work()).toBe(0);
  });
});

describe("many Directors", () => {
  it("share the work, and take over what one of them had claimed when it died", async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => anAPI()));
    const { registry } = director.inside;
    const dead = await registry.claim({
      queue: "fetchRequest",
      max: 4,
      leaseSeconds: 1,
      waitSeconds: 0,
    });
    expect(dead).toHaveLength(4);
    server.answer = give(openAPI("shared"));
    const fetcher = createFetcher(director.context, outbound, () => 0);
    const workers = [1, 2].map(() =>
      startWorker({
        registry,
        queue: "fetchRequest",
        concurrency: 2,
        leaseSeconds: 30,
        handle: fetcher,
        log: silentLogger,
      }),
    );
    await expect
      .poll(
        async () =>
          (await Promise.all(ids.map((id) => api(id)))).every(
            ({ spec }) => spec.fetchRequest.status.condition === "SUCCEEDED",
          ),
        { timeout: 15_000 },
      )
      .toBe(true);
    await Promise.all(workers.map((worker) => worker.close()));
    expect(server.heard).toHaveLength(12);
    // The one that was thought dead comes back: its claims are over.
    server.answer = give(openAPI("from the dead"));
    for (const one of dead) await fetch(one);
    expect((await api(ids[0] as string)).spec.data).toBe(openAPI("shared"));
  }, 30_000);

  it("give up a request that no one survives", async () => {
    const id = await anAPI();
    for (let attempt = 0; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const due = { queue: "fetchRequest", max: 1, waitSeconds: 5 } as const;
      const [piece] = await director.inside.registry.claim({ ...due, leaseSeconds: 1 });
      if (piece === undefined) throw new Error("nothing is due");
      if (attempt < MAX_ATTEMPTS) continue;
      expect(await fetch(piece)).toMatchObject({
        done: true,
        values: { statusCondition: "FAILED" },
      });
    }
    expect(server.heard).toEqual([]);
    await tenant.admin.ask(`mutation($id: ID!) { deleteAPIDefinition(id: $id) { id } }`, { id });
  }, 30_000);
});

describe("a fetch request", () => {
  it("is shown to its application and to admins, and to no runtime", async () => {
    const runtime = await aRuntime(tenant, "curious");
    const id = await anAPI({ auth: { credential: { basic: { username: "u", password: "p" } } } });
    server.answer = give(openAPI("shown"));
    await work();
    const auth = { credential: { __typename: "BasicCredentialData" } };
    expect((await api(id, tenant.application(application))).spec.fetchRequest.auth).toEqual(auth);
    expect((await api(id, tenant.runtime(runtime))).spec).toMatchObject({
      data: openAPI("shown"),
      fetchRequest: null,
    });
    expect(await tenant.runtime(runtime).refusal(refetch, { id })).toMatch(/^INSUFFICIENT_SCOPES/);
    const other = await anApplication(tenant, "other");
    expect(await tenant.application(other).refusal(refetch, { id })).toMatch(/^NOT_FOUND/);
    const stranger = await director.tenant();
    expect(await stranger.admin.refusal(refetch, { id })).toMatch(/^NOT_FOUND/);
  });
});
