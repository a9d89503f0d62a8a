import { createHash } from "node:crypto";
import { defaultRoles } from "@sextant/identity";
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  anApplication,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";
import { createContactService } from "../contact/contact.service.ts";

let director: TestDirector;
let tenant: TestTenant;
beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const make = `mutation($in: APITokenInput!) { x: createAPIToken(in: $in) { id name token scopes tenants expiresAt revokedAt revision } }`;
const list = `{ x: apiTokens { totalCount data { id name token scopes tenants createdAt expiresAt revokedAt } } }`;

it("a token is shown once, stored as its hash, listed without it, and revoked for good", async () => {
  const { x } = await tenant.admin.ask(make, {
    in: { name: "ci", scopes: ["application:read"], expiresAt: "2999-01-01T00:00:00+02:00" },
  });
  expect(x).toMatchObject({
    name: "ci",
    token: expect.stringMatching(/^sxt_[\w-]{43}$/),
    scopes: ["application:read"],
    expiresAt: "2998-12-31T22:00:00.000Z",
    revokedAt: null,
  });
  expect(x.tenants).toHaveLength(1);
  const holder = await director.inside.registryFor("api-gateway").findBySecret(
    "apiToken",
    createHash("sha256")
      .update(x.token as string)
      .digest("hex"),
  );
  expect(holder).toMatchObject({ tenant: tenant.id, tenants: [tenant.id], scopes: x.scopes });
  expect(JSON.stringify(await storedRows(director.inside.database))).not.toContain(x.token);
  const listed = (await tenant.admin.ask(list)).x.data.find(
    (one: { id: string }) => one.id === x.id,
  );
  expect(listed).toMatchObject({ name: "ci", token: null, tenants: x.tenants, revokedAt: null });
  const revoke = `mutation($id: ID!) { x: revokeAPIToken(id: $id) { revokedAt revision } }`;
  const { x: revoked } = await tenant.admin.ask(revoke, { id: x.id });
  expect(revoked).toMatchObject({ revokedAt: expect.any(String), revision: 2 });
  expect((await tenant.admin.ask(revoke, { id: x.id })).x).toEqual(revoked);
});

it("nobody gives away more than they have", async () => {
  const other = await director.tenant();
  const few = tenant.with("tenant:write", "tenant:read", "runtime:read");
  expect(
    await few.refusal(make, {
      in: { name: "x", scopes: ["runtime:read", "application:write", "no"] },
    }),
  ).toMatch(
    /^INVALID_DATA: .*scopes\.1: is a scope that you do not have.*scopes\.2: must be one of/,
  );
  const theirs = (await other.admin.ask(`{ tenants { id internalID } }`)).tenants.find(
    (one: { internalID: string }) => one.internalID === other.id,
  ).id as string;
  for (const tenants of [[theirs], ["*"], ["nowhere"]])
    expect(
      await few.refusal(make, { in: { name: "x", scopes: ["runtime:read"], tenants } }),
    ).toMatch(/^TENANT_NOT_FOUND/);
  const everywhere = director.as({ ...tenant.admin.identity, tenants: ["*"] });
  for (const tenants of [[theirs], ["*"]]) {
    const { x } = await everywhere.ask(make, {
      in: { name: "x", scopes: ["runtime:read"], tenants },
    });
    expect(x.tenants).toEqual(tenants);
  }
});

it("what is wrong with a token is told, every field of it", async () => {
  expect(
    await tenant.admin.refusal(make, {
      in: { name: "", scopes: [], tenants: [], expiresAt: "yesterday" },
    }),
  ).toMatch(/name: .*tenants: .*expiresAt: must be a time.*scopes: must have/);
  expect(
    await tenant.admin.refusal(make, {
      in: { name: "x", scopes: ["runtime:read"], expiresAt: "2001-01-01T00:00:00Z" },
    }),
  ).toMatch(/expiresAt: must be in the future/);
});

it("only users manage tokens, of their own tenant, and not the one they use", async () => {
  const application = await anApplication(tenant, "a");
  const other = await director.tenant();
  const { x } = await tenant.admin.ask(make, { in: { name: "mine", scopes: ["runtime:read"] } });
  const revoke = `mutation($id: ID!) { revokeAPIToken(id: $id) { id } }`;
  expect(await other.admin.refusal(revoke, { id: x.id })).toMatch(/^NOT_FOUND/);
  expect(await tenant.application(application).refusal(list)).toMatch(/^INSUFFICIENT_SCOPES/);
  const system = director.as({
    ...tenant.admin.identity,
    consumer: { type: "INTEGRATION_SYSTEM", id: director.context.newID() },
  });
  expect(await system.refusal(make, { in: { name: "x", scopes: ["runtime:read"] } })).toMatch(
    /^FORBIDDEN/,
  );
  expect((await system.ask(list)).x.totalCount).toBe(0);
  const itself = director.as({
    ...tenant.admin.identity,
    credential: { kind: "apiToken", id: x.id },
  });
  expect(await itself.refusal(revoke, { id: x.id })).toMatch(/this very request/);
});

it("a role stands for its scopes as they are when the token is made, and for none that its maker lacks", async () => {
  const { x } = await tenant.admin.ask(make, {
    in: { name: "reader", roles: ["viewer"], scopes: ["audit:read", "runtime:read"] },
  });
  expect(x.scopes.toSorted()).toEqual([...(defaultRoles["viewer"] ?? []), "audit:read"].toSorted());
  const few = tenant.with("tenant:write", "tenant:read", "runtime:read");
  expect(await few.refusal(make, { in: { name: "x", roles: ["viewer", "nobody"] } })).toMatch(
    /roles\.0: has scopes that you do not have yourself.*roles\.1: must be one of viewer, operator, admin/,
  );
  expect(await few.refusal(make, { in: { name: "x", roles: [] } })).toMatch(/scopes: must have/);
});

it("a token lasts no longer than the plane lets it", async () => {
  const short = await startDirector({ longestToken: 3600 });
  try {
    const own = await short.tenant();
    const at = (seconds: number) => new Date(short.clock.now + seconds * 1000).toISOString();
    const values = (more: object) => ({ in: { name: "x", scopes: ["runtime:read"], ...more } });
    expect(await own.admin.refusal(make, values({}))).toMatch(/expiresAt: is required/);
    expect(await own.admin.refusal(make, values({ expiresAt: at(3700) }))).toMatch(
      /expiresAt: must be at most 3600 seconds from now/,
    );
    expect((await own.admin.ask(make, values({ expiresAt: at(3500) }))).x.id).toBeDefined();
  } finally {
    await short.close();
  }
});

it("a token tells when it was used last, in whatever tenant", async () => {
  const { x } = await tenant.admin.ask(make, { in: { name: "used", scopes: ["runtime:read"] } });
  const lastUsed = async () =>
    (await tenant.admin.ask(`{ x: apiTokens { data { id lastUsedAt revision } } }`)).x.data.find(
      (one: { id: string }) => one.id === x.id,
    );
  expect(await lastUsed()).toMatchObject({ lastUsedAt: null });
  const contacts = createContactService(director.context);
  await contacts.heard([{ tenant: tenant.id, type: "API_TOKEN", id: x.id }]);
  const { lastUsedAt, revision } = await lastUsed();
  expect([Date.parse(lastUsedAt), revision]).toEqual([director.clock.now, 1]);
});
