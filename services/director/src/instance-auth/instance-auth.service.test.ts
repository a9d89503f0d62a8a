import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  aBundle,
  anApplication,
  aRuntime,
  basicAuth,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let tenant: TestTenant;
let application: string;
let runtime: string;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  application = await anApplication(tenant, "shop", {
    webhooks: [{ type: "CONFIGURATION_CHANGED", url: "https://shop.example/hook" }],
  });
  runtime = await aRuntime(tenant, "r1");
});
afterAll(() => director.close());

const shown = `id runtimeID context inputParams revision status { condition message reason }
  auth { credential { __typename ... on BasicCredentialData { username password } } }`;
const create = `mutation($b: ID!, $in: BundleInstanceAuthCreateInput!) { x: createBundleInstanceAuth(bundleID: $b, in: $in) { ${shown} } }`;
const request = `mutation($b: ID!, $in: BundleInstanceAuthRequestInput!) { x: requestBundleInstanceAuthCreation(bundleID: $b, in: $in) { ${shown} } }`;
const set = `mutation($id: ID!, $in: BundleInstanceAuthSetInput!) { x: setBundleInstanceAuth(authID: $id, in: $in) { ${shown} } }`;
const update = `mutation($id: ID!, $in: BundleInstanceAuthUpdateInput!) { x: updateBundleInstanceAuth(id: $id, in: $in) { ${shown} } }`;
const unneeded = `mutation($id: ID!) { x: requestBundleInstanceAuthDeletion(authID: $id) { ${shown} } }`;
const remove = `mutation($id: ID!) { x: deleteBundleInstanceAuth(authID: $id) { ${shown} } }`;

/** What the calling runtime sees as a bundle's credential. */
const ownCredential = async (bundle: string, of = runtime): Promise<string | undefined> => {
  const { application: seen } = await tenant
    .runtime(of)
    .ask(
      `query($a: ID!, $b: ID!) { application(id: $a) { bundle(id: $b) { defaultInstanceAuth { credential { ... on BasicCredentialData { password } } } } } }`,
      { a: application, b: bundle },
    );
  return seen.bundle.defaultInstanceAuth?.credential.password as string | undefined;
};
/** Messages of a type that wait for `shop`. */
const told = async (type: string): Promise<readonly any[]> => {
  const found: any[] = [];
  await director.work("delivery", async (delivery) => {
    if (delivery.type === type) found.push(delivery.body);
    return { done: true, values: { state: "DELIVERED" } };
  });
  return found;
};

describe("credentials that are asked for", () => {
  it("are the bundle's default at once, as a copy that a later change of it does not touch", async () => {
    const bundle = await aBundle(tenant, application, {
      defaultInstanceAuth: basicAuth("default-1"),
    });
    const { x } = await tenant
      .runtime(runtime)
      .ask(request, { b: bundle, in: { context: { a: 1 } } });
    expect(x).toMatchObject({
      runtimeID: runtime,
      context: '{"a":1}',
      status: { condition: "SUCCEEDED" },
      auth: { credential: { username: "user", password: "default-1" } },
    });
    await tenant.admin.ask(
      `mutation($id: ID!, $in: BundleUpdateInput!) { updateBundle(id: $id, in: $in) { id } }`,
      { id: bundle, in: { name: "b", defaultInstanceAuth: basicAuth("default-2") } },
    );
    expect(await ownCredential(bundle)).toBe("default-1");
  });

  it("wait for the application without a default; it is told once, and answers", async () => {
    const bundle = await aBundle(tenant, application);
    await told("");
    const { x } = await tenant.runtime(runtime).ask(request, { b: bundle, in: {} });
    expect(x).toMatchObject({ status: { condition: "PENDING" }, auth: null });
    expect(await told("credentials.requested")).toMatchObject([
      {
        type: "credentials.requested",
        data: { ids: { bundleID: bundle, bundleInstanceAuthID: x.id } },
      },
    ]);
    const given = await tenant
      .application(application)
      .ask(set, { id: x.id, in: { auth: basicAuth("given") } });
    expect(given.x).toMatchObject({
      status: { condition: "SUCCEEDED" },
      auth: { credential: { password: "given" } },
    });
    expect(await ownCredential(bundle)).toBe("given");
  });

  it("are bound to who asks: a runtime cannot ask in another's name, an application not at all", async () => {
    const bundle = await aBundle(tenant, application);
    const other = await aRuntime(tenant, "other");
    expect(
      await tenant.runtime(runtime).refusal(request, { b: bundle, in: { runtimeID: other } }),
    ).toMatch(/^NOT_FOUND/);
    expect(await tenant.application(application).refusal(request, { b: bundle, in: {} })).toMatch(
      /^NOT_FOUND/,
    );
    const { x } = await tenant.admin.ask(request, { b: bundle, in: { runtimeID: other } });
    expect(x.runtimeID).toBe(other);
  });

  it("have the id that was asked for, which is refused when it is taken", async () => {
    const bundle = await aBundle(tenant, application);
    const id = director.inside.newID();
    const given = { b: bundle, in: { id } };
    expect((await tenant.runtime(runtime).ask(request, given)).x.id).toBe(id);
    expect(await tenant.runtime(runtime).refusal(request, given)).toMatch(/^NOT_UNIQUE/);
  });

  it("need parameters that satisfy the bundle's schema", async () => {
    const bundle = await aBundle(tenant, application, {
      instanceAuthRequestInputSchema: JSON.stringify({
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        properties: { size: { $ref: "#/$defs/size" } },
        required: ["size"],
        $defs: { size: { type: "integer" } },
      }),
    });
    const as = tenant.runtime(runtime);
    expect(await as.refusal(request, { b: bundle, in: {} })).toMatch(
      /^INVALID_DATA: validation error for type BundleInstanceAuthRequestInput: inputParams: do not satisfy the bundle's schema/,
    );
    expect(await as.refusal(request, { b: bundle, in: { inputParams: { size: "x" } } })).toMatch(
      /\/size must be integer/,
    );
    expect(
      (await as.ask(request, { b: bundle, in: { inputParams: '{"size":1}' } })).x.inputParams,
    ).toBe('{"size":1}');
  });

  it("that a costly pattern would be applied to are refused, and others go on meanwhile", async () => {
    const bundle = await aBundle(tenant, application, {
      instanceAuthRequestInputSchema: {
        properties: { name: { type: "string", pattern: "^(a+)+$" } },
      },
    });
    const as = tenant.runtime(runtime);
    const inputParams = { name: `${"a".repeat(60)}!` };
    const refused = as.refusal(request, { b: bundle, in: { inputParams } });
    let asked = 0;
    const first = Promise.race([refused, new Promise((resolve) => setTimeout(resolve, 500))]);
    const others = (async () => {
      while (asked < 20) {
        await as.ask("{ viewer { id } }");
        asked += 1;
      }
    })();
    await Promise.all([first, others]);
    expect(asked).toBe(20);
    expect(await refused).toMatch(
      /^INVALID_DATA: .*inputParams: .*within the limits of time and memory/,
    );
    expect(
      (await as.ask(request, { b: bundle, in: { inputParams: { name: "aa" } } })).x.inputParams,
    ).toBe('{"name":"aa"}');
  });
});

