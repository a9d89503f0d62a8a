/** Access tokens by client credentials, and users' tokens of an identity provider, at the doors of a real gateway. */
import { randomUUID } from "node:crypto";
import { integrationSystemScopes, runtimeScopes } from "@sextant/identity";
import { startTestIssuer, type TestIssuer } from "@sextant/testkit";
import { decodeProtectedHeader } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Plane, type Selected, startPlane } from "./plane.ts";

let issuer: TestIssuer;
let plane: Plane;
let home: string;
beforeAll(async () => {
  issuer = await startTestIssuer();
  const issuers = [
    {
      name: "corp",
      issuer: issuer.url,
      audiences: ["sextant"],
      roles: { claim: "groups", map: { staff: ["viewer"], admins: ["admin"] } },
      tenants: { claim: "tenants", map: { home: ["default"], everywhere: ["*"] } },
    },
  ];
  plane = await startPlane("local", { SEXTANT_OIDC_ISSUERS: JSON.stringify(issuers) });
  home = (await plane.ask("{ tenants { id } }")).tenants[0].id;
}, 90_000);
afterAll(async () => {
  await plane.close();
  await issuer.close();
}, 30_000);

const codeOf = (answer: Answer): string => String(answer.json?.errors?.[0]?.extensions.code);
const by = (token: string, more: object = {}) => ({
  headers: { authorization: `Bearer ${token}`, ...more },
});

/** Sends a form to the token endpoint. */
const token = (
  form: Readonly<Record<string, string>> | string,
  headers: Readonly<Record<string, string>> = {},
) =>
  plane.send(`${plane.publicURL}/oauth2/token`, {
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: typeof form === "string" ? form : new URLSearchParams(form).toString(),
  });

