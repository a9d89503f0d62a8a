import { afterAll, beforeAll, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  type Speaker,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let home: TestTenant;
/** Who may act in every tenant. */
let root: Speaker;
beforeAll(async () => {
  director = await startDirector();
  home = await director.tenant();
  root = director.as({ ...home.admin.identity, tenants: ["*"] });
});
afterAll(() => director.close());

const register = `mutation($in: TenantInput!) { x: registerTenant(in: $in) { id internalID name initialized } }`;
const remove = `mutation($id: ID!) { x: deleteTenant(id: $id) { id name } }`;
const rename = `mutation($id: ID!, $name: String!) { x: updateTenant(id: $id, name: $name) { id name } }`;
const adminOf = (tenant: string) => {
  const { consumer, scopes } = home.admin.identity;
  return { admin: director.as({ tenant, consumer, scopes }) };
};

it("a tenant is registered once under its external id, listed, found and renamed", async () => {
  const { x } = await root.ask(register, { in: { externalID: "acme", name: "Acme" } });
  expect(x).toMatchObject({ id: "acme", name: "Acme", initialized: true });
  expect(await root.refusal(register, { in: { externalID: "acme", name: "Other" } })).toBe(
    "NOT_UNIQUE: Object name is not unique: Tenant acme",
  );
  expect((await root.ask(rename, { id: "acme", name: "Acme 2" })).x.name).toBe("Acme 2");
  const { tenants, found, none } = await root.ask(
    `{ tenants { id name } found: tenantsPage(search: "acme") { totalCount data { id } } none: tenantsPage(search: "\\u0000") { totalCount } }`,
  );
  expect(tenants).toContainEqual({ id: "acme", name: "Acme 2" });
  expect(found).toEqual({ totalCount: 1, data: [{ id: "acme" }] });
  expect(none.totalCount).toBe(0);
});

it("one that is wrong is told all its faults, and one that is not there is TENANT_NOT_FOUND", async () => {
  expect(await root.refusal(register, { in: { externalID: "a b", name: "" } })).toMatch(
    /^INVALID_DATA: .*externalID: .*name: /,
  );
  for (const id of ["nowhere", "a\u0000b", ""])
    for (const operation of [rename, remove])
      expect(await root.refusal(operation, { id, name: "x" })).toMatch(/^TENANT_NOT_FOUND/);
});

it("one with objects is not deleted, an empty one is, and no one's own", async () => {
  const { x } = await root.ask(register, { in: { externalID: "full", name: "Full" } });
  const inside = adminOf(x.internalID as string);
  const application = await anApplication(inside, "a");
  const runtime = await aRuntime(inside, "r");
  expect(await root.refusal(remove, { id: "full" })).toMatch(/^INVALID_OPERATION: .*has objects/);
  expect(await inside.admin.refusal(remove, { id: "full" })).toMatch(
    /^INVALID_OPERATION: a tenant cannot delete itself/,
  );
  await inside.admin.ask(
    `mutation($a: ID!, $r: ID!) { unregisterApplication(id: $a) { id } unregisterRuntime(id: $r) { id } }`,
    { a: application, r: runtime },
  );
  expect((await root.ask(remove, { id: "full" })).x).toEqual({ id: "full", name: "Full" });
  expect(
    await inside.admin.refusal(`mutation { registerRuntime(in: { name: "x" }) { id } }`),
  ).toMatch(/^(NOT_FOUND|TENANT_NOT_FOUND)/);
});

it("tenants are for who has the scopes: no application, no runtime, no reader of others' things", async () => {
  const application = await anApplication(home, "a");
  const runtime = await aRuntime(home, "r");
  for (const as of [
    home.application(application),
    home.runtime(runtime),
    home.with("application:read"),
  ]) {
    for (const query of ["{ tenants { id } }", "{ tenantsPage { totalCount } }"])
      expect(await as.refusal(query)).toMatch(/^INSUFFICIENT_SCOPES/);
    expect(await as.refusal(register, { in: { externalID: "x", name: "x" } })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
  }
});

it("a user sees and manages the tenants that its token is for, and learns of no other", async () => {
  const other = await director.tenant();
  const { tenants } = await other.admin.ask("{ tenants { id internalID } }");
  expect(tenants).toEqual([{ id: expect.any(String), internalID: other.id }]);
  const [{ id }] = tenants as [{ id: string }];
  const both = director.as({ ...home.admin.identity, tenants: [home.id, other.id] });
  const seen = await both.ask("{ tenantsPage { totalCount data { internalID } } }");
  expect(seen.tenantsPage.totalCount).toBe(2);
  expect((await both.ask(rename, { id, name: "renamed" })).x.name).toBe("renamed");
  const search = "query($id: String!) { x: tenantsPage(search: $id) { totalCount } }";
  expect((await home.admin.ask(search, { id })).x.totalCount).toBe(0);
  for (const operation of [rename, remove])
    expect(await home.admin.refusal(operation, { id, name: "stolen" })).toBe(
      `TENANT_NOT_FOUND: tenant with external id ${id} does not exist or is not open to the caller`,
    );
});
