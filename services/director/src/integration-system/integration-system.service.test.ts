import { afterAll, beforeAll, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let home: TestTenant;
beforeAll(async () => {
  director = await startDirector();
  home = await director.tenant();
});
afterAll(() => director.close());

const register = `mutation($name: String!) { x: registerIntegrationSystem(in: { name: $name, description: "d" }) { id name description revision } }`;
const unregister = `mutation($id: ID!) { x: unregisterIntegrationSystem(id: $id) { id name } }`;
const grant = `mutation($s: ID!, $t: ID!) { x: grantTenant(integrationSystemID: $s, tenantID: $t) { id internalID name initialized } }`;
const revoke = `mutation($s: ID!, $t: ID!) { x: revokeTenant(integrationSystemID: $s, tenantID: $t) { id } }`;
const aSystem = async (tenant: TestTenant, name: string): Promise<string> =>
  (await tenant.admin.ask(register, { name })).x.id as string;
/** The admin of the home tenant, with a token for every tenant. */
const everywhere = () => director.as({ ...home.admin.identity, tenants: ["*"] });
const externalID = async (tenant: TestTenant): Promise<string> =>
  (await tenant.admin.ask(`{ tenants { id internalID } }`)).tenants.find(
    (one: { internalID: string }) => one.internalID === tenant.id,
  ).id as string;

it("an integration system is registered, listed, changed with its revision, and unregistered", async () => {
  const { x } = await home.admin.ask(register, { name: "crm-bridge" });
  expect(x).toMatchObject({ name: "crm-bridge", description: "d", revision: 1 });
  expect(await home.admin.refusal(register, { name: "crm-bridge" })).toBe(
    "NOT_UNIQUE: Object name is not unique: IntegrationSystem crm-bridge",
  );
  const { list, one } = await home.admin.ask(
    `query($id: ID!) { list: integrationSystems { data { id } totalCount } one: integrationSystem(id: $id) { name auths { id } } }`,
    { id: x.id },
  );
  expect(list.data).toContainEqual({ id: x.id });
  expect(one).toEqual({ name: "crm-bridge", auths: [] });
  const change = `mutation($id: ID!, $r: Int) { x: updateIntegrationSystem(id: $id, in: { name: "bridge" }, expectedRevision: $r) { name description revision } }`;
  expect(await home.admin.refusal(change, { id: x.id, r: 7 })).toMatch(/^CONCURRENT_UPDATE/);
  expect((await home.admin.ask(change, { id: x.id, r: 1 })).x).toEqual({
    name: "bridge",
    description: null,
    revision: 2,
  });
  expect((await home.admin.ask(unregister, { id: x.id })).x).toEqual({ id: x.id, name: "bridge" });
  expect(await home.admin.refusal(unregister, { id: x.id })).toMatch(/^NOT_FOUND/);
});

it("an application names only an integration system that may act in its tenant", async () => {
  const own = await aSystem(home, "own");
  const other = await director.tenant();
  const foreign = await aSystem(other, "foreign");
  await anApplication(home, "managed", { integrationSystemID: own });
  const create = `mutation($s: ID!) { registerApplication(in: { name: "x", integrationSystemID: $s }) { id } }`;
  for (const id of [foreign, home.id])
    expect(await home.admin.refusal(create, { s: id })).toMatch(
      /^INVALID_DATA: .*integrationSystemID: there is no such integration system/,
    );
  const id = await anApplication(home, "later");
  const change = `mutation($id: ID!, $s: ID!) { updateApplication(id: $id, in: { integrationSystemID: $s }) { integrationSystemID } }`;
  expect(await home.admin.refusal(change, { id, s: foreign })).toMatch(/^INVALID_DATA/);
  expect((await home.admin.ask(change, { id, s: own })).updateApplication.integrationSystemID).toBe(
    own,
  );
});

it("one that applications name is not unregistered, and the refusal names them", async () => {
  const system = await aSystem(home, "in-use");
  const application = await anApplication(home, "user-of-it", { integrationSystemID: system });
  expect(await home.admin.refusal(unregister, { id: system })).toBe(
    `INVALID_OPERATION: IntegrationSystem ${system} is in use: applications name it: user-of-it (${application}); unregister or change them first`,
  );
  await home.admin.ask(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, {
    id: application,
  });
  await home.admin.ask(unregister, { id: system });
});

it("a grant opens another tenant to it, until it is revoked", async () => {
  const system = await aSystem(home, "roaming");
  const other = await director.tenant();
  const t = await externalID(other);
  const admin = everywhere();
  const named = { integrationSystemID: system };
  expect((await admin.ask(grant, { s: system, t })).x).toMatchObject({
    id: t,
    internalID: other.id,
    initialized: true,
  });
  // Granted already: the same answer.
  expect((await admin.ask(grant, { s: system, t })).x.id).toBe(t);
  const application = await anApplication(other, "managed", named);
  expect(await admin.refusal(revoke, { s: system, t })).toMatch(
    new RegExp(`^INVALID_OPERATION: .*managed \\(${application}\\)`),
  );
  expect(await home.admin.refusal(unregister, { id: system })).toMatch(
    /^INVALID_OPERATION: .*granted to it name it/,
  );
  await other.admin.ask(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, {
    id: application,
  });
  await admin.ask(revoke, { s: system, t });
  expect(await admin.refusal(revoke, { s: system, t })).toMatch(/^NOT_FOUND: .*Grant/);
  await expect(anApplication(other, "too-late", named)).rejects.toThrow(/INVALID_DATA/);
});

it("grants are listed from both sides, and nobody is told of a tenant that is not open to it", async () => {
  const [system, idle] = [await aSystem(home, "listed"), await aSystem(home, "idle")];
  const [other, third] = [await director.tenant(), await director.tenant()];
  const local = await aSystem(other, "local");
  const admin = everywhere();
  const ids = [await externalID(home), await externalID(other), await externalID(third)] as const;
  for (const t of ids.slice(1)) await admin.ask(grant, { s: system, t });

  const tenantsOf = `query($id: ID!, $first: Int, $after: PageCursor) {
    x: integrationSystem(id: $id) { tenants(first: $first, after: $after) { totalCount data { id } pageInfo { endCursor hasNextPage } } } }`;
  const listed = async (as: typeof admin, id = system) => {
    const { tenants } = (await as.ask(tenantsOf, { id })).x;
    return [tenants.totalCount, tenants.data.map((one: { id: string }) => one.id).toSorted()];
  };
  expect(await listed(admin)).toEqual([3, ids.toSorted()]);
  expect(await listed(admin, idle)).toEqual([1, [ids[0]]]);
  expect(await listed(home.admin)).toEqual([1, [ids[0]]]);
  const both = director.as({ ...home.admin.identity, tenants: [home.id, third.id] });
  expect(await listed(both)).toEqual([2, [ids[0], ids[2]].toSorted()]);
  const first = (await admin.ask(tenantsOf, { id: system, first: 2 })).x.tenants;
  const rest = (
    await admin.ask(tenantsOf, { id: system, first: 2, after: first.pageInfo.endCursor })
  ).x.tenants;
  expect([first.data.length, first.pageInfo.hasNextPage]).toEqual([2, true]);
  const paged = [...first.data, ...rest.data] as { id: string }[];
  expect(paged.map((one) => one.id).toSorted()).toEqual(ids.toSorted());

  const grants = `{ x: tenantGrants { totalCount data { id integrationSystemID homeTenant { id } createdAt } } }`;
  const seen = async (as: typeof admin) =>
    (await as.ask(grants)).x.data.map(
      (one: { integrationSystemID: string; homeTenant: { id: string } | null }) =>
        `${one.integrationSystemID} of ${one.homeTenant?.id}`,
    );
  expect(await seen(third.admin)).toEqual([`${system} of undefined`]);
  const inOther = director.as({ ...other.admin.identity, tenants: [other.id, home.id] });
  expect(await seen(inOther)).toEqual([`${local} of ${ids[1]}`, `${system} of ${ids[0]}`]);
  expect(await third.with("application:read").refusal(grants)).toMatch(/^INSUFFICIENT_SCOPES/);
  // What grants nothing is seen nowhere.
  expect(await seen(admin)).not.toContain(`${local} of ${ids[1]}`);

  await admin.ask(revoke, { s: system, t: ids[2] });
  expect(await listed(admin)).toEqual([2, ids.slice(0, 2).toSorted()]);
  expect(await seen(third.admin)).toEqual([]);
});

it("a grant is given by nobody who may not act in that tenant, nor of another's integration system", async () => {
  const system = await aSystem(home, "kept");
  const other = await director.tenant();
  const theirs = await aSystem(other, "theirs");
  const t = await externalID(other);
  expect(await home.admin.refusal(grant, { s: system, t })).toMatch(/^TENANT_NOT_FOUND/);
  expect(await everywhere().refusal(grant, { s: system, t: "nowhere" })).toMatch(
    /^TENANT_NOT_FOUND/,
  );
  expect(await everywhere().refusal(grant, { s: theirs, t })).toMatch(/^NOT_FOUND/);
});

it("client credentials are made, shown to their owner, bounded in number, and removed", async () => {
  const system = await aSystem(home, "client");
  const application = await anApplication(home, "client-app");
  const runtime = await aRuntime(home, "client-runtime");
  const credentials = `{ id auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } } }`;
  const made = await home.admin.ask(
    `mutation($s: ID!, $a: ID!, $r: ID!) {
      system: requestClientCredentialsForIntegrationSystem(id: $s) ${credentials}
      application: requestClientCredentialsForApplication(id: $a) ${credentials}
      runtime: requestClientCredentialsForRuntime(id: $r) ${credentials} }`,
    { s: system, a: application, r: runtime },
  );
  for (const { id, auth } of Object.values<{ id: string; auth: unknown }>(made))
    expect(auth).toEqual({
      credential: {
        clientId: id,
        clientSecret: expect.stringMatching(/^[\w-]{43}$/),
        url: "https://plane.example/oauth2/token",
      },
    });
  const ofApplication = `query($id: ID!) { application(id: $id) { auths { id } } }`;
  const own = await home.application(application).ask(ofApplication, { id: application });
  expect(own.application.auths).toEqual([{ id: made.application.id }]);
  // Who may only read does not see secrets.
  expect(await home.with("application:read").refusal(ofApplication, { id: application })).toMatch(
    /^INSUFFICIENT_SCOPES/,
  );
  expect(
    (
      await home
        .runtime(runtime)
        .ask(`query($id: ID!) { runtime(id: $id) { auths { id } } }`, { id: runtime })
    ).runtime.auths,
  ).toEqual([{ id: made.runtime.id }]);
  // By the operation of its own kind only.
  expect(
    await home.admin.refusal(
      `mutation($id: ID!) { deleteSystemAuthForRuntime(authID: $id) { id } }`,
      { id: made.application.id },
    ),
  ).toMatch(/^NOT_FOUND/);
  const removed = await home.admin.ask(
    `mutation($s: ID!, $a: ID!, $r: ID!) {
      a: deleteSystemAuthForApplication(authID: $a) { id }
      r: deleteSystemAuthForRuntime(authID: $r) { id }
      s: deleteSystemAuthForIntegrationSystem(authID: $s) { id } }`,
    { s: made.system.id, a: made.application.id, r: made.runtime.id },
  );
  expect(removed.a.id).toBe(made.application.id);
  expect((await home.admin.ask(ofApplication, { id: application })).application.auths).toEqual([]);
  for (const paired of [home.application(application), home.runtime(runtime)])
    expect(
      await paired.refusal(
        `mutation($id: ID!) { requestClientCredentialsForApplication(id: $id) { id } }`,
        { id: application },
      ),
    ).toMatch(/^(FORBIDDEN|INSUFFICIENT_SCOPES)/);
  expect(
    await home.admin.refusal(
      `mutation { requestClientCredentialsForRuntime(id: "00000000-0000-7000-8000-000000000000") { id } }`,
    ),
  ).toMatch(/^NOT_FOUND: .*Runtime/);
});
