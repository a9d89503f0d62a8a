import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContactService } from "../contact/contact.service.ts";
import {
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let tenant: TestTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const register = `mutation($in: RuntimeInput!) { x: registerRuntime(in: $in) { id name labels online lastSeen status { condition } syncState { desiredRevision appliedRevision applied ready } } }`;
const update = `mutation($id: ID!, $in: RuntimeInput!, $revision: Int) { x: updateRuntime(id: $id, in: $in, expectedRevision: $revision) { name description revision status { condition } } }`;
const unregister = `mutation($id: ID!) { x: unregisterRuntime(id: $id) { name labels } }`;
const read = `query($id: ID!) { x: runtime(id: $id) { name online lastSeen revision status { condition } } }`;

describe("a runtime", () => {
  it("begins INITIAL, offline, in the default group and without a plan", async () => {
    const { x } = await tenant.admin.ask(register, { in: { name: "new" } });
    expect(x).toMatchObject({
      labels: { group: ["default"] },
      online: false,
      lastSeen: null,
      status: { condition: "INITIAL" },
      syncState: { desiredRevision: 0, appliedRevision: 0, applied: false, ready: false },
    });
  });

  it("has a name of its own in the tenant, also after it is renamed", async () => {
    await aRuntime(tenant, "a.b-c_1");
    const other = await aRuntime(tenant, "other");
    expect(await tenant.admin.refusal(register, { in: { name: "other" } })).toBe(
      "NOT_UNIQUE: Object name is not unique: Runtime other",
    );
    expect(await tenant.admin.refusal(update, { id: other, in: { name: "a.b-c_1" } })).toMatch(
      /^NOT_UNIQUE/,
    );
  });

  it("with several faults is told all of them", async () => {
    for (const operation of [register, update]) {
      const refusal = await tenant.admin.refusal(operation, {
        id: await aRuntime(tenant, `faulty-${operation.length}`),
        in: { name: "a b", description: "x".repeat(2001), labels: { "a b": 1, group: "x" } },
      });
      for (const field of ["name: ", "description: ", "labels.a b: ", "labels.group: "])
        expect(refusal).toContain(field);
    }
  });

  it("may rename itself and say how it is, but register and unregister no one", async () => {
    const id = await aRuntime(tenant, "itself");
    const as = tenant.runtime(id);
    expect(
      (await as.ask(update, { id, in: { name: "renamed", statusCondition: "FAILED" } })).x,
    ).toMatchObject({
      name: "renamed",
      status: { condition: "FAILED" },
    });
    expect(await as.refusal(register, { in: { name: "x" } })).toMatch(/^FORBIDDEN/);
    expect(await as.refusal(unregister, { id })).toMatch(/^FORBIDDEN/);
    const application = await anApplication(tenant, "an-application");
    expect(
      await tenant.application(application).refusal(update, { id, in: { name: "x" } }),
    ).toMatch(/^INSUFFICIENT_SCOPES/);
  });

  it("that is unregistered loses its certificates first, and then everything", async () => {
    const id = await aRuntime(tenant, "leaving", { labels: { a: 1 } });
    await director.plan();
    expect((await tenant.admin.ask(unregister, { id })).x).toEqual({
      name: "leaving",
      labels: { a: 1, group: ["default"] },
    });
    expect(director.trusted).toContain(`revoke ${tenant.id} RUNTIME ${id}`);
    expect((await tenant.admin.ask(read, { id })).x).toBeNull();
    await expect(director.plans.current(tenant.runtime(id).identity)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    expect(await tenant.admin.refusal(unregister, { id })).toMatch(/^NOT_FOUND/);
  });

  it("is not unregistered while its certificates cannot be revoked", async () => {
    const failing = { ...director.context };
    const { createRuntimeService } = await import("./runtime.service.ts");
    const service = createRuntimeService(failing, {
      trust: {
        issueToken: () => Promise.reject(new Error("away")),
        revokeAll: () => Promise.reject(new Error("away")),
      },
    });
    const id = await aRuntime(tenant, "trusted");
    const call = {
      caller: { service: "api-gateway", identity: tenant.admin.identity },
      requestID: "r",
      returning: () => ({ plan: { select: [] }, params: {} }),
    } as const;
    await expect(service.unregister({ id }, call)).rejects.toThrow("away");
    expect((await tenant.admin.ask(read, { id })).x.name).toBe("trusted");
  });
});

describe("a contact", () => {
  it("makes a waiting runtime or application CONNECTED and online, once, and leaves one that FAILED as it is", async () => {
    const contacts = createContactService(director.context);
    const runtime = await aRuntime(tenant, "heard");
    const failed = await aRuntime(tenant, "failed", { statusCondition: "FAILED" });
    const provisioning = await aRuntime(tenant, "provisioning", {
      statusCondition: "PROVISIONING",
    });
    const application = await anApplication(tenant, "heard");
    const batch = [
      ...[runtime, failed, provisioning].map(
        (id) => ({ tenant: tenant.id, type: "RUNTIME", id }) as const,
      ),
      { tenant: tenant.id, type: "APPLICATION", id: application } as const,
    ];
    await contacts.heard(batch);
    const { x } = await tenant.admin.ask(read, { id: runtime });
    expect(x).toMatchObject({ online: true, status: { condition: "CONNECTED" }, revision: 2 });
    expect((await tenant.admin.ask(read, { id: failed })).x).toMatchObject({
      online: true,
      status: { condition: "FAILED" },
      revision: 1,
    });
    expect((await tenant.admin.ask(read, { id: provisioning })).x.status.condition).toBe(
      "CONNECTED",
    );
    const { application: heard } = await tenant.admin.ask(
      `query($id: ID!) { application(id: $id) { status { condition } } }`,
      { id: application },
    );
    expect(heard.status.condition).toBe("CONNECTED");
    await contacts.heard(batch);
    expect((await tenant.admin.ask(read, { id: runtime })).x.revision).toBe(2);
  });

  it("of a runtime that is gone, or of a tenant that is gone, does not keep the others from being noted", async () => {
    const contacts = createContactService(director.context);
    const id = await aRuntime(tenant, "after-the-gone");
    const absent = director.inside.newID();
    await contacts.heard([
      { tenant: absent, type: "RUNTIME", id: absent },
      { tenant: tenant.id, type: "RUNTIME", id: absent },
      { tenant: tenant.id, type: "RUNTIME", id },
    ]);
    expect((await tenant.admin.ask(read, { id })).x.online).toBe(true);
  });

  it("under another tenant's id changes nothing", async () => {
    const contacts = createContactService(director.context);
    const other = await director.tenant();
    const id = await aRuntime(tenant, "not-theirs");
    await contacts.heard([{ tenant: other.id, type: "RUNTIME", id }]);
    expect((await tenant.admin.ask(read, { id })).x.lastSeen).toBeNull();
  });
});
