import { invalidData } from "@sextant/errors";
import { ServiceAwayError } from "@sextant/service";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startProvisioner, type TestProvisioner } from "../../test/given.ts";

type Tenant = Awaited<ReturnType<TestProvisioner["tenant"]>>;
let provisioner: TestProvisioner;
let tenant: Tenant;
beforeAll(async () => {
  provisioner = await startProvisioner();
  tenant = await provisioner.tenant();
});
afterAll(() => provisioner.close());
beforeEach(() => {
  provisioner.faults.clear();
  provisioner.hooks.clear();
  provisioner.calls.length = 0;
  provisioner.manner.agent = "reports";
  provisioner.clock.now = Date.now();
});

const shown = "id state stage runtimeID operation";
const provision = `mutation($c: ProvisionRuntimeInput!) { x: provisionRuntime(config: $c) { ${shown} } }`;
const on = (verb: string) => `mutation($id: String!) { x: ${verb}(id: $id) { ${shown} } }`;
const upgrade = `mutation($id: String!, $p: JSON!) { x: upgradeRuntime(id: $id, config: { parameters: $p }) { ${shown} } }`;
const status = `query($id: String!) { x: runtimeStatus(id: $id) { runtimeConfiguration { name driver parameters } lastOperationStatus { id operation state } runtimeConnectionStatus { status errors } } }`;
let names = 0;
const begin = async (more: object = {}): Promise<{ id: string; name: string }> => {
  names += 1;
  const name = `runtime-${names}`;
  const { x } = await tenant.admin.ask(provision, { c: { name, driver: "fake", ...more } });
  expect(x).toMatchObject({ state: "Pending", operation: "Provision", runtimeID: null });
  return { id: x.id as string, name };
};
const provisioned = async (): Promise<string> => {
  const { id } = await begin({ parameters: { size: 1 } });
  return (await provisioner.until(tenant.admin, id, "Succeeded")).runtimeID as string;
};
const markedBy = (operation: string) =>
  [...provisioner.registered.values()].filter(({ mark }) => mark === operation);

