import { afterAll, beforeAll, expect, it } from "vitest";
import { CONFIGURATION, startConnector, type TestConnector } from "../../test/given.ts";

let connector: TestConnector;
beforeAll(async () => {
  connector = await startConnector();
});
afterAll(() => connector.close());

const LIST = `query($filter: OneTimeTokenFilter) { oneTimeTokens(filter: $filter) { totalCount data {
  id publicID purpose consumerType consumerID issuedByType issuedByID usedAt usedFrom revokedAt expiresAt state } } }`;
type Tenant = Awaited<ReturnType<TestConnector["tenant"]>>;
type Listed = Readonly<Record<"id" | "publicID" | "state" | "purpose", string>>;
const listed = async (of: Tenant, filter: object = {}): Promise<readonly Listed[]> => {
  const { oneTimeTokens } = await of.admin.ask(LIST, { filter });
  expect(oneTimeTokens.totalCount).toBe(oneTimeTokens.data.length);
  return oneTimeTokens.data as readonly Listed[];
};
const REVOKE = "mutation($id: ID!) { x: revokeOneTimeToken(id: $id) }";

it("an admin sees for what and by whom a token was made, and when and from where it was used, but no secret", async () => {
  const tenant = await connector.tenant();
  const id = await tenant.holder("RUNTIME");
  const token = await tenant.issue("RUNTIME", id);
  const unused = { publicID: token.split(".")[0], state: "UNUSED", usedAt: null, usedFrom: null };
  expect(await listed(tenant)).toMatchObject([
    { ...unused, purpose: "PAIRING", consumerType: "RUNTIME", consumerID: id, issuedByID: "test" },
  ]);
  const { configuration } = await (await connector.withToken(token)).ask(CONFIGURATION);
  const [first, second] = await listed(tenant);
  expect(first).toMatchObject({ state: "USED", usedFrom: "192.0.2.7" });
  const signing = { purpose: "SIGNING", issuedByType: "ONE_TIME_TOKEN", issuedByID: id };
  expect(second).toMatchObject({ ...signing, state: "UNUSED" });
  const told = JSON.stringify(await listed(tenant));
  for (const text of [token, configuration.token.token as string])
    expect(told).not.toContain(text.split(".")[1]);
});

it("the list is chosen by public id, holder, purpose and state", async () => {
  const tenant = await connector.tenant();
  const runtime = await tenant.holder("RUNTIME");
  const application = await tenant.holder("APPLICATION");
  const used = await tenant.issue("APPLICATION", application);
  await (await connector.withToken(used)).ask(CONFIGURATION);
  const left = await tenant.issue("RUNTIME", runtime);
  const cases: readonly (readonly [object, readonly string[]])[] = [
    [{}, ["USED", "UNUSED", "UNUSED"]],
    [{ publicID: left.split(".")[0] }, ["UNUSED"]],
    [{ runtimeID: runtime }, ["UNUSED"]],
    [{ applicationID: application, purpose: "PAIRING" }, ["USED"]],
    [{ purpose: "SIGNING" }, ["UNUSED"]],
    [{ state: "USED" }, ["USED"]],
    [{ state: "EXPIRED" }, []],
    [{ runtimeID: "x" }, []],
  ];
  for (const [filter, states] of cases)
    expect([filter, (await listed(tenant, filter)).map(({ state }) => state)]).toEqual([
      filter,
      states,
    ]);
});

it("one that is revoked cannot be used; one that was used cannot be revoked any more", async () => {
  const tenant = await connector.tenant();
  const id = await tenant.holder("RUNTIME");
  const pairing = await connector.withToken(await tenant.issue("RUNTIME", id));
  const [record] = await listed(tenant);
  expect((await tenant.admin.ask(REVOKE, { id: record?.id })).x).toBe(true);
  expect((await tenant.admin.ask(REVOKE, { id: record?.id })).x).toBe(false);
  expect(await pairing.refusal(CONFIGURATION)).toMatch(/^UNAUTHENTICATED: .*was revoked/);
  expect(await listed(tenant)).toMatchObject([{ state: "REVOKED" }]);

  const other = await connector.withToken(await tenant.issue("RUNTIME", id));
  await other.ask(CONFIGURATION);
  const used = (await listed(tenant, { state: "USED" }))[0]?.id;
  expect((await tenant.admin.ask(REVOKE, { id: used })).x).toBe(false);
});

it("nobody sees or revokes a token of another tenant, and who has paired sees none", async () => {
  const [one, two] = [await connector.tenant(), await connector.tenant()];
  await one.issue("RUNTIME", await one.holder("RUNTIME"));
  const [record] = await listed(one);
  expect(await listed(two)).toEqual([]);
  expect(await two.admin.refusal(REVOKE, { id: record?.id })).toMatch(/^NOT_FOUND/);
  expect(await two.admin.refusal(REVOKE, { id: "x" })).toMatch(/^NOT_FOUND/);
});

it("the answer to a request for a token has the pin of the root", async () => {
  const tenant = await connector.tenant();
  const consumerID = await tenant.holder("RUNTIME");
  const subject = { consumerType: "RUNTIME", consumerID } as const;
  const { caPin } = await connector.tokens.issue(tenant.id, subject, { type: "USER", id: "u" });
  expect(caPin).toBe(`sha256//${connector.context.authorities.current().rootPin}`);
});
