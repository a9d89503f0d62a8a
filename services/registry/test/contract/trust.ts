import { create, readOne, type Step, update, uuidOf } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { byID, equals, everything, type Given, newHash } from "./given.ts";

const DAY = 86_400_000;
const from = (days: number): string => new Date(Date.now() + days * DAY).toISOString();

/** What the Connector builds on: groups of commits, held objects, keys that belong to one, and what was revoked. */
export function describeTrust(given: Given): void {
  const { newID, commitOf, carryOut, newRuntime, runtime } = given;

  const keyOf = (hash: string, consumerID: string): Step =>
    create("certificateKey", newID(), { hash, consumerType: "RUNTIME", consumerID });
  const certificateOf = (
    consumerID: string,
    publicKeyHash: string,
    values: Record<string, unknown> = {},
  ): Extract<Step, { op: "create" }> => ({
    op: "create",
    kind: "certificate",
    id: newID(),
    values: {
      serialNumber: newHash().slice(0, 32),
      consumerType: "RUNTIME",
      consumerID,
      subject: "CN=x",
      publicKeyHash,
      notBefore: from(-1),
      notAfter: from(1),
      ...values,
    },
  });

  describe("a group of commits", () => {
    it("of several tenants is carried out as one, each with its audit entry in its own tenant", async () => {
      const [one, two] = [await given.seedTenant(), await given.seedTenant()];
      const made = [one, two, one].map((tenant) => ({ tenant, ...newRuntime() }));
      const commits = made.map(({ tenant, step }) => commitOf(tenant, [step]));
      expect(await given.director.commitGroup(commits)).toEqual({ ok: true });
      for (const [place, { tenant, id }] of made.entries()) {
        const other = tenant === one ? two : one;
        expect(
          await readOne(given.director, tenant, "runtime", byID, ["id"], { id }),
        ).toBeDefined();
        expect(
          await readOne(given.director, other, "runtime", byID, ["id"], { id }),
        ).toBeUndefined();
        const entry = { id: commits[place]?.id ?? "" };
        expect(
          await readOne(given.director, tenant, "auditEntry", byID, ["id"], entry),
        ).toBeDefined();
      }
    });

    it("of which one is refused stores nothing, and says which and why", async () => {
      const [one, two] = [await given.seedTenant(), await given.seedTenant()];
      const fine = newRuntime();
      const known = await runtime(two, { name: "taken" });
      const commits = [
        commitOf(one, [fine.step]),
        commitOf(two, [
          update("runtime", known, { description: "x" }),
          newRuntime({ name: "taken" }).step,
        ]),
      ];
      expect(await given.director.commitGroup(commits)).toEqual({
        ok: false,
        at: 1,
        failure: { reason: "UNIQUE", step: 1, constraint: "runtime_name_key" },
      });
      expect(
        await readOne(given.director, one, "runtime", byID, ["id"], { id: fine.id }),
      ).toBeUndefined();
    });

    it("that is sent again is not carried out again", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      const commits = ["a", "b"].map((description) =>
        commitOf(tenant, [update("runtime", id, { description })]),
      );
      expect(await given.director.commitGroup(commits)).toEqual({ ok: true });
      expect(await given.director.commitGroup(commits)).toEqual({ ok: true });
      const found = await readOne(given.director, tenant, "runtime", byID, ["revision"], { id });
      expect(found?.revision).toBe(3);
    });

    it("has at least one commit, and none that keeps an answer", async () => {
      const tenant = await given.seedTenant();
      const keeping = { ...commitOf(tenant, []), keepAnswer: newID() };
      for (const group of [[], [keeping]])
        await expect(given.director.commitGroup(group)).rejects.toMatchObject({
          code: "INVALID_DATA",
        });
    });
  });

  describe("an object that is held by a check", () => {
    it("is not removed before the commit is done, and is not there for one that comes after its removal", async () => {
      const tenant = await given.seedTenant();
      const hold: Step = { op: "check", kind: "runtime", where: byID, expect: "some", hold: true };
      for (let round = 0; round < 10; round += 1) {
        const id = await runtime(tenant);
        const hash = newHash();
        const [signed, removed] = await Promise.all([
          given.connector.commit(
            commitOf(tenant, [hold, keyOf(hash, id), certificateOf(id, hash)], { params: { id } }),
          ),
          given.director.commit(
            commitOf(
              tenant,
              [
                { op: "delete", kind: "runtime", id },
                {
                  op: "check",
                  kind: "certificate",
                  where: equals("consumerID", "id"),
                  expect: "none",
                },
              ],
              { params: { id } },
            ),
          ),
        ]);
        // One of the two, whoever was faster: never a certificate of what is gone.
        expect(signed.ok).toBe(!removed.ok);
      }
      const none = { ...hold, expect: "none" } as const;
      await expect(
        given.connector.commit(commitOf(tenant, [none], { params: { id: newID() } })),
      ).rejects.toMatchObject({ code: "INVALID_DATA" });
    });
  });

  describe("a key", () => {
    it("belongs to one object, also among tenants, and a certificate is for its holder's alone", async () => {
      const [one, two] = [await given.seedTenant(), await given.seedTenant()];
      const [holder, other, stranger] = [
        await runtime(one),
        await runtime(one),
        await runtime(two),
      ];
      const hash = newHash();
      const by = given.connector;
      await carryOut(one, [keyOf(hash, holder), certificateOf(holder, hash)], {}, by);
      await carryOut(one, [certificateOf(holder, hash)], {}, by);
      expect(await by.commit(commitOf(one, [certificateOf(other, hash)]))).toMatchObject({
        failure: { reason: "REFERENCE", constraint: "certificate_key_fkey" },
      });
      expect(await by.commit(commitOf(two, [keyOf(hash, stranger)]))).toMatchObject({
        failure: { reason: "UNIQUE", constraint: "certificate_key_hash_key" },
      });
    });

    it("that is claimed by many certificates of its holder at once is refused to none of them, and to a stranger's", async () => {
      const [tenant, other] = [await given.seedTenant(), await given.seedTenant()];
      const [holder, stranger] = [await runtime(tenant), await runtime(other)];
      const claim = (hash: string, consumerID: string): readonly Step[] => [
        {
          ...keyOf(hash, consumerID),
          id: uuidOf(Buffer.from(hash, "hex")),
          ifAbsent: true,
        } as Step,
        certificateOf(consumerID, hash),
      ];
      const by = given.connector;
      for (let round = 0; round < 15; round += 1) {
        const hash = newHash();
        const answers = await Promise.all(
          Array.from({ length: 8 }, () => by.commit(commitOf(tenant, claim(hash, holder)))),
        );
        expect(answers.filter(({ ok }) => !ok)).toEqual([]);
        expect(await by.commit(commitOf(other, claim(hash, stranger)))).toMatchObject({
          failure: { reason: "REFERENCE", constraint: "certificate_key_fkey" },
        });
      }
    });
  });

  describe("a tenant that is removed", () => {
    it("takes its certificates, keys and tokens with it", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      const hash = newHash();
      await carryOut(tenant, [keyOf(hash, id), certificateOf(id, hash)], {}, given.connector);
      const remove: Step[] = [
        { op: "delete", kind: "runtime", id },
        { op: "delete", kind: "tenant", id: tenant },
      ];
      await carryOut(tenant, remove);
      const other = await given.seedTenant();
      const holder = await runtime(other);
      // The key is nobody's any more.
      const claimed = await given.connector.commit(commitOf(other, [keyOf(hash, holder)]));
      expect(claimed.ok).toBe(true);
      expect(
        await readOne(given.connector, tenant, "certificate", everything, ["id"], {}),
      ).toBeUndefined();
    });
  });

  describe("what was revoked", () => {
    it("is listed by issuer, of all tenants, until it is over for long, with nothing that says whose it was", async () => {
      const issuerKeyID = newHash().slice(0, 40);
      const revoked = { issuerKeyID, revokedAt: from(0), revocationCode: "SUPERSEDED" };
      const serials: string[] = [];
      for (const tenant of [await given.seedTenant(), await given.seedTenant()]) {
        const id = await runtime(tenant);
        const hash = newHash();
        const listed = certificateOf(id, hash, revoked);
        serials.push(String(listed.values["serialNumber"]));
        const steps = [
          keyOf(hash, id),
          listed,
          certificateOf(id, hash, { issuerKeyID }),
          certificateOf(id, hash, { ...revoked, issuerKeyID: newHash().slice(0, 40) }),
          certificateOf(id, hash, { ...revoked, notBefore: from(-20), notAfter: from(-9) }),
        ];
        await carryOut(tenant, steps, {}, given.connector);
      }
      const first = await given.connector.revoked({ issuerKeyID, after: null });
      expect(first.revoked.map((one) => one.serialNumber)).toEqual(serials.toSorted());
      expect(Object.keys(first.revoked[0] ?? {}).toSorted()).toEqual([
        "revocationCode",
        "revokedAt",
        "serialNumber",
      ]);
      const [smaller = ""] = serials.toSorted();
      const second = await given.connector.revoked({ issuerKeyID, after: smaller });
      expect(second.revoked).toHaveLength(1);
      expect(BigInt(second.number)).toBeGreaterThan(BigInt(first.number));
    });
  });

  describe("a timestamp", () => {
    it("is later than another or not", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant, { statusTimestamp: "2026-01-02T00:00:00Z" });
      const later = { op: "later", field: "statusTimestamp", than: { param: "than" } } as const;
      const isLater = async (than: string) =>
        (await readOne(given.director, tenant, "runtime", later, ["id"], { than }))?.id === id;
      expect(await isLater("2026-01-01T23:59:59Z")).toBe(true);
      expect(await isLater("2026-01-02T00:00:00Z")).toBe(false);
    });
  });
}
