import { readOne, recordNote, update } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { byID, type Given } from "./given.ts";

/** What commits leave in the audit log. */
export function describeAudit(given: Given): void {
  const { commitOf, newApplication, newID, label } = given;
  const fields = [
    "actorType",
    "actorID",
    "actorName",
    "address",
    "requestID",
    "action",
    "objects",
    "outcome",
    "errorCode",
    "times",
  ] as const;
  const entryOf = (tenant: string, id: string) =>
    readOne(given.director, tenant, "auditEntry", byID, fields, { id });

  describe("the audit entry", () => {
    it("says who did what to what, from where and by which request, and no value", async () => {
      const tenant = await given.seedTenant();
      const { id, step } = newApplication({ name: "confidential" });
      const commit = commitOf(tenant, [step, label("application", id, "group", ["secret"])], {
        action: "registerApplication",
        actor: { type: "USER", id: "u", name: "Ada", address: "192.0.2.7", requestID: "r-1" },
      });
      await given.director.commit(commit);
      expect(await entryOf(tenant, commit.id)).toEqual({
        actorType: "USER",
        actorID: "u",
        actorName: "Ada",
        address: "192.0.2.7",
        requestID: "r-1",
        action: "registerApplication",
        objects: [
          { kind: "application", id, change: "create" },
          { kind: "application", id, change: "set label", key: "group" },
        ],
        outcome: "SUCCEEDED",
        errorCode: null,
        times: 1,
      });
    });

    it("is not there when the commit was refused, or told what was seen", async () => {
      const tenant = await given.seedTenant();
      const refused = commitOf(tenant, [{ op: "delete", kind: "application", id: newID() }]);
      expect(await given.director.commit(refused)).toMatchObject({ ok: false });
      expect(await entryOf(tenant, refused.id)).toBeUndefined();
      const observed = commitOf(tenant, [update("application", newID(), {})], { observed: true });
      await given.director.commit(observed);
      expect(await entryOf(tenant, observed.id)).toBeUndefined();
    });

    it("of a refusal says why, how often and what it was about, and comes from every service that refuses", async () => {
      const tenant = await given.seedTenant();
      const about = { kind: "oneTimeToken", id: newID() };
      for (const registry of [given.gateway, given.connector, given.provisioner]) {
        const id = newID();
        await recordNote(
          { registry, newID: () => id },
          tenant,
          { type: "RUNTIME", id: "r", address: "2001:db8::1" },
          "configuration",
          { code: "UNAUTHENTICATED", objects: [about], times: 3 },
        );
        expect(await entryOf(tenant, id)).toMatchObject({
          actorName: null,
          address: "2001:db8::1",
          outcome: "REFUSED",
          errorCode: "UNAUTHENTICATED",
          times: 3,
          objects: [{ ...about, change: "refused" }],
        });
      }
    });

    it("of what changes nothing that is stored says what it was about, and is found by it", async () => {
      const tenant = await given.seedTenant();
      const about = { kind: "systemAuth", id: newID() };
      const id = newID();
      await recordNote(
        { registry: given.gateway, newID: () => id },
        tenant,
        { type: "RUNTIME", id: "r" },
        "issueAccessToken",
        { objects: [about, about] },
      );
      const found = { op: "names", object: { param: "object" } } as const;
      expect(
        await readOne(given.director, tenant, "auditEntry", found, fields, { object: about.id }),
      ).toMatchObject({
        outcome: "SUCCEEDED",
        errorCode: null,
        times: 1,
        objects: [
          { ...about, change: "use" },
          { ...about, change: "use" },
        ],
      });
    });

    it("of a refusal has no steps beside it, and the gateway commits nothing else", async () => {
      const tenant = await given.seedTenant();
      const note = { code: "FORBIDDEN", objects: [], times: 1 };
      const { step } = newApplication();
      await expect(given.director.commit(commitOf(tenant, [step], { note }))).rejects.toMatchObject(
        { code: "INVALID_DATA" },
      );
      await expect(given.gateway.commit(commitOf(tenant, []))).rejects.toMatchObject({
        code: "FORBIDDEN",
      });
    });
  });
}
