/** An operation is answered alike whether one service answers it alone or several have to be joined. */
import { createSigner, readServiceKeys, scopes } from "@sextant/identity";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type Plane, type Selected, startPlane } from "./plane.ts";

let plane: Plane;
const ids = { application: "", other: "", runtime: "", foreign: "", bundle: "" };
const NOBODY = "11111111-1111-4111-8111-111111111111";

beforeAll(async () => {
  plane = await startPlane();
  await plane.services["runtime-provisioner"].start();
  const register = async (name: string): Promise<Selected> =>
    (
      await plane.ask(
        "mutation($in: ApplicationRegisterInput!) { x: registerApplication(in: $in) { id bundles { data { id } } } }",
        {
          in: {
            name,
            description: `${name} of the test`,
            labels: { group: ["joined"] },
            bundles: [
              {
                name: "first",
                defaultInstanceAuth: { credential: { basic: { username: "u", password: "p" } } },
              },
              {
                name: "second",
                defaultInstanceAuth: {
                  credential: {
                    oauth: { clientId: "c", clientSecret: "s", url: "https://example.com" },
                  },
                },
              },
            ],
          },
        },
      )
    ).x;
  const made = await register("joined-shop");
  ids.application = made.id as string;
  ids.bundle = made.bundles.data[0].id as string;
  ids.other = (await register("joined-crm")).id as string;
  const paired = await plane.pair("Runtime", "joined-runtime", { group: ["joined"] });
  ids.runtime = paired.id;
  await plane.ask(
    `mutation { registerTenant(in: { externalID: "joined-foreign", name: "Foreign" }) { id } }`,
  );
  ids.foreign = (
    await plane.ask(
      `mutation { x: registerApplication(in: { name: "foreign" }) { id } }`,
      {},
      { tenant: "joined-foreign" },
    )
  ).x.id as string;
}, 90_000);
afterAll(() => plane.close(), 30_000);

/** An operation with room for fields of other services: at its root, and in an application or runtime. */
type Template = (root: string, entity: string) => string;
type Asked = {
  readonly variables?: object | (() => object);
  readonly headers?: Readonly<Record<string, string>>;
};

const ROOT = " zRoot: certificates(first: 1) { totalCount }";
const ENTITY = " zEntity: certificates(first: 1) { totalCount }";
/** Takes the place of what is not added, so that locations stay the same. */
const blank = (text: string): string => " ".repeat(text.length);
const RESPONSE = "application/graphql-response+json";

/** The answer without what was added to be joined, and without what is new in each. */
function comparable(answer: Answer) {
  const clean = (value: Selected): Selected => {
    if (Array.isArray(value)) return value.map(clean);
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(
      Object.entries(value as object)
        .filter(([key]) => key !== "zRoot" && key !== "zEntity")
        .map(([key, one]) => [key, key === "errorId" ? "…" : clean(one)]),
    );
  };
  const { status, headers, json } = answer;
  return {
    status,
    type: headers["content-type"],
    retryAfter: headers["retry-after"],
    body: clean(json),
  };
}

/** Asks straight and joined in every way that the template has room for; gives what came straight. */
async function alike(template: Template, asked: Asked = {}): Promise<Selected> {
  const { variables = {}, headers = {} } = asked;
  const given = typeof variables === "function" ? variables() : variables;
  const ask = (query: string) => plane.admin(query, given, { accept: RESPONSE, ...headers });
  const alone = template(blank(ROOT), blank(ENTITY));
  const straight = await ask(alone);
  const forms = new Set([
    template(ROOT, blank(ENTITY)),
    template(blank(ROOT), ENTITY),
    template(ROOT, ENTITY),
  ]);
  forms.delete(alone);
  for (const form of forms) {
    const joined = await ask(form);
    expect({ form, ...comparable(joined) }).toEqual({ form, ...comparable(straight) });
    // Keys come in the order of the operation (GraphQL specification, 6.3.2).
    expect(Object.keys(comparable(joined).body.data ?? {})).toEqual(
      Object.keys(straight.json.data ?? {}),
    );
  }
  return { status: straight.status, ...straight.json };
}

const codes = (answer: Selected): readonly string[] =>
  (answer.errors ?? []).map((error: Selected) => error.extensions.code as string);

