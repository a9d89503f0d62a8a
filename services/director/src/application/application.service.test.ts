import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  anApplication,
  aRuntime,
  startDirector,
  type TestDirector,
  type TestTenant,
} from "../../test/given.ts";

let director: TestDirector;
let tenant: TestTenant;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const register = `mutation($in: ApplicationRegisterInput!) { registerApplication(in: $in) {
  id name labels revision status { condition }
  webhooks { url signingSecret }
  bundles { totalCount data { name apiDefinitions { data { name spec { data } } } documents { totalCount } } }
} }`;
const names = async (): Promise<string[]> => {
  const { applications } = await tenant.admin.ask("{ applications { data { name } } }");
  return applications.data.map((one: { name: string }) => one.name) as string[];
};

describe("registering an application", () => {
  it("stores all that belongs to it and answers with it", async () => {
    const answer = await tenant.admin.ask(register, {
      in: {
        name: "whole",
        labels: { region: ["eu"] },
        webhooks: [{ type: "CONFIGURATION_CHANGED", url: "https://shop.example/hook" }],
        bundles: [
          {
            name: "orders",
            apiDefinitions: [
              {
                name: "orders-api",
                targetURL: "https://shop.example/api",
                spec: { type: "OPEN_API", format: "JSON", data: '{"openapi":"3.0.0"}' },
              },
            ],
            documents: [
              { title: "t", displayName: "d", description: "", format: "MARKDOWN", data: "# x" },
            ],
          },
        ],
      },
    });
    expect(answer.registerApplication).toMatchObject({
      name: "whole",
      revision: 1,
      labels: { region: ["eu"], group: ["default"] },
      status: { condition: "INITIAL" },
      webhooks: [
        { url: "https://shop.example/hook", signingSecret: expect.stringMatching(/^whsec_/) },
      ],
      bundles: {
        totalCount: 1,
        data: [
          {
            name: "orders",
            apiDefinitions: {
              data: [{ name: "orders-api", spec: { data: '{"openapi":"3.0.0"}' } }],
            },
            documents: { totalCount: 1 },
          },
        ],
      },
    });
  });

  it("leaves nothing of it when one part is wrong", async () => {
    const before = await names();
    const refusal = await tenant.admin.refusal(register, {
      in: {
        name: "partial",
        bundles: [
          { name: "good" },
          {
            name: "bad",
            apiDefinitions: [
              {
                name: "a",
                targetURL: "https://shop.example",
                spec: { type: "OPEN_API", format: "JSON", data: "{" },
              },
            ],
          },
        ],
      },
    });
    expect(refusal).toMatch(
      /^INVALID_DATA: .*bundles\.1\.apiDefinitions\.0\.spec\.data: is not valid JSON/,
    );
    expect(await names()).toEqual(before);
  });

  it("names every violated field at once: its own, its labels' and those of what is in it", async () => {
    const refusal = await tenant.admin.refusal(register, {
      in: {
        name: "ä",
        description: "x".repeat(2001),
        healthCheckURL: "ftp://x",
        labels: { "a-b": 1, group: ["a", "a"] },
        webhooks: [{ type: "CONFIGURATION_CHANGED" }],
        bundles: [
          {
            name: "",
            apiDefinitions: [
              {
                name: "x".repeat(101),
                targetURL: "nowhere",
                version: { value: "1" },
                spec: { type: "OPEN_API", format: "XML", data: "<a/>" },
              },
            ],
            documents: [
              { title: "", displayName: "x".repeat(129), description: "", format: "MARKDOWN" },
            ],
          },
        ],
      },
    });
    expect(refusal).toMatch(/^INVALID_DATA: validation error for type ApplicationRegisterInput: /);
    for (const field of [
      "name",
      "description",
      "healthCheckURL",
      "labels.a-b",
      "labels.group",
      "webhooks.0.url",
      "bundles.0.name",
      "bundles.0.apiDefinitions.0.name",
      "bundles.0.apiDefinitions.0.targetURL",
      "bundles.0.apiDefinitions.0.version.value",
      "bundles.0.apiDefinitions.0.spec.format",
      "bundles.0.documents.0.title",
      "bundles.0.documents.0.displayName",
    ])
      expect(refusal).toContain(`${field}: `);
  });

  it("refuses a name that the tenant has, also to one of two who try at once", async () => {
    await anApplication(tenant, "taken");
    expect(await tenant.admin.refusal(register, { in: { name: "taken" } })).toBe(
      "NOT_UNIQUE: Object name is not unique: Application taken",
    );
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => tenant.admin.send(register, { in: { name: "raced" } })),
    );
    expect(answers.filter((one) => one.errors === undefined)).toHaveLength(1);
    const other = await director.tenant();
    expect(await anApplication(other, "taken")).toMatch(/^[0-9a-f-]{36}$/);
  });

  it("takes no URL with a character that cannot be sent or stored", async () => {
    for (const url of [
      "http://x.example/\u0000",
      "http://x.example/a\nb",
      " http://x.example",
      "http:x.example",
      "https://x.example/\ud800",
    ]) {
      expect(
        await tenant.admin.refusal(register, { in: { name: "u", healthCheckURL: url } }),
      ).toMatch(/^INVALID_DATA: .*healthCheckURL: must be an absolute http or https URL/);
    }
  });

  it("is for admins with the scope alone", async () => {
    const id = await anApplication(tenant, "self");
    expect(await tenant.application(id).refusal(register, { in: { name: "x" } })).toMatch(
      /^FORBIDDEN/,
    );
    const runtime = await aRuntime(tenant, "self");
    expect(await tenant.runtime(runtime).refusal(register, { in: { name: "x" } })).toMatch(
      /^INSUFFICIENT_SCOPES: insufficient scopes provided, required: \[application:write\], actual: /,
    );
    expect(await tenant.with("application:read").refusal(register, { in: { name: "x" } })).toMatch(
      /^INSUFFICIENT_SCOPES/,
    );
  });
});

