import { create, readOne, type Step } from "@sextant/registry-client";
import { describe, expect, it } from "vitest";
import { at, byID, everything, equals, type Given } from "./given.ts";

/** Part of the contract: see contract.test.ts. */
export function describeWork(given: Given): void {
  const { newID, carryOut, newApplication, runtime } = given;
  describe("leased work", () => {
    /** Other tests leave work behind: everything that is due is claimed, and the tenant's looked at. */
    const claimAll = async (tenant: string, leaseSeconds = 60, waitSeconds = 0) => {
      const mine = [];
      for (;;) {
        const work = await given.director.claim({
          queue: "staleRuntime",
          max: 500,
          leaseSeconds,
          waitSeconds,
        });
        mine.push(...work.filter((one) => one.tenant === tenant));
        if (work.length < 500) return mine;
      }
    };
    const mark: Step = { op: "stale", runtimes: everything, cause: "test" };

    it("is claimed by one, and marked again while it is worked on", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      await carryOut(tenant, [mark]);
      const claims = (
        await Promise.all([claimAll(tenant), claimAll(tenant), claimAll(tenant)])
      ).flat();
      expect(claims).toHaveLength(1);
      const [claimed] = claims;
      expect(claimed).toMatchObject({ id, tenant, version: 1, cause: "test", attempts: 1 });
      await carryOut(tenant, [mark]);
      expect(await claimAll(tenant)).toEqual([]);
      const settle = {
        tenant,
        id,
        leaseToken: String(claimed?.leaseToken),
        done: true,
        values: {},
      };
      await given.director.settle({ queue: "staleRuntime", items: [{ ...settle, version: 1 }] });
      const [again] = await claimAll(tenant);
      expect(again).toMatchObject({ id, version: 2, attempts: 1 });
      await given.director.settle({
        queue: "staleRuntime",
        items: [{ ...settle, leaseToken: String(again?.leaseToken), version: 2 }],
      });
      expect(
        await readOne(given.director, tenant, "staleRuntime", byID, ["id"], { id }),
      ).toBeUndefined();
    });

    it("is due again when the lease is over, and whoever held it can no longer settle it", async () => {
      const tenant = await given.seedTenant();
      const id = await runtime(tenant);
      await carryOut(tenant, [mark]);
      const [lost] = await claimAll(tenant, 1);
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      const [held] = await claimAll(tenant);
      expect(held).toMatchObject({ id, attempts: 2 });
      const item = { tenant, id, done: true, values: {}, version: 1 };
      await given.director.settle({
        queue: "staleRuntime",
        items: [{ ...item, leaseToken: String(lost?.leaseToken) }],
      });
      expect(await readOne(given.director, tenant, "staleRuntime", byID, ["id"], { id })).toEqual({
        id,
      });
      await given.director.settle({
        queue: "staleRuntime",
        items: [{ ...item, leaseToken: String(held?.leaseToken) }],
      });
      expect(
        await readOne(given.director, tenant, "staleRuntime", byID, ["id"], { id }),
      ).toBeUndefined();
    });

    it("is handed to who waits as soon as it is committed", async () => {
      const tenant = await given.seedTenant();
      await runtime(tenant);
      await claimAll(tenant);
      const waiting = given.director.claim({
        queue: "staleRuntime",
        max: 10,
        leaseSeconds: 60,
        waitSeconds: 20,
      });
      await new Promise((resolve) => setTimeout(resolve, 50));
      const began = Date.now();
      await carryOut(tenant, [mark]);
      expect((await waiting).map((one) => one.tenant)).toEqual([tenant]);
      expect(Date.now() - began).toBeLessThan(500);
    });

    it("that failed is tried again when it is time, with what was learnt", async () => {
      const tenant = await given.seedTenant();
      const { id: app, step } = newApplication();
      const hook = newID();
      await carryOut(
        tenant,
        [
          step,
          create("webhook", hook, {
            applicationID: app,
            type: "CONFIGURATION_CHANGED",
            signingSecret: "sealed",
          }),
          {
            op: "deliver",
            webhooks: equals("applicationID", "application"),
            type: "runtime.ready",
            body: '{"ids": [1]}',
          },
        ],
        { params: { application: app } },
      );
      const claim = async () =>
        (
          await given.director.claim({
            queue: "delivery",
            max: 500,
            leaseSeconds: 60,
            waitSeconds: 0,
          })
        ).filter((one) => one.tenant === tenant);
      const [first] = await claim();
      expect(first).toMatchObject({
        webhookID: hook,
        type: "runtime.ready",
        body: { ids: [1] },
        state: "PENDING",
        attempts: 1,
      });
      const item = { tenant, id: String(first?.id), leaseToken: String(first?.leaseToken) };
      const later = new Date(Date.now() + 700).toISOString();
      const failed = {
        done: false,
        nextAttemptAt: later,
        values: { lastStatus: 503, lastError: "busy" },
      };
      await given.director.settle({ queue: "delivery", items: [{ ...item, ...failed }] });
      expect(await claim()).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 800));
      const [second] = await claim();
      expect(second).toMatchObject({
        id: item.id,
        attempts: 2,
        lastStatus: 503,
        lastError: "busy",
      });
      const delivered = {
        done: true,
        values: { state: "DELIVERED", deliveredAt: at, lastStatus: 200 },
      };
      await given.director.settle({
        queue: "delivery",
        items: [{ ...item, leaseToken: String(second?.leaseToken), ...delivered }],
      });
      expect(await claim()).toEqual([]);
      const fields = ["state", "nextAttemptAt", "leaseToken", "lastStatus"] as const;
      expect(
        await readOne(given.director, tenant, "delivery", byID, fields, { id: item.id }),
      ).toEqual({
        state: "DELIVERED",
        nextAttemptAt: null,
        leaseToken: null,
        lastStatus: 200,
      });
      const wrong = { ...item, done: true, values: { leaseUntil: at } };
      await expect(
        given.director.settle({ queue: "delivery", items: [wrong] }),
      ).rejects.toMatchObject({ code: "INVALID_DATA" });
    });

    it("of the provisioner is an operation that it has stored", async () => {
      const tenant = await given.seedTenant();
      const id = newID();
      const operation = create("operation", id, {
        type: "Provision",
        state: "Pending",
        stage: "start",
        message: "",
        input: "{}",
        progress: "{}",
        attempts: 0,
        nextAttemptAt: new Date().toISOString(),
      });
      const waiting = given.provisioner.claim({
        queue: "operation",
        max: 10,
        leaseSeconds: 60,
        waitSeconds: 20,
      });
      await carryOut(tenant, [operation], {}, given.provisioner);
      const [claimed] = await waiting;
      expect(claimed).toMatchObject({ id, tenant, stage: "start", input: {}, attempts: 1 });
    });
  });
}