describe("joined and straight, the answer is the same", () => {
  it("for aliases, nested pages, unions, fragments and __typename", async () => {
    const answer = await alike(
      (root, entity) => `query Q($id: ID!, $n: Int = 1) {
        __typename
        one: application(id: $id) { kind: __typename name id${entity} ...B }
        two: application(id: $id) { bundles(first: $n) { totalCount data { id: name } }${entity} }
        runtimes(first: 5) { data { key: id name ... on Runtime { status { condition } }${entity} } pageInfo { hasNextPage } }${root}
      }
      fragment B on Application { bundles { __typename data { name defaultInstanceAuth { credential {
        type: __typename ... on BasicCredentialData { username } ... on OAuthCredentialData { clientId url } } } } } }`,
      { variables: () => ({ id: ids.application }) },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data.one.kind).toBe("Application");
    const [basic, oauth] = answer.data.one.bundles.data;
    expect(basic.defaultInstanceAuth.credential).toEqual({
      type: "BasicCredentialData",
      username: "u",
    });
    expect(oauth.defaultInstanceAuth.credential.type).toBe("OAuthCredentialData");
    expect(answer.data.two.bundles.data).toEqual([{ id: "first" }]);
  });

  it("for another field that is called as the key by which services know an object", async () => {
    const answer = await alike(
      (root, entity) =>
        `query($id: ID!) { id: application(id: $id) { id: name __typename: description${entity} } applications(first: 2) { data { id: description${entity} } }${root} }`,
      { variables: () => ({ id: ids.application }) },
    );
    expect(answer.data.id).toEqual({ id: "joined-shop", __typename: "joined-shop of the test" });
    expect(answer.data.applications.data[1]).toEqual({ id: "joined-crm of the test" });
  });

  it("for fields and variables with names of the machinery", async () => {
    const answer = await alike(
      (root, entity) =>
        `query _entities($representations: ID!, $__proto__: Int) { __proto__: application(id: $representations) { __proto__: name constructor: id${entity} bundles(first: $__proto__) { totalCount } }${root} }`,
      { variables: () => ({ representations: ids.application }) },
    );
    expect(JSON.stringify(answer.data)).toContain(`{"__proto__":{"__proto__":"joined-shop"`);
  });

  for (const include of [true, false, undefined])
    for (const skip of [true, false])
      it(`for @include(if: ${String(include)}) and @skip(if: ${String(skip)}), in every place`, async () => {
        const answer = await alike(
          (root, entity) => `query($id: ID!, $include: Boolean = false, $skip: Boolean!) {
            application(id: $id) { name description @include(if: $include)${entity}
              ... @skip(if: $skip) { bundles { totalCount }${entity} } ...F @include(if: $include) }
            runtimes(first: 1) @skip(if: $skip) { totalCount }${root} }
          fragment F on Application { labels @skip(if: $skip) status { condition } }`,
          { variables: () => ({ id: ids.application, include, skip }) },
        );
        expect(answer.errors).toBeUndefined();
        expect("runtimes" in answer.data).toBe(!skip);
        expect("status" in answer.data.application).toBe(include === true);
      });

  it("for an object that does not exist, or is another tenant's", async () => {
    for (const id of [NOBODY, ids.foreign, "no-id"]) {
      const answer = await alike(
        (root, entity) =>
          `query($id: ID!, $good: ID!) { application(id: $id) { id${entity} } good: application(id: $good) { name${entity} }${root} }`,
        { variables: () => ({ id, good: ids.application }) },
      );
      expect(answer.data).toEqual({ application: null, good: { name: "joined-shop" } });
    }
  });

  it("for NOT_FOUND that takes everything around it with it", async () => {
    for (const id of [NOBODY, ids.foreign]) {
      const answer = await alike(
        (root, entity) =>
          `query($id: ID!, $good: ID!) { good: application(id: $good) { name${entity} } bad: applicationsForRuntime(runtimeID: $id) { data { id${entity} } } worse: bundleByInstanceAuth(authID: $id) { id }${root} }`,
        { variables: () => ({ id, good: ids.application }) },
      );
      expect(answer.data).toBeNull();
      expect(codes(answer)).toEqual(["NOT_FOUND", "NOT_FOUND"]);
      expect(answer.errors[0].path).toEqual(["bad"]);
      expect(answer.errors[0].locations).toHaveLength(1);
    }
  });

  it("for what a service resolves, beside what it reads", async () => {
    const answer = await alike(
      (root, entity) =>
        `query($id: ID!) { viewer { id type } tenants { id name } application(id: $id) { name${entity} }${root} }`,
      { variables: () => ({ id: ids.application }) },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data.viewer.type).toBe("USER");
  });

  it("for variables that are missing, wrong, or of another type", async () => {
    for (const variables of [
      {},
      { id: null },
      { id: { a: 1 } },
      { id: ids.application, first: "x" },
      { id: ids.application, first: 2 ** 40 },
    ]) {
      const answer = await alike(
        (root, entity) =>
          `query($id: ID!, $first: Int) { application(id: $id) { bundles(first: $first) { totalCount }${entity} }${root} }`,
        { variables },
      );
      expect(answer.status).toBe(400);
      expect(codes(answer)).toContain("INVALID_DATA");
      expect("data" in answer).toBe(false);
    }
  });

  it("for pages, cursors and filters that a service refuses", async () => {
    for (const list of [
      "applications(first: 0)",
      "applications(first: 201)",
      'applications(after: "x")',
      'applications(filter: [{ key: "a", query: "$[" }])',
    ]) {
      const answer = await alike(
        (root, entity) => `{ x: ${list} { data { id${entity} } } viewer { id }${root} }`,
      );
      expect([list, ...codes(answer)]).toEqual([list, "INVALID_DATA"]);
    }
  });

  it("for scopes that the caller does not have", async () => {
    const { x } = await plane.ask(
      `mutation { x: createAPIToken(in: { name: "joined", scopes: ["runtime:read", "certificate:read"] }) { token } }`,
    );
    const headers = { authorization: `Bearer ${x.token as string}` };
    const one = await alike(
      (root, entity) =>
        `query($id: ID!) { bad: application(id: $id) { id${entity} } runtimes(first: 1) { data { name${entity} } }${root} }`,
      { headers, variables: () => ({ id: ids.application }) },
    );
    expect(codes(one)).toEqual(["INSUFFICIENT_SCOPES"]);
    expect(one.data).toEqual({ bad: null, runtimes: { data: [{ name: "joined-runtime" }] } });
    const all = await alike(
      (root, entity) =>
        `{ runtimes(first: 1) { data { name${entity} } } applications { data { id${entity} } }${root} }`,
      { headers },
    );
    expect(all.data).toBeNull();
    expect(codes(all)).toEqual(["INSUFFICIENT_SCOPES"]);
  });

  it("for an unknown caller, a foreign tenant, and a batch", async () => {
    const template: Template = (root, entity) =>
      `query($id: ID!) { application(id: $id) { id${entity} }${root} }`;
    const variables = () => ({ id: ids.application });
    const unknown = await alike(template, { variables, headers: { authorization: "Bearer none" } });
    expect([unknown.status, ...codes(unknown)]).toEqual([401, "UNAUTHENTICATED"]);
    const nowhere = await alike(template, { variables, headers: { tenant: "no-such-tenant" } });
    expect(codes(nowhere)).toEqual(["TENANT_NOT_FOUND"]);
  });

  it("for more objects, depth, fields and root fields than are served", async () => {
    const page = "applications { data { bundles { data { apiDefinitions { data { id } } } } } }";
    const asked: readonly Template[] = [
      (root) => `{ ${Array.from({ length: 12 }, (_, n) => `a${n}: ${page}`).join(" ")}${root} }`,
      (root) =>
        `{ ${Array.from({ length: 51 }, (_, n) => `a${n}: viewer { id }`).join(" ")}${root} }`,
      (root) =>
        `{ viewer { ${Array.from({ length: 5_001 }, (_, n) => `a${n}: id`).join(" ")} }${root} }`,
    ];
    for (const template of asked) {
      const straight = await plane.admin(template("", ""), {}, { accept: RESPONSE });
      const joined = await plane.admin(template(ROOT, ""), {}, { accept: RESPONSE });
      const counted = (answer: Answer) => answer.text.replaceAll(/\d{2,}/g, "…");
      expect(straight.status).toBe(400);
      expect(joined.status).toBe(400);
      expect(counted(joined)).toBe(counted(straight));
    }
  });

  it("for mutations, their errors, and what is asked of what they changed", async () => {
    const answer = await alike(
      (root, entity) =>
        `mutation($id: ID!, $gone: ID!) {
          good: updateApplication(id: $id, in: { providerName: "p" }) { providerName${entity} }
          none: deleteAutomaticGroupAssignmentForGroup(groupName: "no-such-group") { groupName }
          again: setApplicationLabel(applicationID: $id, key: "joined", value: [1]) { value }
          bad: updateApplication(id: $gone, in: { providerName: "q" }) { id${entity} }
          never: updateApplication(id: $id, in: { providerName: "never" }) { providerName${entity} }
          ${root.trim() === "" ? "" : "zRoot: revokeCertificates(serialNumbers: [])"} }`,
      { variables: () => ({ id: ids.application, gone: NOBODY }) },
    );
    expect(answer.data).toBeNull();
    expect(codes(answer).at(-1)).toBe("NOT_FOUND");
    const { application } = await plane.ask(
      "query($id: ID!) { application(id: $id) { providerName } }",
      { id: ids.application },
    );
    expect(application.providerName).toBe("p");
  });

  it("for the schema itself, beside what is asked of the services", async () => {
    const { json } = await plane.admin(
      `{ __schema { queryType { name } } t: __type(name: "Application") { kind } viewer { type } certificates { totalCount } }`,
    );
    expect(json.errors).toBeUndefined();
    expect(json.data.__schema).toEqual({ queryType: { name: "Query" } });
    expect(json.data.t).toEqual({ kind: "OBJECT" });
    expect(json.data.viewer).toEqual({ type: "USER" });
  });
});

