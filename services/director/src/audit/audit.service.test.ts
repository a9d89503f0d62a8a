import { afterAll, beforeAll, expect, it } from "vitest";
import { anApplication, startDirector, type TestDirector } from "../../test/given.ts";

let director: TestDirector;
beforeAll(async () => {
  director = await startDirector();
});
afterAll(() => director.close());

it("acts are found in the audit log by action, by actor and by time", async () => {
  const own = await director.tenant();
  const before = new Date(director.clock.now - 1000).toISOString();
  const id = await anApplication(own, "audited", { labels: { secretish: "value-not-in-the-log" } });
  await own.admin.ask(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, { id });
  const query = `query($filter: AuditFilter) { x: auditEntries(filter: $filter) { totalCount data { action actorType actorID timestamp objects { kind id change key } } } }`;
  const all = (await own.admin.ask(query)).x;
  expect(all.data.map((one: { action: string }) => one.action)).toEqual([
    "registerTenant",
    "registerApplication",
    "unregisterApplication",
  ]);
  expect(all.data[1].objects).toContainEqual({
    kind: "application",
    id,
    change: "create",
    key: null,
  });
  expect(JSON.stringify(all)).not.toContain("value-not-in-the-log");
  const count = async (filter: object) => (await own.admin.ask(query, { filter })).x.totalCount;
  expect(await count({ action: "registerApplication" })).toBe(1);
  expect(await count({ actorID: own.admin.identity.consumer.id })).toBe(2);
  expect(await count({ actorID: "somebody" })).toBe(0);
  expect((await own.admin.ask(query, { filter: { since: before } })).x.data).toHaveLength(3);
  expect(
    (await own.admin.ask(query, { filter: { since: "2999-01-01T00:00:00Z" } })).x.data,
  ).toHaveLength(0);
  expect(await own.admin.refusal(query, { filter: { since: "soon" } })).toMatch(
    /since: must be a time/,
  );
  expect(await own.with("application:read").refusal(query)).toMatch(/^INSUFFICIENT_SCOPES/);
});

it("an entry says from where an act came, and a refused mutation is one too", async () => {
  const own = await director.tenant();
  const from = director.as({
    ...own.admin.identity,
    consumer: { type: "USER", id: "u-1", name: "Ada" },
  });
  const id = await anApplication({ ...own, admin: from }, "from-somewhere");
  const poor = director.as({ ...from.identity, scopes: ["application:read"] });
  expect(
    await poor.refusal(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, { id }),
  ).toMatch(/^INSUFFICIENT_SCOPES/);
  expect(
    await own
      .application(id)
      .refusal(`mutation($id: ID!) { unregisterApplication(id: $id) { id } }`, { id }),
  ).toMatch(/^FORBIDDEN/);
  await own.with("runtime:read").refusal(`{ applications { totalCount } }`);
  const query = `query($filter: AuditFilter) { x: auditEntries(filter: $filter) { data { action actorType actorID actorName address requestID outcome errorCode times objects { id } } } }`;
  const found = async (filter: object) => (await own.admin.ask(query, { filter })).x.data;
  await expect.poll(() => found({ outcome: "REFUSED" })).toHaveLength(2);
  expect(await found({ outcome: "REFUSED", actorID: "u-1" })).toEqual([
    {
      action: "unregisterApplication",
      actorType: "USER",
      actorID: "u-1",
      actorName: "Ada",
      address: "192.0.2.1",
      requestID: "test",
      outcome: "REFUSED",
      errorCode: "INSUFFICIENT_SCOPES",
      times: 1,
      objects: [],
    },
  ]);
  expect(await found({ objectID: id, actorType: "USER" })).toMatchObject([
    { action: "registerApplication", actorName: "Ada", address: "192.0.2.1", outcome: "SUCCEEDED" },
  ]);
  expect(await found({ objectID: "nothing" })).toEqual([]);
  expect(await found({ until: new Date(director.clock.now - 3_600_000).toISOString() })).toEqual(
    [],
  );
  expect(
    await found({ until: new Date(director.clock.now + 3_600_000).toISOString() }),
  ).toHaveLength(4);
});