describe("an update", () => {
  const update = `mutation($id: ID!, $in: ApplicationUpdateInput!, $revision: Int) {
    updateApplication(id: $id, in: $in, expectedRevision: $revision) { revision description status { condition timestamp } } }`;

  it("is refused when the revision is another than the expected one, and one of two wins", async () => {
    const id = await anApplication(tenant, "revised");
    const given = { id, in: { description: "new" }, revision: 1 };
    const answers = await Promise.all([1, 2, 3].map(() => tenant.admin.send(update, given)));
    const lost = answers.filter((one) => one.errors !== undefined);
    expect(lost).toHaveLength(2);
    for (const one of lost)
      expect(one.errors?.[0]).toMatchObject({
        extensions: { code: "CONCURRENT_UPDATE", error_code: 35 },
      });
    expect(
      (await tenant.admin.ask(update, { ...given, revision: 2 })).updateApplication.revision,
    ).toBe(3);
  });

  it("of an id that is nobody's, or no id at all, finds nothing", async () => {
    for (const id of [director.inside.newID(), "x", "", "' or true --"])
      expect(await tenant.admin.refusal(update, { id, in: {} })).toBe(
        `NOT_FOUND: Application with id ${id} does not exist`,
      );
  });

  it("sets the condition that it says, with its time", async () => {
    const id = await anApplication(tenant, "failing");
    const { updateApplication: changed } = await tenant.admin.ask(update, {
      id,
      in: { statusCondition: "FAILED" },
    });
    expect(changed.status).toMatchObject({ condition: "FAILED" });
    expect(Date.parse(changed.status.timestamp)).toBe(director.clock.now);
  });
});

describe("unregistering", () => {
  const unregister = `mutation($id: ID!, $revision: Int) {
    unregisterApplication(id: $id, expectedRevision: $revision) { name bundles { data { name } } labels } }`;

  it("answers with what there was, revokes its certificates, and leaves nothing", async () => {
    const id = await anApplication(tenant, "leaving", {
      bundles: [{ name: "b" }],
      labels: { a: 1 },
    });
    const { unregisterApplication: gone } = await tenant.admin.ask(unregister, { id });
    expect(gone).toEqual({
      name: "leaving",
      bundles: { data: [{ name: "b" }] },
      labels: { a: 1, group: ["default"] },
    });
    expect(director.trusted).toContain(`revoke ${tenant.id} APPLICATION ${id}`);
    expect(
      (await tenant.admin.ask("query($id: ID!) { application(id: $id) { id } }", { id }))
        .application,
    ).toBeNull();
    expect(await tenant.admin.refusal(unregister, { id })).toMatch(/^NOT_FOUND/);
    expect(await anApplication(tenant, "leaving")).not.toBe(id);
  });

  it("with an outdated revision revokes nothing", async () => {
    const id = await anApplication(tenant, "staying");
    expect(await tenant.admin.refusal(unregister, { id, revision: 7 })).toMatch(
      /^CONCURRENT_UPDATE/,
    );
    expect(director.trusted.join()).not.toContain(id);
  });
});