type Client = { readonly id: string; readonly secret: string };
const clientFor = async (
  owner: "Runtime" | "Application" | "IntegrationSystem",
  id: string,
): Promise<Client> => {
  const { x } = await plane.ask(
    `mutation($id: ID!) { x: requestClientCredentialsFor${owner}(id: $id) { id auth { credential { ... on OAuthCredentialData { clientSecret url } } } } }`,
    { id },
  );
  expect(x.auth.credential.url).toBe(`${plane.publicURL}/oauth2/token`);
  return { id: x.id, secret: x.auth.credential.clientSecret };
};
const form = (client: Client, more: object = {}) => ({
  grant_type: "client_credentials",
  client_id: client.id,
  client_secret: client.secret,
  ...more,
});
const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString("base64")}`,
});
const granted = async (client: Client): Promise<string> =>
  (await token(form(client))).json.access_token as string;

const aRuntime = async () =>
  (
    await plane.ask(`mutation($in: RuntimeInput!) { x: registerRuntime(in: $in) { id } }`, {
      in: { name: `r-${randomUUID()}` },
    })
  ).x.id as string;
const aSystem = async () =>
  (
    await plane.ask(
      `mutation($in: IntegrationSystemInput!) { x: registerIntegrationSystem(in: $in) { id } }`,
      { in: { name: `s-${randomUUID()}` } },
    )
  ).x.id as string;
const aTenant = async (): Promise<string> => {
  const externalID = `t-${randomUUID()}`;
  await plane.ask(`mutation($in: TenantInput!) { registerTenant(in: $in) { id } }`, {
    in: { externalID, name: externalID },
  });
  return externalID;
};
const viewer = "{ viewer { id type } }";

describe("the token endpoint", () => {
  it("gives a token by header or body, which is not to be stored on the way, and only in its time", async () => {
    const id = await aRuntime();
    const client = await clientFor("Runtime", id);
    for (const answer of [
      await token(form(client)),
      await token({ grant_type: "client_credentials" }, basic(client.id, client.secret)),
    ]) {
      expect(answer.status).toBe(200);
      expect(answer.headers).toMatchObject({ "cache-control": "no-store", pragma: "no-cache" });
      expect(answer.json).toEqual({
        access_token: expect.any(String),
        token_type: "Bearer",
        expires_in: 3600,
        scope: runtimeScopes.join(" "),
      });
      const got = answer.json.access_token as string;
      expect(decodeProtectedHeader(got)).toMatchObject({ typ: "at+jwt", alg: "EdDSA" });
      const who = await plane.graph(viewer, {}, by(got));
      expect(who.json.data.viewer).toEqual({ id, type: "RUNTIME" });
    }
    const own = await plane.graph("{ runtimes { data { id } } }", {}, by(await granted(client)));
    expect(own.json.data.runtimes.data).toEqual([{ id }]);
  });

  it("puts on record to whom tokens were given and refused, from where, and nothing that is secret", async () => {
    const id = await aRuntime();
    const client = await clientFor("Runtime", id);
    for (let times = 0; times < 3; times += 1)
      expect((await token(form(client), { "x-request-id": `t-${times}` })).status).toBe(200);
    expect((await token(form(client, { scope: "tenant:write" }))).status).toBe(400);
    const entries = async () =>
      (
        await plane.ask(
          `query($id: ID) { auditEntries(filter: { objectID: $id, action: "issueAccessToken" }) { data {
            actorType actorID address requestID outcome errorCode times objects { kind id change } } } }`,
          { id: client.id },
        )
      ).auditEntries.data as Selected[];
    const about = (change: string) => [{ kind: "systemAuth", id: client.id, change }];
    const actor = { actorType: "RUNTIME", actorID: id, address: "127.0.0.1" };
    const issued = { ...actor, outcome: "SUCCEEDED", errorCode: null, objects: about("use") };
    const refused = {
      ...actor,
      ...{ outcome: "REFUSED", errorCode: "INSUFFICIENT_SCOPES", objects: about("refused") },
    };
    await expect.poll(entries).toHaveLength(2);
    expect(await entries()).toMatchObject([
      { ...issued, times: 1, requestID: "t-0" },
      { ...refused, times: 1 },
    ]);
    // What is counted within a minute is written when the gateway ends, at the latest.
    await plane.restartGateway();
    expect((await entries()).at(-1)).toMatchObject({ ...issued, times: 2 });
    const rows = (await plane.stored()).filter((row) => row.startsWith("audit_entry "));
    expect(rows.filter((row) => row.includes(client.secret))).toEqual([]);
  });

  it("narrows the scopes to those that are asked for, and gives none beyond the client's", async () => {
    const client = await clientFor("Runtime", await aRuntime());
    const narrow = await token(form(client, { scope: "runtime:read application:read" }));
    expect(narrow.json.scope).toBe("application:read runtime:read");
    const refused = await plane.graph(
      `mutation { setRuntimeLabel(runtimeID: "x", key: "a", value: 1) { key } }`,
      {},
      by(narrow.json.access_token as string),
    );
    expect(codeOf(refused)).toBe("INSUFFICIENT_SCOPES");
    for (const scope of ["tenant:write", "runtime:read tenant:write", "openid", 'a"b']) {
      const answer = await token(form(client, { scope }));
      expect([answer.status, answer.json.error]).toEqual([400, "invalid_scope"]);
    }
  });

  it("tells a wrong request as the RFC says, and nothing of whether a client is there", async () => {
    const client = await clientFor("Runtime", await aRuntime());
    const good = form(client);
    const cases: readonly [Promise<Answer>, number, string][] = [
      [token({ ...good, grant_type: "password" }), 400, "unsupported_grant_type"],
      [token({ ...good, grant_type: "" }), 400, "invalid_request"],
      [token(`${new URLSearchParams(good).toString()}&scope=a&scope=b`), 400, "invalid_request"],
      [token(good, basic(client.id, client.secret)), 400, "invalid_request"],
      [token(good, { "content-type": "application/json" }), 400, "invalid_request"],
      [token({ ...good, x: "x".repeat(10_000) }), 400, "invalid_request"],
      [token({ grant_type: "client_credentials" }), 401, "invalid_client"],
      [token({ grant_type: "client_credentials", client_id: client.id }), 401, "invalid_client"],
      [token({ ...good, client_secret: "wrong" }), 401, "invalid_client"],
      [token({ ...good, client_id: randomUUID() }), 401, "invalid_client"],
      [
        token({ grant_type: "client_credentials" }, { authorization: "Basic !" }),
        401,
        "invalid_client",
      ],
      [
        token({ grant_type: "client_credentials" }, by(client.secret).headers),
        401,
        "invalid_client",
      ],
    ];
    const texts = new Set<string>();
    for (const [sent, status, error] of cases) {
      const answer = await sent;
      expect([answer.status, answer.json?.error, answer.text]).toEqual([
        status,
        error,
        answer.text,
      ]);
      expect(answer.headers["cache-control"]).toBe("no-store");
      if (status === 401) expect(answer.headers["www-authenticate"]).toBe('Basic realm="sextant"');
      expect(answer.text).not.toContain(client.secret);
      if (error === "invalid_client" && answer.text.includes("wrong")) texts.add(answer.text);
    }
    expect(texts.size).toBe(1);
    const url = `${plane.publicURL}/oauth2/token`;
    expect((await plane.send(`${url}?${new URLSearchParams(good).toString()}`)).status).toBe(405);
    expect((await plane.send(`${plane.mtlsURL}/oauth2/token`, { body: "" })).status).toBe(404);
  });

  it("gives tokens that end with the credentials, with their holder, and never come back", async () => {
    const id = await aRuntime();
    const [one, two] = [await clientFor("Runtime", id), await clientFor("Runtime", id)];
    const [first, second] = [await granted(one), await granted(two)];
    const statusOf = async (bearer: string) => (await plane.graph(viewer, {}, by(bearer))).status;
    expect([await statusOf(first), await statusOf(second)]).toEqual([200, 200]);
    await plane.ask(`mutation($id: ID!) { deleteSystemAuthForRuntime(authID: $id) { id } }`, {
      id: one.id,
    });
    await expect.poll(() => statusOf(first), { timeout: 1000, interval: 20 }).toBe(401);
    expect(await statusOf(second)).toBe(200);
    expect((await token(form(one))).status).toBe(401);
    await plane.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, { id });
    await expect.poll(() => statusOf(second), { timeout: 1000, interval: 20 }).toBe(401);
    expect((await token(form(two))).json.error).toBe("invalid_client");
  });

  it("is not fooled by tokens that services give each other, and its tokens get nobody in elsewhere", async () => {
    const client = await clientFor("Runtime", await aRuntime());
    const good = await granted(client);
    const [head, body, signature] = good.split(".") as [string, string, string];
    const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
    const more = Buffer.from(JSON.stringify({ ...claims, scope: "tenant:write" })).toString(
      "base64url",
    );
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString("base64url");
    for (const wrong of [`${head}.${more}.${signature}`, `${none}.${body}.`, `${head}.${body}.`]) {
      expect((await plane.graph(viewer, {}, by(wrong))).status).toBe(401);
    }
    const polled = await plane.send(`${plane.mtlsURL}/v1/runtime/plan`, by(good));
    expect(polled.status).toBe(401);
  });
});

describe("an integration system", () => {
  it("acts in its own tenant and in those granted to it, from the grant on and until it is revoked", async () => {
    const [system, tenant] = [await aSystem(), await aTenant()];
    const client = await clientFor("IntegrationSystem", system);
    const answer = await token(form(client));
    expect(answer.json.scope).toBe(integrationSystemScopes.join(" "));
    const bearer = answer.json.access_token as string;
    const who = await plane.graph(viewer, {}, by(bearer));
    expect(who.json.data.viewer).toEqual({ id: system, type: "INTEGRATION_SYSTEM" });
    const register = (more: object = {}) =>
      plane.graph(
        `mutation($in: ApplicationRegisterInput!) { x: registerApplication(in: $in) { id } }`,
        { in: { name: `a-${randomUUID()}`.slice(0, 36), integrationSystemID: system } },
        by(bearer, more),
      );
    expect((await register()).json.data.x.id).toBeDefined();
    expect(codeOf(await register({ tenant }))).toBe("TENANT_NOT_FOUND");
    const grant = { system, tenant };
    await plane.ask(
      `mutation($system: ID!, $tenant: ID!) { grantTenant(integrationSystemID: $system, tenantID: $tenant) { id } }`,
      grant,
    );
    await expect
      .poll(async () => (await plane.graph(viewer, {}, by(bearer, { tenant }))).status, {
        timeout: 1000,
        interval: 20,
      })
      .toBe(200);
    const theirs = (await register({ tenant })).json.data.x.id as string;
    await plane.ask(
      `mutation($id: ID!) { unregisterApplication(id: $id) { id } }`,
      { id: theirs },
      { tenant },
    );
    await plane.ask(
      `mutation($system: ID!, $tenant: ID!) { revokeTenant(integrationSystemID: $system, tenantID: $tenant) { id } }`,
      grant,
    );
    await expect
      .poll(async () => codeOf(await plane.graph(viewer, {}, by(bearer, { tenant }))), {
        timeout: 1000,
        interval: 20,
      })
      .toBe("TENANT_NOT_FOUND");
    expect(codeOf(await plane.graph("{ apiTokens { totalCount } }", {}, by(bearer)))).toBe(
      "INSUFFICIENT_SCOPES",
    );
  });
});

describe("a user of an identity provider", () => {
  const ask = async (claims: object, query: string, headers: object = {}) =>
    plane.graph(query, {}, by(await issuer.token({ ...claims }), headers));

  it("is who the token says, in the tenant and with the scopes that its claims mean", async () => {
    const claims = { groups: ["staff"], tenants: ["home"], email: "ada@acme.example" };
    const answer = await ask(claims, "{ viewer { id type } tenants { id } }");
    expect(answer.json.data).toEqual({
      viewer: { id: "corp:ada", type: "USER" },
      tenants: [{ id: home }],
    });
    const refused = await ask(claims, `mutation { registerRuntime(in: { name: "x" }) { id } }`);
    expect(codeOf(refused)).toBe("INSUFFICIENT_SCOPES");
    expect(codeOf(await ask({ tenants: ["home"] }, "{ runtimes { totalCount } }"))).toBe(
      "INSUFFICIENT_SCOPES",
    );
    expect(codeOf(await ask({ groups: ["staff"] }, "{ runtimes { totalCount } }"))).toBe(
      "TENANT_REQUIRED",
    );
  });

  it("acts in the tenants that are open to it and in no other, and shows up in the audit log by name", async () => {
    const tenant = await aTenant();
    const admin = { groups: ["admins"], preferred_username: "Ada Lovelace" };
    const register = `mutation { registerRuntime(in: { name: "by-ada" }) { id } }`;
    const closed = await ask({ ...admin, tenants: ["home"] }, register, { tenant });
    expect(codeOf(closed)).toBe("TENANT_NOT_FOUND");
    const open = await ask({ ...admin, tenants: ["everywhere"] }, register, { tenant });
    expect(open.json.data.registerRuntime.id).toBeDefined();
    const { auditEntries } = await plane.ask(
      `{ auditEntries(filter: { actorID: "corp:ada" }) { data { actorType action } } }`,
      {},
      { tenant },
    );
    expect(auditEntries.data).toEqual([{ actorType: "USER", action: "registerRuntime" }]);
  });

  it("is asked for a signature once a token, and comes in by a key that is new", async () => {
    const before = issuer.asked.keys;
    await issuer.rotate("ES256", false);
    const bearer = await issuer.token({ groups: ["staff"], tenants: ["home"] });
    await expect
      .poll(async () => (await plane.graph(viewer, {}, by(bearer))).status, { timeout: 15_000 })
      .toBe(200);
    issuer.turned.away = true;
    for (let times = 0; times < 5; times += 1)
      expect((await plane.graph(viewer, {}, by(bearer))).status).toBe(200);
    issuer.turned.away = false;
    expect(issuer.asked.keys - before).toBe(1);
  }, 30_000);

  it("is refused with 401 for a token that is wrong or too large, and told what is wrong with it", async () => {
    const cases: readonly [string, RegExp][] = [
      [await issuer.token({ iss: "https://elsewhere.example" }), /issuer is not known/],
      [await issuer.token({ aud: "x" }), /another audience/],
      [await issuer.token({ big: "x".repeat(12_000) }), /larger than/],
      ["a.b.c", /not a JWT/],
    ];
    for (const [bearer, message] of cases) {
      const answer = await plane.graph(viewer, {}, by(bearer));
      expect([answer.status, codeOf(answer)]).toEqual([401, "UNAUTHENTICATED"]);
      expect((answer.json.errors as Selected[])[0].message).toMatch(message);
      expect(answer.headers["www-authenticate"]).toBe(
        'Bearer realm="sextant", error="invalid_token"',
      );
    }
    const none = await plane.graph(viewer);
    expect(none.headers["www-authenticate"]).toBe('Bearer realm="sextant"');
  });
});

describe("who is refused", () => {
  it("is in the audit log of its tenant, from where it came; whom nobody knows is in none", async () => {
    const client = await clientFor("Runtime", await aRuntime());
    const bearer = await granted(client);
    const { x } = await plane.ask(
      `mutation { x: createAPIToken(in: { name: "short", scopes: ["runtime:read"] }) { id token } }`,
    );
    const refused = async (token: string, more: object = {}) =>
      (await plane.graph(viewer, {}, by(token, more))).status;
    expect(await refused(bearer, { tenant: "elsewhere" })).toBe(404);
    await plane.ask(`mutation($id: ID!) { revokeAPIToken(id: $id) { id } }`, { id: x.id });
    await expect.poll(() => refused(x.token as string)).toBe(401);
    for (let times = 0; times < 5; times += 1)
      expect(await refused(x.token as string, { "x-request-id": `r-${times}` })).toBe(401);
    expect(await refused("sxt_unknown")).toBe(401);
    const entries = async () =>
      (
        await plane.ask(
          `{ auditEntries(filter: { action: "signIn", outcome: REFUSED }) { data { actorType actorID actorName address errorCode times } } }`,
        )
      ).auditEntries.data as Selected[];
    const has = async (entry: object) =>
      (await entries()).some((one) =>
        Object.entries(entry).every(([name, value]) => one[name] === value),
      );
    const holder = { actorType: "USER", actorID: x.id, actorName: "short", address: "127.0.0.1" };
    await expect.poll(() => has({ ...holder, errorCode: "UNAUTHENTICATED", times: 1 })).toBe(true);
    await expect
      .poll(() => has({ actorType: "RUNTIME", errorCode: "TENANT_NOT_FOUND" }))
      .toBe(true);
    expect((await entries()).filter((one) => one.actorID === x.id)).toHaveLength(1);
    expect(await has({ actorType: "UNKNOWN" })).toBe(false);
    // A client id and its secret in each other's places: what was meant to be secret is not written down.
    expect((await token(form({ id: client.secret, secret: client.id }))).status).toBe(401);
    // What is counted is written when the gateway ends, at the latest.
    await plane.restartGateway();
    const rows = (await plane.stored()).filter((row) => row.startsWith("audit_entry "));
    expect(rows.some((row) => row.includes("issueAccessToken"))).toBe(true);
    for (const secret of [x.token, bearer, client.secret, plane.adminToken])
      expect(rows.filter((row) => row.includes(secret as string))).toEqual([]);
  });
});
