/** What must be nowhere in clear: in no table, no log, no error. */
import { randomBytes } from "node:crypto";
import { silentLogger } from "@sextant/logging";
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, expect, it } from "vitest";
import { resealAll } from "../src/secret/resealer.ts";
import { aBundle, anApplication, aRuntime, startDirector, type TestDirector } from "./given.ts";

let director: TestDirector;
beforeAll(async () => {
  director = await startDirector();
});
afterAll(() => director.close());

const SECRET = "S3cretThatIsNowhere";
const auth = {
  credential: {
    oauth: { clientId: `${SECRET}id`, clientSecret: SECRET, url: "https://x.example" },
  },
  additionalHeaders: { "x-key": [`${SECRET}header`] },
  additionalQueryParamsSerialized: JSON.stringify({ key: [`${SECRET}query`] }),
  requestAuth: {
    csrf: {
      tokenEndpointURL: "https://x.example/csrf",
      credential: { basic: { username: "u", password: `${SECRET}csrf` } },
    },
  },
};

it("no table holds a credential, a signing secret or a plan's credentials in clear", async () => {
  const tenant = await director.tenant();
  const application = await anApplication(tenant, "a", {
    webhooks: [{ type: "CONFIGURATION_CHANGED", url: "https://x.example", auth }],
    bundles: [
      {
        name: "with-default",
        defaultInstanceAuth: auth,
        documents: [
          {
            title: "t",
            displayName: "d",
            description: "",
            format: "MARKDOWN",
            fetchRequest: { url: "https://x.example/document", auth },
          },
        ],
      },
    ],
  });
  const runtime = await aRuntime(tenant, "r");
  const bundle = await aBundle(tenant, application);
  const { add, given, updated } = await tenant.admin.ask(
    `mutation($a: ID!, $b: ID!, $auth: AuthInput!, $r: ID!) {
      add: addWebhook(applicationID: $a, in: { type: CONFIGURATION_CHANGED, url: "https://x.example", auth: $auth }) { id signingSecret }
      given: createBundleInstanceAuth(bundleID: $b, in: { runtimeID: $r, auth: $auth }) { id
        auth { credential { ... on OAuthCredentialData { clientId clientSecret url } } additionalHeaders additionalQueryParams
          requestAuth { csrf { tokenEndpointURL credential { ... on BasicCredentialData { password } } } } } }
      updated: updateBundle(id: $b, in: { name: "b", defaultInstanceAuth: $auth }) { id }
    }`,
    { a: application, b: bundle, auth, r: runtime },
  );
  expect(updated.id).toBe(bundle);
  expect(given.auth).toEqual({
    credential: auth.credential.oauth,
    additionalHeaders: auth.additionalHeaders,
    additionalQueryParams: { key: [`${SECRET}query`] },
    requestAuth: {
      csrf: {
        tokenEndpointURL: "https://x.example/csrf",
        credential: { password: `${SECRET}csrf` },
      },
    },
  });
  await tenant.admin.ask(
    `mutation($id: ID!, $in: BundleInstanceAuthUpdateInput!) { updateBundleInstanceAuth(id: $id, in: $in) { id } }`,
    {
      id: given.id,
      in: { auth },
    },
  );
  await director.plan();
  const plan = await director.plans.current(tenant.runtime(runtime).identity);
  expect(String(plan?.body)).toContain(SECRET);
  const rows = await storedRows(director.inside.database);
  for (const kind of ["plan ", "fetch_request "])
    expect(rows.some((row) => row.startsWith(kind))).toBe(true);
  const raw = (add.signingSecret as string).replace("whsec_", "");
  for (const text of [
    SECRET,
    raw,
    Buffer.from(SECRET).toString("base64").slice(0, 20),
    Buffer.from(SECRET).toString("hex"),
  ])
    expect(rows.filter((row) => row.includes(text))).toEqual([]);
});

it("an error never repeats a secret that was sent with the fault", async () => {
  const tenant = await director.tenant();
  const application = await anApplication(tenant, "a");
  const bundle = await aBundle(tenant, application);
  const give = `mutation($b: ID!, $in: BundleInstanceAuthCreateInput!) { createBundleInstanceAuth(bundleID: $b, in: $in) { id } }`;
  const wrong = [
    { ...auth, additionalHeaders: { "bad header": [SECRET] } },
    { ...auth, additionalQueryParamsSerialized: `{"${SECRET}` },
    { credential: { oauth: { clientId: "c", clientSecret: SECRET, url: `not-a-url-${SECRET}` } } },
    { credential: { basic: { username: `${SECRET}:`, password: SECRET } } },
  ];
  for (const one of wrong) {
    const refusal = await tenant.admin.refusal(give, {
      b: bundle,
      in: { runtimeID: director.inside.newID(), auth: one },
    });
    expect(refusal).toMatch(/^INVALID_DATA/);
    expect(refusal).not.toContain(SECRET);
  }
});

it("what one data key has sealed is sealed anew by another, all of it, and opened by that alone", async () => {
  const { context, dataKey, useDataKeys } = director;
  const next = randomBytes(32);
  const before = context.sealer.prefix();
  useDataKeys(next, dataKey);
  const count = () => context.registry.countSealed(context.sealer.prefix());
  expect(await count()).toBeGreaterThan(5);
  const resealed = await resealAll(context.registry, context.sealer, silentLogger);
  expect([resealed > 5, await count()]).toEqual([true, 0]);
  useDataKeys(next);
  const rows = await storedRows(director.inside.database);
  expect(rows.filter((row) => row.includes(before))).toEqual([]);
  expect(await resealAll(context.registry, context.sealer, silentLogger)).toBe(0);
});
