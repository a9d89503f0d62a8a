import { afterAll, beforeAll, expect, it } from "vitest";
import { startDirector, type TestDirector, type TestTenant } from "../../test/given.ts";

let director: TestDirector;
let tenant: TestTenant;
beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
});
afterAll(() => director.close());

const fields = `{ id name description applicationInput placeholders { name description } accessLevel revision }`;
const make = `mutation($in: ApplicationTemplateInput!) { x: createApplicationTemplate(in: $in) ${fields} }`;
const fill = `mutation($in: ApplicationFromTemplateInput!) { x: registerApplicationFromTemplate(in: $in) { id name description labels webhooks { url auth { credential { ... on BasicCredentialData { password } } } } } }`;
const template = (name: string, more: object = {}) => ({
  name,
  accessLevel: "GLOBAL",
  placeholders: [{ name: "name", description: "What it is called" }, { name: "host" }],
  applicationInput: {
    name: "{{name}}-shop",
    description: "{{name}} at {{host}}, {{name}}",
    labels: { site: ["{{host}}"] },
    webhooks: [
      {
        type: "CONFIGURATION_CHANGED",
        url: "https://{{host}}/hook",
        auth: { credential: { basic: { username: "u", password: "template-secret" } } },
      },
    ],
  },
  ...more,
});
const values = (name: string, host = "shop.example") => [
  { placeholder: "name", value: name },
  { placeholder: "host", value: host },
];

it("a template is made, shown, and filled in to an application", async () => {
  const { x } = await tenant.admin.ask(make, { in: template("shop") });
  expect(x).toMatchObject({
    name: "shop",
    accessLevel: "GLOBAL",
    placeholders: [
      { name: "name", description: "What it is called" },
      { name: "host", description: null },
    ],
  });
  expect(JSON.parse(x.applicationInput)).toMatchObject({ name: "{{name}}-shop" });
  const { x: application } = await tenant.admin.ask(fill, {
    in: { templateName: "shop", values: values("berlin") },
  });
  expect(application).toMatchObject({
    name: "berlin-shop",
    description: "berlin at shop.example, berlin",
    labels: { site: ["shop.example"] },
    webhooks: [
      {
        url: "https://shop.example/hook",
        auth: { credential: { password: "template-secret" } },
      },
    ],
  });
});

it("a value is put in as it is: it fills in nothing itself", async () => {
  await tenant.admin.ask(make, { in: template("nested") });
  const { x } = await tenant.admin.ask(fill, {
    in: { templateName: "nested", values: values("{{host}}$&") },
  });
  expect(x.name).toBe("{{host}}$&-shop");
});

it("placeholders are unique, all defined and all used", async () => {
  const wrong = template("wrong", {
    placeholders: [{ name: "name" }, { name: "name" }, { name: "unused" }, { name: "a b" }],
  });
  expect(await tenant.admin.refusal(make, { in: wrong })).toMatch(
    /placeholders\.3\.name: must have 1 to 100/,
  );
  const placeholders = [{ name: "name" }, { name: "name" }, { name: "unused" }];
  expect(await tenant.admin.refusal(make, { in: template("wrong", { placeholders }) })).toMatch(
    /^INVALID_DATA: .*name is defined twice.*unused.*is not used.*host.*is not defined/,
  );
});

it("filling in tells every value that is missing, unknown or given twice, and checks what comes of it", async () => {
  await tenant.admin.ask(make, { in: template("strict") });
  const given = [
    { placeholder: "name", value: "a" },
    { placeholder: "name", value: "b" },
    { placeholder: "other", value: "c" },
  ];
  expect(
    await tenant.admin.refusal(fill, { in: { templateName: "strict", values: given } }),
  ).toMatch(/name has a value already.*no placeholder other.*no value for host/);
  expect(
    await tenant.admin.refusal(fill, {
      in: { templateName: "strict", values: values("ä", "no host") },
    }),
  ).toMatch(/^INVALID_DATA: .*ApplicationRegisterInput: .*name: .*webhooks\.0\.url: /);
  expect(await tenant.admin.refusal(fill, { in: { templateName: "none", values: [] } })).toMatch(
    /^NOT_FOUND: .*ApplicationTemplate/,
  );
});

it("names are unique, changes expect a revision, and what is removed is gone", async () => {
  const { x } = await tenant.admin.ask(make, { in: template("twice") });
  expect(await tenant.admin.refusal(make, { in: template("twice") })).toMatch(/^NOT_UNIQUE/);
  const change = `mutation($id: ID!, $in: ApplicationTemplateInput!, $r: Int) { x: updateApplicationTemplate(id: $id, in: $in, expectedRevision: $r) ${fields} }`;
  const renamed = template("thrice", { applicationInput: { name: "fixed" }, placeholders: null });
  expect(await tenant.admin.refusal(change, { id: x.id, in: renamed, r: 2 })).toMatch(
    /^CONCURRENT_UPDATE/,
  );
  expect((await tenant.admin.ask(change, { id: x.id, in: renamed, r: 1 })).x).toMatchObject({
    name: "thrice",
    placeholders: [],
    revision: 2,
  });
  const { list } = await tenant.admin.ask(`{ list: applicationTemplates { data { name } } }`);
  expect(list.data).toContainEqual({ name: "thrice" });
  const remove = `mutation($id: ID!) { x: deleteApplicationTemplate(id: $id) { name } }`;
  expect((await tenant.admin.ask(remove, { id: x.id })).x).toEqual({ name: "thrice" });
  expect(
    (
      await tenant.admin.ask(`query($id: ID!) { x: applicationTemplate(id: $id) { id } }`, {
        id: x.id,
      })
    ).x,
  ).toBeNull();
});
