import { equals } from "@sextant/graphql";
import { create, type ReadPlan, readOne, update } from "@sextant/registry-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startDirector } from "../../test/given.ts";
import { createRuntimeService } from "../runtime/runtime.service.ts";

type Director = Awaited<ReturnType<typeof startDirector>>;
let director: Director;
beforeAll(async () => {
  director = await startDirector();
});
afterAll(() => director.close());

/** A runtime to which `count` certificates are issued, each just after those before were revoked. */
async function issuing(count: number) {
  const { inside } = director;
  const tenant = await director.tenant();
  const { x } = await tenant.admin.ask(`mutation { x: registerRuntime(in: { name: "r" }) { id } }`);
  const id = x.id as string;
  const connector = inside.registryFor("connector");
  const commit = async (steps: Parameters<typeof connector.commit>[0]["steps"]) => {
    const actor = { type: "RUNTIME", id };
    const about = { tenant: tenant.id, actor, action: "test", params: {} };
    expect((await connector.commit({ ...about, id: inside.newID(), steps })).ok).toBe(true);
  };
  const digits = inside.newID().replaceAll("-", "");
  const hash = digits + digits;
  const holder = { consumerType: "RUNTIME", consumerID: id } as const;
  await commit([create("certificateKey", inside.newID(), { hash, ...holder })]);
  const issued: string[] = [];
  const issue = async (): Promise<void> => {
    const certificate = inside.newID();
    issued.push(certificate);
    await commit([
      create("certificate", certificate, {
        ...holder,
        serialNumber: certificate.replaceAll("-", ""),
        subject: "CN=x",
        publicKeyHash: hash,
        notBefore: new Date(director.clock.now - 60_000).toISOString(),
        notAfter: new Date(Date.now() + 3_600_000).toISOString(),
      }),
    ]);
  };
  let left = count;
  const trust = {
    issueToken: () => Promise.reject(new Error("not asked")),
    async revokeAll() {
      const revokedAt = new Date().toISOString();
      await commit(issued.splice(0).map((one) => update("certificate", one, { revokedAt })));
      if ((left -= 1) >= 0) await issue();
    },
  };
  const service = createRuntimeService(director.context, { trust });
  const where = equals("id", { param: "id" });
  const select = [{ as: "id", field: "id" }];
  const byID: ReadPlan = { select: [{ as: "x", read: { one: "runtime", where, select } }] };
  const call = {
    caller: { service: "api-gateway", identity: tenant.admin.identity },
    requestID: "test",
    returning: (of: string) => ({ plan: byID, params: { id: of } }),
  } as const;
  const found = () => readOne(inside.registry, tenant.id, "runtime", where, ["id"], { id });
  return { unregister: () => service.unregister({ id }, call), found, left: () => left };
}

it("a certificate that is issued while its holder is unregistered is revoked before the holder goes", async () => {
  const { unregister, found, left } = await issuing(3);
  await unregister();
  expect(await found()).toBeUndefined();
  expect(left()).toBe(-1);
});

it("a holder to whom certificates are issued without end stays, and the admin is told why", async () => {
  const { unregister, found } = await issuing(1_000);
  await expect(unregister()).rejects.toMatchObject({
    code: "INVALID_OPERATION",
    message: expect.stringContaining("certificates are being issued to it") as string,
  });
  expect(await found()).toBeDefined();
});
