import { createPrivateKey, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { Agent } from "node:https";
import { join } from "node:path";
import { createSigner } from "@sextant/identity";
import {
  createCertificateAuthority,
  createKeyPair,
  createSerial,
  issueCertificate,
} from "@sextant/x509";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Plane, startPlane } from "./plane.ts";

let plane: Plane;
beforeAll(async () => {
  plane = await startPlane();
}, 90_000);
afterAll(() => plane.close(), 30_000);

const codeOf = (answer: Answer): string =>
  String(answer.json?.errors?.[0]?.extensions.code ?? answer.json?.code);
const viewer = "{ viewer { id type } }";

async function aTenant(): Promise<string> {
  const externalID = `t-${randomUUID()}`;
  await plane.ask(`mutation($in: TenantInput!) { registerTenant(in: $in) { id } }`, {
    in: { externalID, name: externalID },
  });
  return externalID;
}

describe("who calls at the public door", () => {
  it("without a token, with an unknown one or with two is refused with 401 and told how to come in", async () => {
    const one = { authorization: `Bearer ${plane.adminToken}` };
    const cases: readonly Record<string, string>[] = [
      {},
      { authorization: "Bearer sxt_unknown" },
      { authorization: `Basic ${Buffer.from("a:b").toString("base64")}` },
      { authorization: plane.adminToken },
      { "connector-token": "unknown" },
      { "connector-token": plane.adminToken },
      { ...one, "connector-token": "x" },
      { authorization: `Bearer ${"x".repeat(5000)}` },
    ];
    for (const headers of cases) {
      const answer = await plane.graph(viewer, {}, { headers });
      expect([headers, answer.status, codeOf(answer)]).toEqual([headers, 401, "UNAUTHENTICATED"]);
      expect(answer.text).not.toContain(plane.adminToken);
    }
  });

  it("is an admin by an API token", async () => {
    const answer = await plane.admin(viewer);
    expect(answer.json.data.viewer.type).toBe("USER");
    expect(answer.headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("gains nothing by headers that only the plane itself may send", async () => {
    const forged = createSigner({
      service: "api-gateway",
      kid: "api-gateway-1",
      privateKey: createPrivateKey(
        createKeyPair().privateKey.export({ type: "pkcs8", format: "pem" }),
      ),
      now: Date.now,
    });
    const identity = {
      tenant: randomUUID(),
      consumer: { type: "USER", id: "x" },
      scopes: ["application:read"],
    } as const;
    const internal = forged.authorizationFor("director", identity);
    const cases: readonly Record<string, string>[] = [
      { authorization: internal },
      { "x-sextant-identity": JSON.stringify(identity), "x-forwarded-user": "admin" },
      { "x-forwarded-client-cert": "Hash=00", "ssl-client-cert": "x" },
    ];
    for (const headers of cases)
      expect((await plane.graph(viewer, {}, { headers })).status).toBe(401);
    // The gateway's own signature is for services: nobody comes in by it.
    const own = createSigner({
      service: "api-gateway",
      kid: "api-gateway",
      privateKey: createPrivateKey(
        readFileSync(join(plane.keysOf("api-gateway"), "service-key.pem")),
      ),
      now: Date.now,
    });
    const real = own.authorizationFor("director", identity);
    expect((await plane.graph(viewer, {}, { headers: { authorization: real } })).status).toBe(401);
  });

  it("with a one-time token can pair and do nothing else", async () => {
    const { made } = await plane.ask(
      `mutation { made: registerRuntime(in: { name: "by-token" }) { id } }`,
    );
    const { x } = await plane.ask(
      `mutation($id: ID!) { x: requestOneTimeTokenForRuntime(id: $id) { token connectorURL raw rawEncoded } }`,
      { id: made.id },
    );
    expect(JSON.parse(x.raw as string)).toEqual({
      token: x.token,
      connectorURL: `${plane.publicURL}/connector/graphql`,
    });
    expect(Buffer.from(x.rawEncoded as string, "base64").toString()).toBe(x.raw);
    const headers = { "connector-token": x.token as string };
    const refused = await plane.graph("{ runtimes { totalCount } }", {}, { headers });
    expect(codeOf(refused)).toBe("INSUFFICIENT_SCOPES");
    const inQuery = await plane.graph(
      "{ configuration { token { token } } }",
      {},
      { path: `/connector/graphql?token=${x.token as string}` },
    );
    expect(inQuery.json.data.configuration.token.token).toBeDefined();
    const again = await plane.graph("{ configuration { token { token } } }", {}, { headers });
    expect(codeOf(again)).toBe("UNAUTHENTICATED");
  });
});

describe("the header Tenant", () => {
  it("chooses the tenant of one who may act in several, and the answers are that tenant's", async () => {
    const tenant = await aTenant();
    await plane.ask(
      `mutation { registerApplication(in: { name: "theirs" }) { id } }`,
      {},
      { tenant },
    );
    const theirs = await plane.ask("{ applications { data { name } } }", {}, { tenant });
    expect(theirs.applications.data).toEqual([{ name: "theirs" }]);
    const mine = await plane.ask("{ applications { data { name } } }");
    expect(mine.applications.data).not.toContainEqual({ name: "theirs" });
  });

  it("that names a tenant that is not there is TENANT_NOT_FOUND", async () => {
    const answer = await plane.admin(viewer, {}, { tenant: "nowhere" });
    expect([answer.status, codeOf(answer)]).toEqual([404, "TENANT_NOT_FOUND"]);
  });

  it("that names another tenant is refused to who is paired, as if it were not there", async () => {
    const tenant = await aTenant();
    const { certificate, token } = await plane.pair("Application", `tenant-${randomUUID()}`);
    const foreign = await plane.graph(viewer, {}, { certificate, headers: { tenant } });
    const absent = await plane.graph(viewer, {}, { certificate, headers: { tenant: "nowhere" } });
    expect(foreign.text.replace(tenant, "X")).toBe(absent.text.replace("nowhere", "X"));
    expect(codeOf(foreign)).toBe("TENANT_NOT_FOUND");
    expect(
      (await plane.graph(viewer, {}, { certificate, headers: { tenant: "default" } })).status,
    ).toBe(200);
    expect(
      (
        await plane.graph(
          "{ configuration { token { token } } }",
          {},
          { headers: { "connector-token": token, tenant } },
        )
      ).status,
    ).toBe(404);
  });
});

describe("who calls at the mTLS door", () => {
  it("is who the certificate says, and a token beside it changes nothing", async () => {
    const { id, certificate } = await plane.pair("Application", "certified");
    const answer = await plane.graph(
      viewer,
      {},
      { certificate, headers: { authorization: `Bearer ${plane.adminToken}` } },
    );
    expect(answer.json.data.viewer).toEqual({ id, type: "APPLICATION" });
  });

  it("without a certificate, or with one that this plane has not signed, is refused with 401", async () => {
    const headers = { authorization: `Bearer ${plane.adminToken}` };
    const none = await plane.graph(viewer, {}, { door: "mtls", headers });
    expect([none.status, codeOf(none)]).toEqual([401, "UNAUTHENTICATED"]);
    const keyPair = createKeyPair();
    const span = {
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 60_000),
    };
    const strange = await createCertificateAuthority({
      keyPair: createKeyPair(),
      subject: "O=Sextant,CN=Sextant Intermediate CA",
      serial: createSerial(randomBytes),
      ...span,
    });
    const made = await issueCertificate(strange, {
      profile: "client",
      subject: "O=Sextant,OU=Runtimes,L=Plane,ST=Plane,C=ZZ,CN=x",
      spki: keyPair.publicKey.export({ type: "spki", format: "der" }),
      serial: createSerial(randomBytes),
      names: { uri: [`sextant://${randomUUID()}/runtime/${randomUUID()}`] },
      ...span,
    });
    const key = keyPair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const answer = await plane.graph(viewer, {}, { certificate: { cert: made.pem, key } });
    expect([answer.status, codeOf(answer)]).toEqual([401, "UNAUTHENTICATED"]);
  });

  it("with the plane's own server certificate is refused", async () => {
    const read = (name: string) => readFileSync(join(plane.keysOf("api-gateway"), name), "utf8");
    const answer = await plane.graph(
      viewer,
      {},
      { certificate: { cert: read("tls-cert.pem"), key: read("tls-key.pem") } },
    );
    expect(answer.status).toBe(401);
  });

  it("cannot resume there a session of the public door", async () => {
    const { certificate } = await plane.pair("Application", `resumed-${randomUUID()}`);
    const agent = new Agent({ keepAlive: false, maxCachedSessions: 10 });
    const headers = { authorization: `Bearer ${plane.adminToken}` };
    for (let round = 0; round < 3; round += 1) {
      expect((await plane.graph(viewer, {}, { agent, headers })).json.data.viewer.type).toBe(
        "USER",
      );
      expect((await plane.graph(viewer, {}, { agent, certificate })).json.data.viewer.type).toBe(
        "APPLICATION",
      );
      expect((await plane.graph(viewer, {}, { agent, door: "mtls" })).status).toBe(401);
    }
  });

  it("loses everything within a second of a revocation, on new and on open connections", async () => {
    const { certificate } = await plane.pair("Runtime", `revoked-${randomUUID()}`);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const open = () => plane.graph(viewer, {}, { certificate, agent });
    expect((await open()).status).toBe(200);
    expect(
      (await plane.graph("mutation { x: revokeCertificate }", {}, { certificate })).json.data.x,
    ).toBe(true);
    await pause(1000);
    for (const answer of [await open(), await plane.graph(viewer, {}, { certificate })])
      expect([answer.status, codeOf(answer)]).toEqual([401, "UNAUTHENTICATED"]);
    agent.destroy();
  });

  it("loses everything when it is unregistered", async () => {
    const { id, certificate } = await plane.pair("Application", `unregistered-${randomUUID()}`);
    await plane.ask(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, { id });
    await pause(1000);
    expect((await plane.graph(viewer, {}, { certificate })).status).toBe(401);
  });

  it("becomes CONNECTED by its first call", async () => {
    const { id, certificate } = await plane.pair("Application", `connected-${randomUUID()}`);
    await plane.graph(viewer, {}, { certificate });
    await expect
      .poll(
        async () =>
          (
            await plane.ask(`query($id: ID!) { application(id: $id) { status { condition } } }`, {
              id,
            })
          ).application.status.condition,
        { timeout: 5_000 },
      )
      .toBe("CONNECTED");
  });
});

describe("an operation", () => {
  it("that one service answers alone comes back as that service wrote it", async () => {
    const { made } = await plane.ask(
      `mutation { made: registerRuntime(in: { name: "straight" }) { id } }`,
    );
    const direct = await plane.graph(
      `query($id: ID!) { b: runtime(id: $id) { name } a: viewer { type } }`,
      { id: made.id },
      { path: "/director/graphql", headers: { authorization: `Bearer ${plane.adminToken}` } },
    );
    expect(direct.text).toBe('{"data":{"b":{"name":"straight"},"a":{"type":"USER"}}}');
    const whole = await plane.admin(
      `query($id: ID!) { b: runtime(id: $id) { name } a: viewer { type } }`,
      { id: made.id },
    );
    expect(whole.text).toBe(direct.text);
  });

  it("that needs two services is joined, with errors at their places", async () => {
    const { id, certificate } = await plane.pair("Runtime", `joined-${randomUUID()}`);
    const {
      runtime,
      certificates,
      viewer: who,
    } = await plane.ask(
      `query($id: ID!) { runtime(id: $id) { n: name certificates(first: 1) { totalCount data { state consumerID } } } certificates { totalCount } viewer { type } }`,
      { id },
    );
    expect(runtime.certificates).toEqual({
      totalCount: 1,
      data: [{ state: "VALID", consumerID: id }],
    });
    expect(certificates.totalCount).toBeGreaterThan(0);
    expect(who.type).toBe("USER");
    const own = await plane.graph(
      `{ runtimes { data { id certificates { totalCount } } } }`,
      {},
      { certificate },
    );
    expect(own.json.data.runtimes.data).toEqual([{ id, certificates: { totalCount: 1 } }]);
    const partial = await plane.admin(
      `query($id: ID!, $first: Int) { runtime(id: $id) { name certificates(first: $first) { totalCount } } }`,
      { id, first: 0 },
    );
    expect(partial.json.errors[0].extensions.code).toBe("INVALID_DATA");
  });

  it("that is chosen of several by its name is carried out, whatever service the others need", async () => {
    const query = "query A { viewer { type } } query B { certificates { totalCount } }";
    for (const operationName of ["A", "B"]) {
      const answer = await plane.send(`${plane.publicURL}/graphql`, {
        headers: {
          authorization: `Bearer ${plane.adminToken}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ query, operationName }),
      });
      expect(answer.json.errors).toBeUndefined();
      expect(Object.keys(answer.json.data)).toEqual([
        operationName === "A" ? "viewer" : "certificates",
      ]);
    }
  });

  it("cannot ask for what services give each other", async () => {
    for (const path of ["/graphql", "/director/graphql", "/connector/graphql"]) {
      for (const query of [
        "{ _service { sdl } }",
        "{ _entities(representations: []) { __typename } }",
      ]) {
        const answer = await plane.graph(
          query,
          {},
          { path, headers: { authorization: `Bearer ${plane.adminToken}` } },
        );
        expect([path, query, answer.json.data, codeOf(answer)]).toEqual([
          path,
          query,
          undefined,
          "INVALID_DATA",
        ]);
      }
    }
  });

  it("that is too large is refused, and the door stays open for the next", async () => {
    const headers = {
      authorization: `Bearer ${plane.adminToken}`,
      "content-type": "application/json",
    };
    const answer = await plane
      .send(`${plane.publicURL}/graphql`, {
        headers,
        body: JSON.stringify({ query: viewer, variables: { x: "x".repeat(33 * 1024 * 1024) } }),
      })
      .catch(() => undefined);
    if (answer !== undefined)
      expect([answer.status, codeOf(answer)]).toEqual([400, "INVALID_DATA"]);
    const deep = await plane.graph(`{ viewer { ${"id ".repeat(12_000)} } }`, {}, { headers });
    expect(codeOf(deep)).toBe("INVALID_DATA");
    expect((await plane.admin(viewer)).status).toBe(200);
  });

  it("with an Idempotency-Key is told to the service: a pairing is repeated, also beside another service's part", async () => {
    const { made } = await plane.ask(
      `mutation { made: registerRuntime(in: { name: "repeated-${randomUUID()}" }) { id } }`,
    );
    const { x } = await plane.ask(
      `mutation($id: ID!) { x: requestOneTimeTokenForRuntime(id: $id) { token } }`,
      { id: made.id },
    );
    const headers = { "connector-token": x.token as string, "idempotency-key": "once" };
    const first = await plane.graph("{ configuration { token { token } } }", {}, { headers });
    const second = await plane.graph(
      `{ configuration { token { token } } runtimeOperationStatus(id: "x") { id } }`,
      {},
      { headers },
    );
    expect(second.json.data?.configuration).toEqual(first.json.data.configuration);
  });
});

describe("a service that is away", () => {
  it("is told as such, with 503 and when to come back, and the operation succeeds when it is there again", async () => {
    const server: Server = createServer((_request, response) => response.socket?.destroy());
    await new Promise<void>((resolve) =>
      server.listen(plane.provisionerPort, "127.0.0.1", resolve),
    );
    for (const away of [true, false]) {
      if (away) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      const straight = await plane.graph(
        "{ runtimeOperations { totalCount } }",
        {},
        { path: "/provisioner/graphql", headers: { authorization: `Bearer ${plane.adminToken}` } },
      );
      expect([straight.status, straight.headers["retry-after"]]).toEqual([503, "1"]);
      expect(straight.json.errors[0]).toMatchObject({
        message: "runtime-provisioner is away: try again",
        extensions: { code: "INTERNAL", error_code: 10, retryAfter: 1 },
      });
      const joined = await plane.admin("{ viewer { type } runtimeOperations { totalCount } }");
      expect(joined.json.errors[0]).toMatchObject({
        message: "runtime-provisioner is away: try again",
        extensions: { code: "INTERNAL", retryAfter: 1 },
      });
      expect(joined.text).not.toMatch(/ECONN|127\.0\.0\.1|socket/);
    }
  });
});

describe("shared files", () => {
  it("are served to whoever asks: the trust bundle at both doors", async () => {
    for (const url of [plane.publicURL, plane.mtlsURL]) {
      const answer = await plane.send(`${url}/v1/ca/bundle`);
      expect(answer.status).toBe(200);
      expect(answer.text.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    }
    expect((await plane.send(`${plane.publicURL}/v1/runtime/plan`)).status).toBe(404);
    const browser = await plane.send(`${plane.publicURL}/graphql`, {
      headers: { accept: "text/html" },
    });
    expect(browser.text).toContain("<html");
  });
});
