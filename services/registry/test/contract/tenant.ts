import {
  type Condition,
  create,
  type Read,
  readOne,
  type Registry,
  type Step,
  update,
} from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { at, byID, everything, newHash, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeTenantsAndServices(given: Given): void {
  const { newID, commitOf, carryOut, newApplication, application, runtime, label, ask, names } =
    given;
  describe("tenants", () => {
    it("do not see, change, count or refer to each other's objects", async () => {
      const [mine, theirs] = [await given.seedTenant(), await given.seedTenant()];
      const { id, step } = newApplication({ name: "theirs" });
      const bundle = newID();
      await carryOut(theirs, [
        step,
        create("bundle", bundle, { applicationID: id, name: "b" }),
        label("application", id, "group", ["g"]),
      ]);
      expect(
        await readOne(given.director, mine, "application", byID, ["id"], { id }),
      ).toBeUndefined();
      expect(await names(mine, everything, {})).toEqual([]);
      expect(await names(mine, { op: "hasLabel", key: { param: "k" } }, { k: "group" })).toEqual(
        [],
      );
      const page: Read = {
        page: "application",
        where: everything,
        first: { param: "f" },
        after: { param: "a" },
        select: [{ as: "n", part: "totalCount" }],
      };
      expect(await ask(mine, page, { f: 1, a: null })).toEqual({ n: 0 });
      const refused = async (one: Step) => given.director.commit(commitOf(mine, [one]));
      expect(await refused(update("application", id, { name: "mine" }))).toMatchObject({
        failure: { reason: "NOT_FOUND" },
      });
      expect(await refused({ op: "delete", kind: "application", id })).toMatchObject({
        failure: { reason: "NOT_FOUND" },
      });
      expect(await refused(label("application", id, "group", ["x"]))).toMatchObject({
        failure: { reason: "NOT_FOUND" },
      });
      expect(
        await refused(create("bundle", newID(), { applicationID: id, name: "b" })),
      ).toMatchObject({ failure: { reason: "REFERENCE" } });
      // The same name, and even the same id, is free in another tenant.
      await carryOut(mine, [step]);
    });

    it("are found by either id, have unique external ids, and stay while they have objects", async () => {
      const tenant = await given.seedTenant();
      const found = await given.director.findTenant({ id: tenant });
      expect(await given.gateway.findTenant({ externalID: String(found?.externalID) })).toEqual(
        found,
      );
      expect(await given.director.findTenant({ id: newID() })).toBeUndefined();
      expect(await given.director.findTenant({ externalID: "nobody\0" })).toBeUndefined();
      const other = newID();
      const twin = create("tenant", other, {
        externalID: String(found?.externalID),
        name: "twin",
      });
      expect(await given.director.commit(commitOf(other, [twin]))).toMatchObject({
        failure: { reason: "UNIQUE", constraint: "tenant_external_id_key" },
      });
      const id = await application(tenant);
      const remove: Step = { op: "delete", kind: "tenant", id: tenant };
      expect(await given.director.commit(commitOf(tenant, [remove]))).toMatchObject({
        failure: { reason: "REFERENCE", constraint: "application_tenant_fkey" },
      });
      await carryOut(tenant, [{ op: "delete", kind: "application", id }, remove]);
      expect(await given.director.findTenant({ id: tenant })).toBeUndefined();
    });
  });

  describe("services", () => {
    it("reach only what the access table gives them", async () => {
      const tenant = await given.seedTenant();
      const forbidden = { code: "FORBIDDEN" };
      const reads: [Registry, "certificate" | "application" | "oneTimeToken" | "operation"][] = [
        [given.director, "certificate"],
        [given.director, "oneTimeToken"],
        [given.director, "operation"],
        [given.provisioner, "application"],
        [given.gateway, "application"],
        [given.connector, "operation"],
      ];
      for (const [by, kind] of reads) {
        await expect(
          readOne(by, tenant, kind, byID, ["id"], { id: newID() }),
        ).rejects.toMatchObject(forbidden);
      }
      const indirect: Condition = { op: "exists", kind: "certificate", where: everything };
      await expect(names(tenant, indirect, {})).rejects.toMatchObject(forbidden);
      for (const [kind, wanted] of [
        ["oneTimeToken", "none"],
        ["certificate", "some"],
      ] as const) {
        const sneaking: Step = { op: "check", kind, where: everything, expect: wanted };
        await expect(given.director.commit(commitOf(tenant, [sneaking]))).rejects.toMatchObject(
          forbidden,
        );
      }
      const revoked = { issuerKeyID: "0".repeat(40), after: null };
      for (const by of [given.director, given.gateway, given.provisioner])
        await expect(by.revoked(revoked)).rejects.toMatchObject(forbidden);
      const smuggled = [commitOf(tenant, []), commitOf(tenant, [newApplication().step])];
      await expect(given.connector.commitGroup(smuggled)).rejects.toMatchObject(forbidden);
      await expect(
        given.connector.commit(commitOf(tenant, [newApplication().step])),
      ).rejects.toMatchObject(forbidden);
      await expect(given.gateway.commit(commitOf(tenant, []))).rejects.toMatchObject(forbidden);
      await expect(given.director.findBySecret("apiToken", newHash())).rejects.toMatchObject(
        forbidden,
      );
      expect(await given.provisioner.findTenant({ id: tenant })).toMatchObject({ id: tenant });
      const claim = { max: 1, leaseSeconds: 1, waitSeconds: 0 };
      await expect(given.director.claim({ queue: "operation", ...claim })).rejects.toMatchObject(
        forbidden,
      );
      await expect(
        given.provisioner.watch({ after: null, types: ["plan.changed"], waitSeconds: 0 }),
      ).rejects.toMatchObject(forbidden);
      const event: Step = { op: "event", type: "plan.changed", id: newID(), data: {} };
      await expect(given.connector.commit(commitOf(tenant, [event]))).rejects.toMatchObject(
        forbidden,
      );
    });
  });

  describe("a secret", () => {
    it("of an integration system leads to the tenants that are granted to it, and to no grant of another", async () => {
      const [home, granted, other] = [
        await given.seedTenant(),
        await given.seedTenant(),
        await given.seedTenant(),
      ];
      const grant = (integrationSystemID: string) =>
        create("tenantGrant", newID(), { homeTenantID: home, integrationSystemID });
      const [system, neighbour, hash] = [newID(), newID(), newHash()];
      await carryOut(home, [
        create("integrationSystem", system, { name: "one" }),
        create("integrationSystem", neighbour, { name: "two" }),
        grant(system),
        create("systemAuth", newID(), { integrationSystemID: system, hash, auth: "sealed" }),
      ]);
      await carryOut(granted, [grant(system)]);
      await carryOut(other, [grant(neighbour)]);
      const holder = await given.gateway.findBySecret("systemAuth", hash);
      expect(holder).toMatchObject({ tenant: home, integrationSystemID: system });
      expect(holder?.tenants.toSorted()).toEqual([home, granted].toSorted());
    });

    it("leads to its holder and tenant by its hash, and to nobody by another", async () => {
      const tenant = await given.seedTenant();
      const [id, hash] = [newID(), newHash()];
      await carryOut(tenant, [
        create("apiToken", id, {
          name: "t",
          hash,
          scopes: ["application:read"],
          tenants: ["*"],
          tenantExternalIDs: ["*"],
        }),
      ]);
      const holder = await given.gateway.findBySecret("apiToken", hash);
      expect(holder).toMatchObject({
        id,
        tenant,
        hash,
        scopes: ["application:read"],
        tenants: ["*"],
        revokedAt: null,
      });
      expect(await given.gateway.findBySecret("apiToken", newHash())).toBeUndefined();
      expect(await given.gateway.findBySecret("apiToken", "")).toBeUndefined();
      expect(await given.gateway.findBySecret("certificate", hash)).toBeUndefined();
      const [runtimeID, secret] = [await runtime(tenant), newHash()];
      const client = create("systemAuth", newID(), { runtimeID, hash: secret, auth: "sealed" });
      await carryOut(tenant, [client]);
      expect(await given.gateway.findBySecret("systemAuth", secret)).toEqual({
        id: "id" in client ? client.id : "",
        tenant,
        applicationID: null,
        runtimeID,
        integrationSystemID: null,
        tenants: [],
      });
      const token = {
        hash: newHash(),
        purpose: "PAIRING",
        consumerType: "RUNTIME",
        consumerID: newID(),
        expiresAt: at,
      };
      await carryOut(tenant, [create("oneTimeToken", newID(), token)], {}, given.connector);
      expect(await given.gateway.findBySecret("oneTimeToken", token.hash)).toMatchObject({
        tenant,
        purpose: "PAIRING",
      });
    });
  });
}