describe("a schema of a bundle", () => {
  it("that is none, or that answers later, is refused when it is given", async () => {
    const add = `mutation($a: ID!, $in: BundleCreateInput!) { addBundle(applicationID: $a, in: $in) { id } }`;
    for (const schema of [
      { type: "nonsense" },
      { $async: true, type: "object", required: ["x"] },
      { $ref: "https://elsewhere.example/schema.json" },
      "[]",
      "{",
    ]) {
      expect(
        await tenant.admin.refusal(add, {
          a: application,
          in: { name: "b", instanceAuthRequestInputSchema: schema },
        }),
      ).toMatch(/^INVALID_DATA: .*instanceAuthRequestInputSchema: /);
    }
  });
});

describe("credentials that are given", () => {
  it("to a runtime that shares no group are refused, and the runtime looks as if it were not there", async () => {
    const bundle = await aBundle(tenant, application);
    const hidden = await aRuntime(tenant, "hidden", { labels: { group: ["secret"] } });
    const as = tenant.application(application);
    const absent = director.inside.newID();
    for (const id of [hidden, absent])
      expect(
        await as.refusal(create, { b: bundle, in: { runtimeID: id, auth: basicAuth("p") } }),
      ).toBe(`NOT_FOUND: Runtime with id ${id} does not exist`);
  });

  it("are seen by their runtime while it shares a group, and no longer", async () => {
    const bundle = await aBundle(tenant, application);
    const wanderer = await aRuntime(tenant, "wanderer");
    const { x } = await tenant
      .application(application)
      .ask(create, { b: bundle, in: { runtimeID: wanderer, auth: basicAuth("mine") } });
    const read = `query($id: ID!) { x: bundleInstanceAuth(id: $id) { auth { credential { ... on BasicCredentialData { password } } } } }`;
    const as = tenant.runtime(wanderer);
    expect((await as.ask(read, { id: x.id })).x.auth.credential.password).toBe("mine");
    await tenant.admin.ask(
      `mutation($r: ID!) { setRuntimeLabel(runtimeID: $r, key: "group", value: ["away"]) { key } }`,
      { r: wanderer },
    );
    expect((await as.ask(read, { id: x.id })).x).toBeNull();
    expect(JSON.stringify(await as.send(unneeded, { id: x.id }))).not.toContain("mine");
  });

  it("are shown in place of the default only when they are the runtime's own and work", async () => {
    const bundle = await aBundle(tenant, application, {
      defaultInstanceAuth: basicAuth("default"),
    });
    const other = await aRuntime(tenant, "with-its-own");
    const as = tenant.application(application);
    expect(await ownCredential(bundle, other)).toBe("default");
    const { x } = await as.ask(create, {
      b: bundle,
      in: { runtimeID: other, auth: basicAuth("own") },
    });
    expect(await ownCredential(bundle, other)).toBe("own");
    expect(await ownCredential(bundle)).toBe("default");
    await as.ask(set, {
      id: x.id,
      in: { status: { condition: "FAILED", message: "m", reason: "r" } },
    });
    expect(await ownCredential(bundle, other)).toBe("default");
    await as.ask(update, { id: x.id, in: { auth: basicAuth("again") } });
    expect(await ownCredential(bundle, other)).toBe("again");
    await tenant.runtime(other).ask(unneeded, { id: x.id });
    expect(await ownCredential(bundle, other)).toBe("default");
  });

  it("several to one runtime do not break its reads", async () => {
    const bundle = await aBundle(tenant, application);
    const as = tenant.application(application);
    for (const password of ["one", "two"])
      await as.ask(create, { b: bundle, in: { runtimeID: runtime, auth: basicAuth(password) } });
    expect(["one", "two"]).toContain(await ownCredential(bundle));
  });
});

