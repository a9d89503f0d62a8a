/** Mutations that are sent again with the same Idempotency-Key. */
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  type Speaker,
  startDirector,
  type TestDirector,
  type TestTenant,
  type Variables,
} from "./given.ts";

let director: TestDirector;
let tenant: TestTenant;
beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const register = `mutation($name: String!) { x: registerRuntime(in: { name: $name }) { id name revision } }`;
const twice = async (speaker: Speaker, query: string, variables: Variables, key: string) => {
  const first = await speaker.send(query, variables, key);
  expect(first.errors).toBeUndefined();
  const commits = director.calls.commit;
  const second = await speaker.send(query, variables, key);
  expect(second).toEqual(first);
  expect(director.calls.commit).toBe(commits);
  return first.data;
};

it("are answered the same and done once: what is made, changed, set, rotated and removed", async () => {
  const admin = tenant.admin;
  const { x: runtime } = await twice(admin, register, { name: "once" }, "k1");
  await twice(
    admin,
    `mutation($id: ID!) { updateRuntime(id: $id, in: { name: "changed" }) { name revision } }`,
    { id: runtime.id },
    "k2",
  );
  await twice(
    admin,
    `mutation($id: ID!) { setRuntimeLabel(runtimeID: $id, key: "k", value: [1]) { key value } }`,
    { id: runtime.id },
    "k3",
  );
  const application = await anApplication(tenant, "repeated");
  const { x: hook } = await twice(
    admin,
    `mutation($id: ID!) { x: addWebhook(applicationID: $id, in: { type: CONFIGURATION_CHANGED, url: "https://a.example/" }) { id signingSecret } }`,
    { id: application },
    "k4",
  );
  expect(hook.signingSecret).toMatch(/^whsec_/);
  const { x: rotated } = await twice(
    admin,
    `mutation($id: ID!) { x: rotateWebhookSecret(webhookID: $id) { signingSecret } }`,
    { id: hook.id },
    "k5",
  );
  expect(rotated.signingSecret).not.toBe(hook.signingSecret);
  const { x: token } = await twice(
    admin,
    `mutation($id: ID!) { x: requestOneTimeTokenForRuntime(id: $id) { token raw } }`,
    { id: runtime.id },
    "k6",
  );
  expect(token.raw).toContain(token.token);
  await twice(
    admin,
    `mutation($id: ID!) { unregisterRuntime(id: $id) { id name labels } }`,
    { id: runtime.id },
    "k7",
  );
});

it("at the same moment make one object, and all get its id", async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => tenant.admin.send(register, { name: "parallel" }, "p")),
  );
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]?.errors).toBeUndefined();
});

it("keep one answer for each field of an operation", async () => {
  const both = `mutation { a: registerRuntime(in: { name: "field-a" }) { id } b: registerRuntime(in: { name: "field-b" }) { id } }`;
  const data = await twice(tenant.admin, both, {}, "fields");
  expect(data.a.id).not.toBe(data.b.id);
});

it("of something else under the same key are refused", async () => {
  await tenant.admin.send(register, { name: "key-a" }, "same");
  const { errors } = await tenant.admin.send(register, { name: "key-b" }, "same");
  expect(errors?.[0]).toMatchObject({
    message: expect.stringContaining("Idempotency-Key was used for another request"),
    extensions: { code: "INVALID_OPERATION" },
  });
});

it("do not take the key of another caller or tenant for theirs", async () => {
  const other = await director.tenant();
  const runtime = await aRuntime(tenant, "its-own");
  const label = `mutation($id: ID!) { setRuntimeLabel(runtimeID: $id, key: "k", value: 1) { value } }`;
  const [mine, theirs] = await Promise.all([
    tenant.admin.send(register, { name: "both" }, "shared"),
    other.admin.send(register, { name: "both" }, "shared"),
  ]);
  expect(mine.data.x.id).not.toBe(theirs.data.x.id);
  expect(
    (await tenant.runtime(runtime).send(label, { id: runtime }, "shared")).errors,
  ).toBeUndefined();
});

it("that failed are tried anew", async () => {
  await aRuntime(tenant, "taken");
  const refused = await tenant.admin.send(register, { name: "taken" }, "retry");
  expect(refused.errors?.[0]?.extensions.code).toBe("NOT_UNIQUE");
  await tenant.admin.ask(`mutation($id: ID!) { unregisterRuntime(id: $id) { id } }`, {
    id: (await tenant.admin.ask(`{ runtimes { data { id name } } }`)).runtimes.data.find(
      (one: { name: string }) => one.name === "taken",
    ).id,
  });
  expect((await tenant.admin.send(register, { name: "taken" }, "retry")).errors).toBeUndefined();
});

it("with a key that cannot be one are refused, naming the header", async () => {
  for (const key of ["", "é", "x".repeat(257)]) {
    const { errors } = await tenant.admin.send(register, { name: "never" }, key);
    expect(errors?.[0]?.message).toMatch(/Idempotency-Key: must have 1 to 256 printable/);
  }
});

it("keep no secret that can be read in the storage", async () => {
  const application = await anApplication(tenant, "sealed");
  const hook = await tenant.admin.send(
    `mutation($id: ID!) { x: addWebhook(applicationID: $id, in: { type: CONFIGURATION_CHANGED, url: "https://a.example/" }) { signingSecret } }`,
    { id: application },
    "sealed",
  );
  const stored = JSON.stringify(await storedRows(director.inside.database));
  expect(stored).not.toContain(hook.data.x.signingSecret);
  expect(stored).toContain("v3.");
});