describe("provisioning", () => {
  it("registers, makes, injects, starts and waits for the agent, in that order", async () => {
    const { id, name } = await begin({ parameters: { size: 1 } });
    const { runtimeID } = await provisioner.until(tenant.admin, id, "Succeeded");
    expect(provisioner.calls.filter((call) => call !== "find")).toEqual([
      "register",
      "create",
      "requestToken",
      "inject",
      "start",
    ]);
    expect(provisioner.made.get(runtimeID as string)).toMatchObject({
      running: true,
      parameters: { size: 1 },
      injected: {
        RUNTIME_ID: runtimeID,
        TOKEN: `token-of-${runtimeID as string}`,
        CA_PIN: "sha256//pin",
        CONNECTOR_URL: "https://plane.example/connector/graphql",
      },
    });
    const { x } = await tenant.admin.ask(status, { id: runtimeID });
    expect(x).toMatchObject({
      runtimeConfiguration: { name, driver: "fake", parameters: '{"size":1}' },
      lastOperationStatus: { id, state: "Succeeded" },
    });
  });

  it("that is wrong is refused before anything is made, with every fault", async () => {
    expect(
      await tenant.admin.refusal(provision, {
        c: { name: "a b", driver: "fake", description: "x".repeat(2001), parameters: "[" },
      }),
    ).toMatch(/^INVALID_DATA: .*name: .*description: .*parameters: /);
    expect(await tenant.admin.refusal(provision, { c: { name: "a", driver: "none" } })).toMatch(
      /driver: must be one of fake/,
    );
    expect(
      await tenant.admin.refusal(provision, {
        c: { name: "a", driver: "fake", parameters: { wrong: 1 } },
      }),
    ).toMatch(/parameters\.wrong/);
    expect(await provisioner.step()).toBe(0);
  });

  it("whose handler is repeated after a crash, at whatever stage, makes everything once", async () => {
    const { id } = await begin();
    const end = Date.now() + 40_000;
    let crash = true;
    for (;;) {
      const worked = await provisioner.step(crash);
      if (worked > 0) crash = !crash;
      const { x } = await tenant.admin.ask(
        `query($id: String!) { x: runtimeOperationStatus(id: $id) { state runtimeID } }`,
        { id },
      );
      if (x.state === "Succeeded") break;
      if (Date.now() > end) throw new Error(`the operation is ${JSON.stringify(x)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const verb of ["register", "create", "inject", "start"])
      expect(provisioner.calls.filter((call) => call === verb)).toHaveLength(2);
    expect(markedBy(id)).toHaveLength(1);
  }, 60_000);

  it("that fails for good takes back what it made, and says why", async () => {
    provisioner.faults.set("create", () =>
      invalidData("parameters", [{ field: "size", message: "is too large" }]),
    );
    const { id } = await begin();
    const failed = await provisioner.until(tenant.admin, id, "Failed");
    expect(failed.lastError).toEqual({
      code: "INVALID_DATA",
      component: "driver",
      message: expect.stringContaining("size: is too large"),
    });
    expect(markedBy(id)).toEqual([]);
    expect(provisioner.calls).toContain("remove");
    const { x } = await tenant.admin.ask(`{ x: provisionedRuntimes { data { runtimeID } } }`);
    expect(x.data).not.toContainEqual({ runtimeID: failed.runtimeID });
  });

  it("of a name that is taken fails, and leaves the runtime that has it alone", async () => {
    const taken = await provisioned();
    const { name } = provisioner.registered.get(taken) as { name: string };
    const { x } = await tenant.admin.ask(provision, { c: { name, driver: "fake" } });
    const failed = await provisioner.until(tenant.admin, x.id as string, "Failed");
    expect(failed.lastError.code).toBe("NOT_UNIQUE");
    expect(provisioner.registered.has(taken)).toBe(true);
    expect(provisioner.made.get(taken)?.running).toBe(true);
  });

  it("whose agent never comes fails after its time and takes back what it made", async () => {
    provisioner.manner.agent = "is silent";
    const { id } = await begin();
    await provisioner.until(tenant.admin, id, "InProgress", "connect");
    provisioner.clock.now += 301_000;
    // What is due is decided by the database's clock.
    const failed = provisioner.until(tenant.admin, id, "Failed", "undo").then(() => {
      provisioner.clock.now = Date.now();
    });
    await failed;
    expect(
      (
        await tenant.admin.ask(
          `query($id: String!) { x: runtimeOperationStatus(id: $id) { lastError { message } } }`,
          { id },
        )
      ).x.lastError.message,
    ).toMatch(/waiting until the runtime's agent/);
  });

  it("waits for a Director that is away, however often it is asked, and goes on when it is back", async () => {
    let asked = 0;
    provisioner.hooks.set("register", async () => {
      asked += 1;
      if (asked > 6) provisioner.faults.clear();
    });
    provisioner.faults.set(
      "register",
      () => new ServiceAwayError("director", "director cannot be reached"),
    );
    const { id } = await begin();
    await provisioner.until(tenant.admin, id, "Succeeded");
    expect(asked).toBeGreaterThan(6);
  });

  it("takes back until it has succeeded", async () => {
    provisioner.faults.set("start", () => invalidData("x", []));
    provisioner.faults.set("remove", () => new Error("not now"));
    const { id } = await begin();
    await provisioner.until(tenant.admin, id, "Failed", "undo");
    expect(markedBy(id)).toHaveLength(1);
    provisioner.faults.clear();
    await provisioner.until(tenant.admin, id, "Failed");
    expect(markedBy(id)).toEqual([]);
  });
});

describe("a cancelled operation", () => {
  it("is taken back, and stays cancelled", async () => {
    provisioner.manner.agent = "is silent";
    const { id } = await begin();
    const { runtimeID } = await provisioner.until(tenant.admin, id, "InProgress", "connect");
    const { x } = await tenant.admin.ask(on("cancelOperation"), { id });
    expect(x.state).toBe("Cancelled");
    await provisioner.until(tenant.admin, id, "Cancelled");
    expect(provisioner.registered.has(runtimeID as string)).toBe(false);
    expect(provisioner.made.has(runtimeID as string)).toBe(false);
    expect(await tenant.admin.refusal(on("cancelOperation"), { id })).toMatch(/^INVALID_OPERATION/);
  });

  it("leaves no runtime behind when it is cancelled in the middle of the registration", async () => {
    const { id } = await begin();
    provisioner.hooks.set("register", async () => {
      provisioner.hooks.clear();
      await tenant.admin.ask(on("cancelOperation"), { id });
    });
    await provisioner.step();
    expect(markedBy(id)).toEqual([]);
    await provisioner.until(tenant.admin, id, "Cancelled");
    expect(markedBy(id)).toEqual([]);
  });

  it("that has ended cannot be cancelled, and none can be that is not there", async () => {
    const { id } = await begin();
    await provisioner.until(tenant.admin, id, "Succeeded");
    expect(await tenant.admin.refusal(on("cancelOperation"), { id })).toMatch(/^INVALID_OPERATION/);
    for (const absent of ["x", provisioner.inside.newID()])
      expect(await tenant.admin.refusal(on("cancelOperation"), { id: absent })).toMatch(
        /^NOT_FOUND/,
      );
  });
});

describe("on a runtime", () => {
  it("one operation goes on at a time, also when several are asked for at once", async () => {
    const runtime = await provisioned();
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () =>
        tenant.admin.send(on("reconnectRuntimeAgent"), { id: runtime }),
      ),
      ...Array.from({ length: 4 }, () =>
        tenant.admin.send(on("deprovisionRuntime"), { id: runtime }),
      ),
    ]);
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(1);
    for (const { errors } of answers)
      if (errors !== undefined) expect(errors[0]?.extensions.code).toBe("INVALID_OPERATION");
  });

  it("an upgrade gives new parameters, starts it anew, and waits for its report", async () => {
    const runtime = await provisioned();
    provisioner.manner.agent = "is silent";
    const { x } = await tenant.admin.ask(upgrade, { id: runtime, p: { size: 2 } });
    await provisioner.until(tenant.admin, x.id as string, "InProgress", "connect");
    expect(provisioner.made.get(runtime)).toMatchObject({ parameters: { size: 2 }, running: true });
    provisioner.report(runtime);
    await provisioner.until(tenant.admin, x.id as string, "Succeeded");
    expect(
      (await tenant.admin.ask(status, { id: runtime })).x.runtimeConfiguration.parameters,
    ).toBe('{"size":2}');
  });

  it("a reconnection hands out a new token and does not succeed by what the agent said before", async () => {
    const runtime = await provisioned();
    provisioner.calls.length = 0;
    provisioner.manner.agent = "is silent";
    const { x } = await tenant.admin.ask(on("reconnectRuntimeAgent"), { id: runtime });
    await provisioner.until(tenant.admin, x.id as string, "InProgress", "connect");
    for (let look = 0; look < 3; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, 260));
      await provisioner.step();
    }
    const { x: seen } = await tenant.admin.ask(
      `query($id: String!) { x: runtimeOperationStatus(id: $id) { state } }`,
      { id: x.id },
    );
    expect(seen.state).toBe("InProgress");
    provisioner.report(runtime);
    await provisioner.until(tenant.admin, x.id as string, "Succeeded");
    expect(provisioner.calls.filter((call) => call !== "find")).toEqual([
      "requestToken",
      "inject",
      "start",
    ]);
  });

  it("a deprovisioning removes and unregisters it, and then it is not there", async () => {
    const runtime = await provisioned();
    const { x } = await tenant.admin.ask(on("deprovisionRuntime"), { id: runtime });
    await provisioner.until(tenant.admin, x.id as string, "Succeeded");
    expect(provisioner.registered.has(runtime)).toBe(false);
    expect(provisioner.made.has(runtime)).toBe(false);
    for (const verb of ["deprovisionRuntime", "reconnectRuntimeAgent"])
      expect(await tenant.admin.refusal(on(verb), { id: runtime })).toMatch(/^NOT_FOUND/);
  });

  it("an upgrade that fails is Failed, and the runtime is still there", async () => {
    const runtime = await provisioned();
    provisioner.faults.set("start", () => invalidData("x", [{ field: "y", message: "no" }]));
    const { x } = await tenant.admin.ask(upgrade, { id: runtime, p: { size: 3 } });
    await provisioner.until(tenant.admin, x.id as string, "Failed", "start");
    expect(provisioner.made.has(runtime)).toBe(true);
    provisioner.faults.clear();
    const again = await tenant.admin.ask(upgrade, { id: runtime, p: { size: 4 } });
    await provisioner.until(tenant.admin, again.x.id as string, "Succeeded");
  });
});

describe("another tenant", () => {
  it("sees and changes nothing of it, and neither does who lacks the scope", async () => {
    const runtime = await provisioned();
    const { x: operations } = await tenant.admin.ask(`{ x: runtimeOperations { data { id } } }`);
    const [{ id }] = operations.data as [{ id: string }];
    const other = await provisioner.tenant();
    expect((await other.admin.ask(status, { id: runtime })).x).toBeNull();
    expect(
      (
        await other.admin.ask(`query($id: String!) { x: runtimeOperationStatus(id: $id) { id } }`, {
          id,
        })
      ).x,
    ).toBeNull();
    expect(
      await other.admin.ask(
        `query($id: String!) { x: runtimeOperations(runtimeID: $id) { totalCount } y: provisionedRuntimes { totalCount } }`,
        { id: runtime },
      ),
    ).toEqual({ x: { totalCount: 0 }, y: { totalCount: 0 } });
    for (const verb of ["deprovisionRuntime", "reconnectRuntimeAgent"])
      expect(await other.admin.refusal(on(verb), { id: runtime })).toMatch(/^NOT_FOUND/);
    expect(await other.admin.refusal(upgrade, { id: runtime, p: {} })).toMatch(/^NOT_FOUND/);
    expect(await other.admin.refusal(on("cancelOperation"), { id })).toMatch(/^NOT_FOUND/);
    const entities = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Runtime { provisioning { runtimeID } } } }`;
    expect(
      (await other.admin.ask(entities, { r: [{ __typename: "Runtime", id: runtime }] }))._entities,
    ).toEqual([{ provisioning: null }]);
    const paired = provisioner.as({
      tenant: tenant.id,
      consumer: { type: "RUNTIME", id: runtime },
      scopes: ["runtime:read", "runtime:write"],
    });
    expect(await paired.refusal(status, { id: runtime })).toMatch(/^INSUFFICIENT_SCOPES/);
    expect(await paired.refusal(on("deprovisionRuntime"), { id: runtime })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
    expect(await paired.refusal(provision, { c: { name: "x", driver: "fake" } })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
  });
});

describe("a request with an Idempotency-Key", () => {
  const config = (name: string) => ({ c: { name, driver: "fake", parameters: { size: 1 } } });
  const operations = async () =>
    (await tenant.admin.ask("{ x: runtimeOperations { totalCount } }")).x.totalCount as number;

  it("that is sent again is answered the same and carried out once, whatever it asks for", async () => {
    const before = await operations();
    const twice = async (query: string, variables: object, key: string) => {
      const first = await tenant.admin.ask(query, { ...variables }, key);
      await provisioner.step();
      expect(await tenant.admin.ask(query, { ...variables }, key)).toEqual(first);
      return first.x as { id: string };
    };
    const { id } = await twice(provision, config("once"), "k1");
    const { runtimeID } = await provisioner.until(tenant.admin, id, "Succeeded");
    const upgraded = await twice(upgrade, { id: runtimeID, p: { size: 2 } }, "k2");
    await provisioner.until(tenant.admin, upgraded.id, "Succeeded");
    const anew = await twice(on("reconnectRuntimeAgent"), { id: runtimeID }, "k3");
    await provisioner.until(tenant.admin, anew.id, "Succeeded");
    await twice(on("deprovisionRuntime"), { id: runtimeID }, "k4");
    const { id: other } = await begin();
    await twice(on("cancelOperation"), { id: other }, "k5");
    expect(await operations()).toBe(before + 5);
  });

  it("at the same moment begins one operation, and all get its id", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => tenant.admin.send(provision, config("parallel"), "p")),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.errors).toBeUndefined();
    const { id } = await begin();
    const cancelled = await Promise.all(
      Array.from({ length: 8 }, () => tenant.admin.send(on("cancelOperation"), { id }, "c")),
    );
    expect(new Set(cancelled.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(cancelled[0]?.errors).toBeUndefined();
  });

  it("is refused when the key was another request's, and tried anew after a failure", async () => {
    await tenant.admin.ask(provision, config("first"), "key");
    expect(await tenant.admin.refusal(provision, config("second"), "key")).toMatch(
      /^INVALID_OPERATION: the Idempotency-Key was used for another request/,
    );
    const wrong = { c: { name: "a", driver: "none" } };
    expect(await tenant.admin.refusal(provision, wrong, "again")).toMatch(/^INVALID_DATA/);
    await tenant.admin.ask(provision, config("third"), "again");
    const { admin } = await provisioner.tenant();
    await admin.ask(provision, config("first"), "key");
  });
});