describe("credentials that are no longer needed", () => {
  it("are UNUSED until the application deletes them, and cannot be set or changed back", async () => {
    const bundle = await aBundle(tenant, application);
    const as = tenant.application(application);
    const { x } = await as.ask(create, {
      b: bundle,
      in: { runtimeID: runtime, auth: basicAuth("p") },
    });
    await told("");
    const gone = await tenant.runtime(runtime).ask(unneeded, { id: x.id });
    expect(gone.x.status.condition).toBe("UNUSED");
    expect(await told("credentials.unused")).toHaveLength(1);
    for (const operation of [set, update])
      expect(await as.refusal(operation, { id: x.id, in: { auth: basicAuth("q") } })).toMatch(
        /^INVALID_OPERATION: .*UNUSED/,
      );
    expect((await as.ask(remove, { id: x.id })).x.id).toBe(x.id);
    expect(await as.refusal(remove, { id: x.id })).toMatch(/^NOT_FOUND/);
  });

  it("are not given up by who does not hold them", async () => {
    const bundle = await aBundle(tenant, application);
    const { x } = await tenant.admin.ask(create, {
      b: bundle,
      in: { runtimeID: runtime, auth: basicAuth("p") },
    });
    const other = await aRuntime(tenant, "not-the-holder");
    expect(await tenant.runtime(other).refusal(unneeded, { id: x.id })).toMatch(/^NOT_FOUND/);
    expect(await tenant.application(application).refusal(unneeded, { id: x.id })).toMatch(
      /^NOT_FOUND/,
    );
  });
});

describe("an answer to a request", () => {
  it("has credentials, or says that it failed, and never both or neither", async () => {
    const bundle = await aBundle(tenant, application);
    const { x } = await tenant.runtime(runtime).ask(request, { b: bundle, in: {} });
    const as = tenant.application(application);
    const failed = { condition: "FAILED", message: "m", reason: "r" };
    expect(await as.refusal(set, { id: x.id, in: {} })).toMatch(
      /^INVALID_DATA: .*auth: is required/,
    );
    expect(
      await as.refusal(set, { id: x.id, in: { auth: basicAuth("p"), status: failed } }),
    ).toMatch(/^INVALID_DATA: .*auth: must not be given/);
    expect((await as.ask(set, { id: x.id, in: { status: failed } })).x).toMatchObject({
      auth: null,
      status: { condition: "FAILED", message: "m", reason: "r" },
    });
  });

  it("has exactly one kind of credential", async () => {
    const bundle = await aBundle(tenant, application);
    const oauth = { clientId: "c", clientSecret: "s", url: "https://x.example/token" };
    for (const credential of [{}, { basic: { username: "u", password: "p" }, oauth }])
      expect(
        await tenant.admin.refusal(create, {
          b: bundle,
          in: { runtimeID: runtime, auth: { credential } },
        }),
      ).toMatch(/^INVALID_DATA: .*auth\.credential: must have exactly one of basic and oauth/);
  });
});

describe("the credentials of one bundle", () => {
  it("are at most a thousand", async () => {
    const bundle = await aBundle(tenant, application);
    const steps = Array.from({ length: 1000 }, () => ({
      op: "create" as const,
      kind: "bundleInstanceAuth" as const,
      id: director.inside.newID(),
      values: {
        applicationID: application,
        bundleID: bundle,
        statusCondition: "PENDING",
        statusTimestamp: new Date().toISOString(),
        statusMessage: "",
        statusReason: "",
      },
    }));
    const stored = await director.inside.registry.commit({
      id: director.inside.newID(),
      tenant: tenant.id,
      actor: { type: "SERVICE", id: "test" },
      action: "fill",
      steps,
      params: {},
    });
    expect(stored.ok).toBe(true);
    for (const [operation, given] of [
      [create, { runtimeID: runtime, auth: basicAuth("p") }],
      [request, {}],
    ] as const)
      expect(await tenant.admin.refusal(operation, { b: bundle, in: given })).toMatch(
        /^INVALID_OPERATION: the bundle has 1000 credentials/,
      );
  });
});
