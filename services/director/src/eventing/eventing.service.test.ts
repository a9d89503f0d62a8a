import { afterAll, beforeAll, expect, it } from "vitest";
import { anApplication, aRuntime, startDirector, type TestDirector } from "../../test/given.ts";

let director: TestDirector;
beforeAll(async () => {
  director = await startDirector();
});
afterAll(() => director.close());

const url = (host: string) => `https://${host}.example/events`;
const choose = `mutation($a: String!, $r: String!) { x: setDefaultEventingForApplication(appID: $a, runtimeID: $r) { defaultURL } }`;
const forget = `mutation($a: String!) { x: deleteDefaultEventingForApplication(appID: $a) { defaultURL } }`;

it("events go to the oldest connected runtime of the group, to the chosen one, and back", async () => {
  const tenant = await director.tenant();
  const a = await anApplication(tenant, "a");
  const at = async (name: string, statusCondition: string, group = "default") =>
    aRuntime(tenant, name, {
      statusCondition,
      labels: { group: [group], runtime_eventServiceUrl: url(name) },
    });
  const where = async () =>
    (
      await tenant.admin.ask(
        `query($a: ID!) { application(id: $a) { eventingConfiguration { defaultURL } } }`,
        { a },
      )
    ).application.eventingConfiguration.defaultURL as string;
  expect(await where()).toBe("");
  await at("waiting", "INITIAL");
  expect(await where()).toBe("");
  await at("first", "CONNECTED");
  const second = await at("second", "CONNECTED");
  const elsewhere = await at("elsewhere", "CONNECTED", "other");
  expect(await where()).toBe(url("first"));
  expect((await tenant.admin.ask(choose, { a, r: second })).x.defaultURL).toBe(url("second"));
  expect(await where()).toBe(url("second"));
  expect(await tenant.admin.refusal(choose, { a, r: elsewhere })).toMatch(/^NOT_FOUND: .*Runtime/);
  // The chosen one leaves the group: the choice counts again once it is back.
  const group = `mutation($r: ID!, $g: Any!) { setRuntimeLabel(runtimeID: $r, key: "group", value: $g) { key } }`;
  await tenant.admin.ask(group, { r: second, g: ["other"] });
  expect(await where()).toBe(url("first"));
  await tenant.admin.ask(group, { r: second, g: ["default"] });
  expect(await where()).toBe(url("second"));
  expect((await tenant.admin.ask(forget, { a })).x.defaultURL).toBe(url("second"));
  expect(await where()).toBe(url("first"));
  expect((await tenant.admin.ask(forget, { a })).x.defaultURL).toBe("");
  // A chosen runtime that is unregistered is no choice any more.
  await tenant.admin.ask(choose, { a, r: second });
  await tenant.admin.ask(`mutation($r: ID!) { unregisterRuntime(id: $r) { id } }`, { r: second });
  expect(await where()).toBe(url("first"));
});

it("a runtime's own configuration is its label", async () => {
  const tenant = await director.tenant();
  const r = await aRuntime(tenant, "r", { labels: { runtime_eventServiceUrl: url("r") } });
  const bare = await aRuntime(tenant, "bare");
  const query = `query($id: ID!) { runtime(id: $id) { eventingConfiguration { defaultURL } } }`;
  expect((await tenant.runtime(r).ask(query, { id: r })).runtime.eventingConfiguration).toEqual({
    defaultURL: url("r"),
  });
  expect((await tenant.admin.ask(query, { id: bare })).runtime.eventingConfiguration).toEqual({
    defaultURL: "",
  });
});

it("who may not manage events may not choose, and another tenant's objects are not there", async () => {
  const [tenant, other] = [await director.tenant(), await director.tenant()];
  const [a, r] = [await anApplication(tenant, "a"), await aRuntime(tenant, "r")];
  const theirs = await aRuntime(other, "r");
  expect(await tenant.with("application:write").refusal(choose, { a, r })).toMatch(
    /^INSUFFICIENT_SCOPES/,
  );
  expect(await tenant.admin.refusal(choose, { a, r: theirs })).toMatch(/^NOT_FOUND: .*Runtime/);
  expect(await other.admin.refusal(choose, { a, r: theirs })).toMatch(/^NOT_FOUND: .*Application/);
  expect(await other.admin.refusal(forget, { a })).toMatch(/^NOT_FOUND: .*Application/);
});
