import { create, readOne, type SealedValue, update } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { at, byID, newHash, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeRotation(given: Given): void {
  const { newID, carryOut, newApplication } = given;

  /** A webhook with a secret, of a new application. */
  const webhookOf = async (tenant: string, signingSecret: string, auth: string | null = null) => {
    const application = newApplication();
    const id = newID();
    await carryOut(tenant, [
      application.step,
      create("webhook", id, {
        applicationID: application.id,
        type: "CONFIGURATION_CHANGED",
        auth,
        signingSecret,
      }),
    ]);
    return id;
  };
  const pages = async function* (prefix: string): AsyncGenerator<readonly SealedValue[]> {
    let after: Omit<SealedValue, "value"> | null = null;
    for (;;) {
      const page: readonly SealedValue[] = await given.director.listSealed({ prefix, after });
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = { kind: last.kind, field: last.field, tenant: last.tenant, id: last.id };
    }
  };
  const all = async (prefix: string): Promise<readonly SealedValue[]> => {
    const found: SealedValue[] = [];
    for await (const page of pages(prefix)) found.push(...page);
    return found;
  };

  describe("sealed values", () => {
    it("are found by what they begin with, of all tenants and kinds, each once, and replaced where they are", async () => {
      const [one, two] = [await given.seedTenant(), await given.seedTenant()];
      const mark = newHash().slice(0, 8);
      const [first, second, done] = [
        await webhookOf(one, `old.${mark}.1`, `old.${mark}.2`),
        await webhookOf(two, `old.${mark}.3`),
        await webhookOf(two, `new.${mark}.4`),
      ];
      const mine = (await all("new.")).filter(({ value }) => value.includes(mark));
      expect(mine.map(({ value }) => value).toSorted()).toEqual(
        [1, 2, 3].map((n) => `old.${mark}.${n}`),
      );
      expect(new Set(mine.map(({ id }) => id))).toEqual(new Set([first, second]));
      const before = await given.director.countSealed("new.");
      await given.director.reseal({
        values: mine.map((value) => ({ ...value, by: value.value.replace("old.", "new.") })),
      });
      expect(await given.director.countSealed("new.")).toBe(before - 3);
      const stored = await readOne(
        given.director,
        one,
        "webhook",
        byID,
        ["signingSecret", "auth", "revision"],
        { id: first },
      );
      expect(stored).toMatchObject({
        signingSecret: `new.${mark}.1`,
        auth: `new.${mark}.2`,
        revision: 1,
      });
      expect(
        await readOne(given.director, two, "webhook", byID, ["signingSecret"], { id: done }),
      ).toMatchObject({ signingSecret: `new.${mark}.4` });
    });

    it("that are large come in pages that a request can carry back twice", async () => {
      const mebibyte = 1024 * 1024;
      const tenant = await given.seedTenant();
      const mark = newHash().slice(0, 8);
      const large = `old.${mark}.${"x".repeat(3 * mebibyte)}`;
      for (let index = 0; index < 4; index += 1) await webhookOf(tenant, large);
      let found = 0;
      for await (const page of pages("new.")) {
        const mine = page.filter(({ value }) => value === large);
        expect(mine.length).toBeLessThanOrEqual(2);
        found += mine.length;
        const values = mine.map((one) => ({ ...one, by: one.value.replace("old.", "new.") }));
        await given.director.reseal({ values });
      }
      expect(found).toBe(4);
      expect((await all("new.")).filter(({ value }) => value.includes(mark))).toEqual([]);
    });

    it("that were changed meanwhile stay as they are", async () => {
      const tenant = await given.seedTenant();
      const mark = newHash().slice(0, 8);
      const id = await webhookOf(tenant, `old.${mark}`);
      const found = (await all("new.")).filter(({ value }) => value.includes(mark));
      await carryOut(tenant, [update("webhook", id, { signingSecret: `new.${mark}.fresh` })]);
      await given.director.reseal({
        values: found.map((value) => ({ ...value, by: `new.${mark}.stale` })),
      });
      expect(
        await readOne(given.director, tenant, "webhook", byID, ["signingSecret"], { id }),
      ).toMatchObject({ signingSecret: `new.${mark}.fresh` });
    });

    it("are for Director alone", async () => {
      for (const other of [given.connector, given.provisioner, given.gateway]) {
        const forbidden = { code: "FORBIDDEN" };
        await expect(other.countSealed("x")).rejects.toMatchObject(forbidden);
        await expect(other.listSealed({ prefix: "x", after: null })).rejects.toMatchObject(
          forbidden,
        );
        await expect(other.reseal({ values: [] })).rejects.toMatchObject(forbidden);
      }
    });
  });

  describe("who trusts whom", () => {
    it("is told to the Connector alone, as numbers over all tenants", async () => {
      const tenants = [await given.seedTenant(), await given.seedTenant()];
      const trustBundle = newHash();
      for (const tenant of tenants)
        await carryOut(tenant, [
          given.newRuntime({ lastSeen: new Date().toISOString(), trustBundle }).step,
          given.newRuntime({ lastSeen: at, trustBundle }).step,
        ]);
      const { runtimes } = await given.connector.trustState();
      expect(runtimes.find((one) => one.trustBundle === trustBundle)?.count).toBe(2);
      await expect(given.director.trustState()).rejects.toMatchObject({ code: "FORBIDDEN" });
    });
  });
}