describe("a part that fails", () => {
  it("is null with an error at its place, and what is around it is answered", async () => {
    const { x } = await plane.ask(
      `mutation { x: createAPIToken(in: { name: "part", scopes: ["application:read", "runtime:read", "certificate:read"] }) { token } }`,
    );
    const answer = await plane.admin(
      "query($id: ID!) {\n  runtime(id: $id) { name\n    run: provisioning { runtimeID } certificates { totalCount } } }",
      { id: ids.runtime },
      { authorization: `Bearer ${x.token as string}` },
    );
    expect(answer.status).toBe(200);
    expect(answer.json.data).toEqual({
      runtime: { name: "joined-runtime", run: null, certificates: { totalCount: 1 } },
    });
    expect(answer.json.errors).toEqual([
      {
        message: expect.stringMatching(/^insufficient scopes provided, required: \[provisioning/),
        locations: [{ line: 3, column: 5 }],
        path: ["runtime", "run"],
        extensions: { code: "INSUFFICIENT_SCOPES", error_code: 23 },
      },
    ]);
  });

  it("takes with it what must not be null, and tells it once", async () => {
    const { x } = await plane.ask(
      `mutation { x: createAPIToken(in: { name: "part", scopes: ["application:read"] }) { token } }`,
    );
    const headers = { authorization: `Bearer ${x.token as string}` };
    const one = await plane.admin(
      "query($id: ID!) { application(id: $id) { name certificates { totalCount } } applications { totalCount } }",
      { id: ids.application },
      headers,
    );
    expect(one.json.data.application).toBeNull();
    expect(one.json.data.applications.totalCount).toBeGreaterThanOrEqual(2);
    expect(one.json.errors.map((error: Selected) => error.path)).toEqual([
      ["application", "certificates"],
    ]);
    const all = await plane.admin(
      "{ applications { data { id certificates { totalCount } } } }",
      {},
      headers,
    );
    expect(all.json.data).toBeNull();
    expect(all.json.errors.map((error: Selected) => error.path)).toEqual([
      ["applications", "data", 0, "certificates"],
    ]);
  });

  it("because its service is away says so and when to come back; the other parts are answered", async () => {
    await plane.services["runtime-provisioner"].end();
    try {
      const away = {
        message: "runtime-provisioner is away: try again",
        extensions: { code: "INTERNAL", error_code: 10, retryAfter: 1 },
      };
      const answer = await plane.admin(
        "query($id: ID!) { runtime(id: $id) { name provisioning { runtimeID } } }",
        { id: ids.runtime },
      );
      expect(answer.status).toBe(200);
      expect(answer.json.data).toEqual({ runtime: { name: "joined-runtime", provisioning: null } });
      expect(answer.json.errors).toMatchObject([
        { ...away, path: ["runtime", "provisioning"], locations: [{ line: 1 }] },
      ]);
      // What only it can answer: alone and joined to a service that is away as well.
      const alone = await plane.admin("{ runtimeOperations { totalCount } }");
      expect([alone.status, alone.headers["retry-after"]]).toEqual([503, "1"]);
      expect(alone.json).toEqual({ errors: [away] });
      await plane.services.connector.end();
      const both = await plane.admin(
        "{ runtimeOperations { totalCount } certificates { totalCount } }",
      );
      expect([both.status, both.headers["retry-after"]]).toEqual([503, "1"]);
      expect(both.json.data).toBeUndefined();
      expect(both.json.errors[0].extensions).toEqual(away.extensions);
    } finally {
      for (const name of ["connector", "runtime-provisioner"] as const) {
        // Where the test failed before it came to end it.
        await plane.services[name].end();
        await plane.services[name].start();
      }
    }
  });
});

describe("the gateway's own rules", () => {
  it("repeat a joined mutation under the same key, and refuse another under it", async () => {
    const register = (name: string) =>
      plane.admin(
        "mutation($name: String!) { x: registerRuntime(in: { name: $name }) { id certificates { totalCount } } }",
        { name },
        { "idempotency-key": "joined-once" },
      );
    const first = await register("joined-once");
    expect(first.json.data.x.certificates).toEqual({ totalCount: 0 });
    expect((await register("joined-once")).json).toEqual(first.json);
    const other = await register("joined-twice");
    expect(other.json.data).toBeNull();
    expect(other.json.errors).toMatchObject([
      { path: ["x"], extensions: { code: "INVALID_OPERATION" } },
    ]);
  });

  it("turn away what is too much, straight and joined alike", async () => {
    await plane.restartGateway({ SEXTANT_RATE_ADMINISTRATION: "client=0.01/2" });
    try {
      const ask = (query: string) =>
        plane.admin(query, { id: ids.application }, { accept: RESPONSE });
      const straight = "query($id: ID!) { application(id: $id) { name } }";
      const joined = "query($id: ID!) { application(id: $id) { certificates { totalCount } } }";
      expect((await ask(straight)).status).toBe(200);
      expect((await ask(joined)).status).toBe(200);
      for (const query of [straight, joined]) {
        const { status, headers, json } = await ask(query);
        expect(status).toBe(429);
        const { retryAfter } = json.errors[0].extensions;
        expect(retryAfter).toBeGreaterThan(0);
        expect(headers["retry-after"]).toBe(String(retryAfter));
        expect(json).toEqual({
          errors: [
            {
              message: `too many requests: try again in ${String(retryAfter)} s`,
              extensions: { code: "RATE_LIMITED", error_code: 429, retryAfter },
            },
          ],
        });
      }
    } finally {
      await plane.restartGateway({});
    }
  });
});

describe("references between services", () => {
  it("to what is another tenant's, or the caller may not see, are null as if there were nothing", async () => {
    const keys = readServiceKeys(plane.keysOf("api-gateway"), "api-gateway");
    const signer = createSigner({ service: "api-gateway", ...keys, now: Date.now });
    const { tenants } = await plane.ask("{ tenants { id internalID } }");
    const home = tenants.find((one: Selected) => one.id !== "joined-foreign").internalID as string;
    const resolve = async (
      service: "director" | "connector" | "runtime-provisioner",
      consumer: { readonly type: "USER" | "RUNTIME"; readonly id: string },
      type: string,
      selected: string,
      asked: readonly string[],
    ): Promise<unknown> => {
      const identity = { tenant: home, consumer, scopes: [...scopes] };
      const reply = await fetch(`${plane.services[service].url}/graphql`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          authorization: signer.authorizationFor(service, identity),
        },
        body: JSON.stringify({
          query: `query($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${selected} } } }`,
          variables: { r: asked.map((id) => ({ __typename: type, id })) },
        }),
      });
      const answer: Selected = await reply.json();
      expect(answer.errors).toBeUndefined();
      return answer.data._entities;
    };
    const admin = { type: "USER", id: "admin" } as const;
    const asked = [ids.application, ids.foreign, NOBODY, "no-id", ids.application];
    expect(await resolve("director", admin, "Application", "name", asked)).toEqual([
      { name: "joined-shop" },
      null,
      null,
      null,
      { name: "joined-shop" },
    ]);
    const stranger = { type: "RUNTIME", id: NOBODY } as const;
    expect(await resolve("director", stranger, "Application", "name", asked)).toEqual(
      asked.map(() => null),
    );
    expect(await resolve("director", stranger, "Runtime", "name", [ids.runtime, NOBODY])).toEqual([
      null,
      null,
    ]);
    const certificates = (consumer: typeof admin | typeof stranger, of: readonly string[]) =>
      resolve("connector", consumer, "Runtime", "certificates { totalCount }", of);
    const count = (totalCount: number) => ({ certificates: { totalCount } });
    expect(await certificates(admin, [ids.runtime, NOBODY])).toEqual([count(1), count(0)]);
    // Another's runtime has as many certificates as one that does not exist.
    expect(await certificates(stranger, [ids.runtime, NOBODY])).toEqual([count(0), count(0)]);
  });
});
