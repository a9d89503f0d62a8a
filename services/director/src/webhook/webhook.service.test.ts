import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let careful: TestDirector;
let tenant: TestTenant;
let application: string;

beforeAll(async () => {
  [director, careful] = await Promise.all([
    startDirector(),
    startDirector({ allowPrivateTargets: false }),
  ]);
  tenant = await director.tenant();
  application = await anApplication(tenant, "shop");
});
afterAll(() => Promise.all([director.close(), careful.close()]));

const add = `mutation($a: ID!, $in: WebhookInput!) { x: addWebhook(applicationID: $a, in: $in) { id applicationID mode url signingSecret revision } }`;
const change = `mutation($id: ID!, $in: WebhookInput!, $revision: Int) { x: updateWebhook(webhookID: $id, in: $in, expectedRevision: $revision) { id url signingSecret } }`;
const rotate = `mutation($id: ID!) { x: rotateWebhookSecret(webhookID: $id) { signingSecret } }`;
const list = `query($a: ID!) { application(id: $a) { webhooks { id url signingSecret auth { credential { __typename } } } } }`;
const hook = { type: "CONFIGURATION_CHANGED", url: "https://shop.example/hook" };

describe("a signing secret", () => {
  it("is shown when it is made and when it is rotated, and by nothing else", async () => {
    const as = tenant.application(application);
    const { x: made } = await as.ask(add, { a: application, in: hook });
    expect(made).toMatchObject({
      applicationID: application,
      mode: "SYNC",
      url: hook.url,
      revision: 1,
    });
    expect(
      Buffer.from((made.signingSecret as string).replace(/^whsec_/, ""), "base64"),
    ).toHaveLength(32);
    expect(
      (await as.ask(change, { id: made.id, in: { ...hook, timeout: 5 } })).x.signingSecret,
    ).toBeNull();
    for (const speaker of [as, tenant.admin])
      expect((await speaker.ask(list, { a: application })).application.webhooks).toMatchObject([
        { signingSecret: null },
      ]);
    const { x: rotated } = await as.ask(rotate, { id: made.id });
    expect(rotated.signingSecret).toMatch(/^whsec_/);
    expect(rotated.signingSecret).not.toBe(made.signingSecret);
  });
});

describe("a webhook", () => {
  it("needs a url or a template, numbers within their limits, and a public target", async () => {
    const own = await careful.tenant();
    const a = await anApplication(own, "a");
    const wrong: readonly (readonly [object, string])[] = [
      [{ type: "CONFIGURATION_CHANGED" }, "url: is required"],
      [{ ...hook, retryInterval: 0 }, "retryInterval: "],
      [{ ...hook, timeout: 61 }, "timeout: "],
      ...[
        "http://localhost",
        "http://127.0.0.1/",
        "http://[::1]:80",
        "http://10.1.2.3",
        "http://169.254.169.254/latest",
        "http://0x7f.1/",
        "http://[::ffff:10.0.0.1]/",
        "https://x.localhost.",
      ].map((url) => [{ ...hook, url }, "url: must not be a private address"] as const),
    ];
    for (const [given, message] of wrong) {
      const refusal = await own.admin.refusal(add, { a, in: given });
      expect(refusal).toMatch(/^INVALID_DATA: validation error for type WebhookInput: /);
      expect(refusal).toContain(message);
    }
    expect(
      await own.admin.refusal(
        `mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) { id } }`,
        { in: { name: "b", webhooks: [hook, { ...hook, url: "http://10.0.0.1" }] } },
      ),
    ).toContain("webhooks.1.url: must not be a private address");
    expect(
      (await own.admin.ask(add, { a, in: { type: "CONFIGURATION_CHANGED", urlTemplate: "{{x}}" } }))
        .x.url,
    ).toBeNull();
  });

  it("is one of at most a hundred of its application", async () => {
    const full = await anApplication(tenant, "full", {
      webhooks: Array.from({ length: 100 }, () => hook),
    });
    expect(await tenant.admin.refusal(add, { a: full, in: hook })).toMatch(
      /^INVALID_OPERATION: the application has 100 webhooks/,
    );
  });

  it("of an application that is not there is refused, and an outdated change too", async () => {
    expect(await tenant.admin.refusal(add, { a: director.inside.newID(), in: hook })).toMatch(
      /^NOT_FOUND: Application/,
    );
    const { x } = await tenant.admin.ask(add, { a: application, in: hook });
    expect(await tenant.admin.refusal(change, { id: x.id, in: hook, revision: 9 })).toMatch(
      /^CONCURRENT_UPDATE/,
    );
  });
});

describe("an application", () => {
  it("is told of a runtime that comes to share a group with it, and that leaves", async () => {
    const own = await director.tenant();
    const register = (name: string, group: string) =>
      anApplication(own, name, {
        labels: { group: [group] },
        webhooks: [{ ...hook, url: `https://${name}.example/` }],
      });
    await register("old", "g1");
    await register("new", "g2");
    await register("stranger", "g3");
    const runtime = await aRuntime(own, "r", { labels: { group: ["g1"] } });
    const told = async (): Promise<readonly string[]> => {
      const found: string[] = [];
      await director.work("delivery", async (delivery) => {
        const { x } = await own.admin.ask(`{ x: applications { data { name webhooks { id } } } }`);
        const owner = (x.data as { name: string; webhooks: { id: string }[] }[]).find((one) =>
          one.webhooks.some(({ id }) => id === delivery.webhookID),
        );
        if (owner !== undefined) found.push(owner.name);
        return { done: true, values: { state: "DELIVERED" } };
      });
      return [...new Set(found)].toSorted();
    };
    await told();
    await own.admin.ask(
      `mutation($r: ID!) { setRuntimeLabel(runtimeID: $r, key: "group", value: ["g2"]) { key } }`,
      { r: runtime },
    );
    expect(await told()).toEqual(["new", "old"]);
    await own.admin.ask(
      `mutation($r: ID!) { updateRuntime(id: $r, in: { name: "r", labels: { group: ["g1"] } }) { id } }`,
      { r: runtime },
    );
    expect(await told()).toEqual(["new", "old"]);
    await own.admin.ask(`mutation($r: ID!) { unregisterRuntime(id: $r) { id } }`, { r: runtime });
    expect(await told()).toEqual(["old"]);
  });
});
