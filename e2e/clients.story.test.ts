/** Clients that others wrote or would write: one with types generated from the supergraph, and the queries of published agents. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ApplicationsForRuntimeDocument,
  ConfigurationDocument,
  CredentialsDocument,
  DeleteCredentialsDocument,
  type InstanceAuthFragment,
  RegisterApplicationDocument,
  RegisterRuntimeDocument,
  RequestCredentialsDocument,
  RequestTokensDocument,
  ReturnCredentialsDocument,
  RevokeOwnCertificateDocument,
  SetCredentialsDocument,
  SignCertificateSigningRequestDocument,
  UnregisterDocument,
  ViewerDocument,
  WholeDocument,
} from "./client/generated/operations.ts";
import { ask } from "./client/typed-client.ts";
import { endPlanes, startPlane } from "./local-plane.ts";
import type { Caller } from "./story/caller.ts";
import { makeRequest } from "./story/pairing.ts";
import { silent } from "./story/report.ts";
import * as published from "./published-queries.ts";
import { openStage, type Stage } from "./story/stage.ts";
import { until } from "./story/until.ts";

let stage: Stage;
beforeAll(async () => {
  const plane = await startPlane();
  stage = await openStage(plane.file(), silent);
});
afterAll(async () => {
  await stage?.close();
  await endPlanes();
});

/** Pairs with the typed client. */
async function pair(
  name: string,
  { token, connectorURL }: { readonly token: string; readonly connectorURL: string },
): Promise<Caller> {
  const path = new URL(connectorURL).pathname;
  const withToken = (one: string): { path: string; headers: Record<string, string> } => ({
    ...{ path, headers: { "connector-token": one } },
  });
  const { configuration } = await ask(stage.stranger, ConfigurationDocument, {}, withToken(token));
  const { subject } = configuration.certificateSigningRequestInfo;
  const csr = await makeRequest(stage, name, "P-256", subject);
  const { signCertificateSigningRequest: signed } = await ask(
    stage.stranger,
    SignCertificateSigningRequestDocument,
    { csr },
    withToken(configuration.token?.token ?? ""),
  );
  const chainFile = join(stage.directory, `${name}-chain.pem`);
  writeFileSync(chainFile, Buffer.from(signed.certificateChain, "base64"));
  return stage.paired(name, { chainFile, keyFile: join(stage.directory, `${name}.key`) });
}

describe("a client with types generated from the supergraph", () => {
  let shop: { id: string; bundleID: string; caller: Caller };
  let site: { id: string; caller: Caller };
  let credential: InstanceAuthFragment;

  test("registers an application with all that it has, and a runtime", async () => {
    const { registerApplication: application } = await ask(
      stage.admin,
      RegisterApplicationDocument,
      {
        in: {
          name: stage.name("typed-shop"),
          labels: { group: ["typed"] },
          webhooks: [{ type: "CONFIGURATION_CHANGED", url: stage.receiver.url }],
          bundles: [
            {
              name: "orders",
              apiDefinitions: [
                {
                  name: "orders",
                  targetURL: "https://shop.example.com/orders",
                  version: { value: "1.0.0" },
                  spec: { type: "OPEN_API", format: "JSON", data: '{"openapi":"3.0.0"}' },
                },
              ],
            },
          ],
        },
      },
    );
    const [bundle] = application.bundles?.data ?? [];
    expect(bundle?.apiDefinitions?.data[0]).toMatchObject({
      name: "orders",
      spec: { type: "OPEN_API", format: "JSON" },
      version: { value: "1.0.0" },
    });
    expect(application.webhooks?.[0]?.signingSecret).toMatch(/^whsec_/);
    const { registerRuntime: runtime } = await ask(stage.admin, RegisterRuntimeDocument, {
      in: { name: stage.name("typed-site"), labels: { group: ["typed"] } },
    });
    expect(runtime.online).toBe(false);
    const tokens = await ask(stage.admin, RequestTokensDocument, {
      ...{ applicationID: application.id, runtimeID: runtime.id },
    });
    shop = {
      id: application.id,
      bundleID: bundle?.id ?? "",
      caller: await pair("typed-shop", tokens.forApplication),
    };
    site = { id: runtime.id, caller: await pair("typed-site", tokens.forRuntime) };
  });

  test("is known by its certificates", async () => {
    expect(await ask(shop.caller, ViewerDocument, {})).toEqual({
      viewer: { id: shop.id, type: "APPLICATION" },
    });
    expect(await ask(site.caller, ViewerDocument, {})).toEqual({
      viewer: { id: site.id, type: "RUNTIME" },
    });
  });

  test("sees as a runtime what it shares a group with, page by page", async () => {
    const { applicationsForRuntime: page } = await ask(
      site.caller,
      ApplicationsForRuntimeDocument,
      { runtimeID: site.id, first: 1 },
    );
    expect(page).toMatchObject({
      data: [{ id: shop.id, bundles: { data: [{ id: shop.bundleID, name: "orders" }] } }],
      pageInfo: { hasNextPage: false },
      totalCount: 1,
    });
  });

  test("asks for credentials as a runtime, and the application is told", async () => {
    const { requestBundleInstanceAuthCreation: asked } = await ask(
      site.caller,
      RequestCredentialsDocument,
      { bundleID: shop.bundleID, in: { context: { namespace: "tills" } } },
    );
    expect(asked).toMatchObject({
      runtimeID: site.id,
      auth: null,
      status: { condition: "PENDING" },
    });
    credential = asked;
    const { message } = await stage.receiver.next(
      "the request for credentials",
      ({ type }) => type === "credentials.requested",
    );
    expect(message.data.ids).toEqual({
      bundleID: shop.bundleID,
      bundleInstanceAuthID: credential.id,
    });
  });

  test("answers as the application, and the runtime can use what it gave", async () => {
    await ask(shop.caller, SetCredentialsDocument, {
      authID: credential.id,
      in: {
        auth: {
          credential: {
            oauth: {
              ...{ clientId: "site", clientSecret: "s3cret" },
              url: "https://shop.example.com/token",
            },
          },
          additionalHeaders: { "x-site": ["1"] },
        },
      },
    });
    const { bundleInstanceAuth } = await ask(site.caller, CredentialsDocument, {
      id: credential.id,
    });
    const given = bundleInstanceAuth?.auth?.credential;
    // The compiler knows of which type each field is.
    const secret = given?.__typename === "OAuthCredentialData" ? given.clientSecret : undefined;
    expect(secret).toBe("s3cret");
    expect(bundleInstanceAuth?.auth?.additionalHeaders).toEqual({ "x-site": ["1"] });
    expect(bundleInstanceAuth?.status.condition).toBe("SUCCEEDED");
  });

  test("gives back what it no longer needs, and the application removes it", async () => {
    const { requestBundleInstanceAuthDeletion: unused } = await ask(
      site.caller,
      ReturnCredentialsDocument,
      { authID: credential.id },
    );
    expect(unused.status.condition).toBe("UNUSED");
    await ask(shop.caller, DeleteCredentialsDocument, { authID: credential.id });
    expect(await ask(shop.caller, CredentialsDocument, { id: credential.id })).toEqual({
      bundleInstanceAuth: null,
    });
  });

  test("reads of three services in one answer", async () => {
    const connected = await until("both are connected", async () => {
      const whole = await ask(stage.admin, WholeDocument, {
        ...{ applicationID: shop.id, runtimeID: site.id },
      });
      const all = [whole.application?.status.condition, whole.runtime?.status.condition];
      return all.every((one) => one === "CONNECTED") && whole;
    });
    expect(connected.application?.certificates.data).toMatchObject([{ state: "VALID" }]);
    expect(connected.runtime).toMatchObject({
      provisioning: null,
      certificates: { totalCount: 1 },
    });
  });

  test("revokes its own certificate, and is refused from then on", async () => {
    expect(await ask(shop.caller, RevokeOwnCertificateDocument, {})).toEqual({
      revokeCertificate: true,
    });
    await until("the certificate is refused", async () =>
      ask(shop.caller, ViewerDocument, {}).then(
        () => false,
        (error: Error) => error.message.includes("UNAUTHENTICATED"),
      ),
    );
    await ask(stage.admin, UnregisterDocument, { applicationID: shop.id, runtimeID: site.id });
  });
});

/** What a published client reads of an answer: `result`. */
async function resultOf<Result>(
  caller: Caller,
  query: string,
  path = "/director/graphql",
): Promise<Result> {
  // Their clients send the query alone.
  const { status, text } = await caller.send({
    ...{ method: "POST", path, headers: { "content-type": "application/json" } },
    body: JSON.stringify({ query }),
  });
  const answer = JSON.parse(text) as { data?: { result: Result }; errors?: unknown };
  if (status !== 200 || answer.errors !== undefined || answer.data === undefined)
    throw new Error(`${status} ${text}`);
  return answer.data.result;
}

describe("a client written for Kyma Compass", () => {
  type Page<Object> = { data: Object[]; pageInfo: { hasNextPage: boolean }; totalCount: number };
  type Bundle = {
    id: string;
    name: string;
    apiDefinitions: Page<{ name: string; spec: { data: string; type: string } }>;
    eventDefinitions: Page<{ name: string; version: object }>;
    documents: Page<{ title: string; data: string }>;
    defaultInstanceAuth: object | null;
  };
  type Application = { id: string; labels: object; webhooks: object[]; bundles: Page<Bundle> };
  type Token = Readonly<Record<"token" | "connectorURL" | "raw" | "rawEncoded", string>>;
  let application: Application;
  let runtimeID: string;
  let agent: Caller;
  let shop: Caller;
  const bundle = (name: string): Bundle => {
    const found = application.bundles.data.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no bundle ${name}`);
    return found;
  };

  test("registers labels, webhooks, bundles, APIs, events, documents and auths by one mutation of literals", async () => {
    application = await resultOf<Application>(
      stage.admin,
      published.registerApplication(stage.name("wordpress"), "group", stage.receiver.url),
    );
    expect(application.labels).toEqual({ group: ["compass"], tags: ["web", "blog"] });
    expect(application.webhooks).toMatchObject([
      {
        applicationID: application.id,
        auth: {
          credential: { username: "hook", password: "pass" },
          additionalHeaders: { "header-A": ["ha1", "ha2"] },
        },
      },
    ]);
    expect(application.bundles.totalCount).toBe(2);
    const whole = bundle("mp-bundle");
    expect(whole.apiDefinitions.data.map(({ spec }) => spec)).toMatchObject([
      { data: '{"openapi":"3.0.2"}', type: "OPEN_API" },
      { data: expect.stringContaining("<edmx:Edmx") as unknown, type: "ODATA" },
    ]);
    expect(whole.eventDefinitions.data).toMatchObject([
      { version: { deprecated: true, deprecatedSince: "0.9.0", forRemoval: true } },
    ]);
    expect(whole.documents.data).toMatchObject([
      { title: "Readme", data: "No idea what to write" },
    ]);
    expect(bundle("with-default").defaultInstanceAuth).toMatchObject({
      credential: { clientId: "client", clientSecret: "secret", url: "http://oauth.com/token" },
      additionalHeaders: { h1: ["v1"] },
      additionalQueryParams: { q: ["1"] },
      requestAuth: { csrf: { tokenEndpointURL: "http://mywordpress.com/csrf" } },
    });
  });

  test("reads whole pages of everything of applications that a path in a label filter finds", async () => {
    const found = (query: string): Promise<Page<Application>> =>
      resultOf(stage.admin, published.applications("group", query));
    const { data } = await found('$[*] ? (@ == "compass")');
    expect(data).toMatchObject([{ id: application.id, bundles: application.bundles }]);
    expect((await found('$[*] ? (@ == "other" || @ == "compass")')).totalCount).toBe(1);
    expect((await found('$[*] ? (@ == "other")')).totalCount).toBe(0);
  });

  async function pairAsPublished(kind: "Application" | "Runtime", id: string): Promise<Caller> {
    const token = await resultOf<Token>(stage.admin, published.oneTimeToken(kind, id));
    const raw = JSON.parse(Buffer.from(token.rawEncoded, "base64").toString()) as Token;
    expect(raw).toEqual({ token: token.token, connectorURL: token.connectorURL });
    expect(JSON.parse(token.raw)).toEqual(raw);
    const { pathname } = new URL(raw.connectorURL);
    type Configuration = {
      token: { token: string };
      certificateSigningRequestInfo: { subject: string; keyAlgorithm: string };
      managementPlaneInfo: { directorURL: string; certificateSecuredConnectorURL: string };
    };
    const withToken = (one: string): Caller => stage.caller(kind, { "Connector-Token": one });
    const configuration = await resultOf<Configuration>(
      withToken(raw.token),
      published.configuration,
      pathname,
    );
    const { certificateSigningRequestInfo, managementPlaneInfo } = configuration;
    expect(certificateSigningRequestInfo.keyAlgorithm).toBe("rsa2048");
    expect(managementPlaneInfo.directorURL).toBe(`${stage.plane.mtlsURL}/director/graphql`);
    const name = `published-${kind}`;
    const { subject } = certificateSigningRequestInfo;
    const csr = await makeRequest(stage, name, "RSA-2048", subject);
    const signed = await resultOf<{ certificateChain: string }>(
      withToken(configuration.token.token),
      published.signCertificateSigningRequest(csr),
      pathname,
    );
    const chainFile = join(stage.directory, `${name}-chain.pem`);
    writeFileSync(chainFile, Buffer.from(signed.certificateChain, "base64"));
    return stage.paired(name, { chainFile, keyFile: join(stage.directory, `${name}.key`) });
  }

  test("pairs by raw and rawEncoded of a token, with empty parentheses behind configuration", async () => {
    const registered = await resultOf<{ id: string }>(
      stage.admin,
      published.registerRuntime(stage.name("kyma"), "group"),
    );
    runtimeID = registered.id;
    agent = await pairAsPublished("Runtime", runtimeID);
    shop = await pairAsPublished("Application", application.id);
  });

  test("asks as a runtime's agent for itself and its applications, pages of default size inside each other, without an error", async () => {
    const { status, text } = await agent.post(
      published.runtimeAgentConfiguration(runtimeID),
      {},
      {
        path: "/director/graphql",
      },
    );
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      data: {
        runtime: { labels: { group: ["compass"], isNormalized: "true" } },
        applicationsForRuntime: {
          data: [
            { id: application.id, bundles: { totalCount: 2, pageInfo: { hasNextPage: false } } },
          ],
          totalCount: 1,
        },
      },
    });
    expect(text).not.toContain('"errors"');
  });

  test("tells as an agent its addresses by labels, and the application learns where to send events", async () => {
    const url = "https://gateway.kyma.example.com";
    expect(
      await resultOf(agent, published.setRuntimeLabel(runtimeID, "runtime_eventServiceUrl", url)),
    ).toEqual({ key: "runtime_eventServiceUrl", value: url });
    const read = (): Promise<{ eventingConfiguration: { defaultURL: string } }> =>
      resultOf(
        shop,
        `query { result: application(id: "${application.id}") { eventingConfiguration { defaultURL } } }`,
      );
    const told = await until("the address is there", async () => {
      const { eventingConfiguration } = await read();
      return eventingConfiguration.defaultURL !== "" && eventingConfiguration;
    });
    expect(told.defaultURL.startsWith(url)).toBe(true);
  });

  test("asks for credentials with JSON in text, is answered, and finds back to the bundle", async () => {
    type InstanceAuth = { id: string; status: { condition: string }; auth: object | null };
    const bundleID = bundle("mp-bundle").id;
    const asked = await resultOf<InstanceAuth>(agent, published.requestCredentials(bundleID));
    expect(asked.status.condition).toBe("PENDING");
    await resultOf(shop, published.setCredentials(asked.id));
    const read = await resultOf<{ bundle: { instanceAuth: InstanceAuth } }>(
      agent,
      published.bundleCredentials(application.id, bundleID, asked.id),
    );
    expect(read.bundle.instanceAuth).toMatchObject({
      id: asked.id,
      auth: { credential: { username: "username", password: "password" } },
      status: { condition: "SUCCEEDED", message: "done", reason: "CredentialsProvided" },
    });
    expect(await resultOf(agent, published.bundleByInstanceAuth(asked.id))).toMatchObject({
      id: bundleID,
      apiDefinitions: { data: [{ name: "comments-v1" }, { name: "xml" }] },
    });
  });

  test("reads context and parameters of credentials as it sent them: as text", async () => {
    const asked = await resultOf<{ context: unknown; inputParams: unknown }>(
      agent,
      published.requestCredentials(bundle("with-default").id),
    );
    expect(asked).toMatchObject({
      context: '{"ContextData":"ContextValue"}',
      inputParams: '{"InKey":"InValue"}',
    });
  });

  test("makes all the calls of an admin's tool, each selecting everything that it has", async () => {
    const ids = new Map<string, string>();
    const failed: string[] = [];
    for (const [name, query] of published.adminCalls(stage.name("tool"), application.id)) {
      const result = await resultOf<{ id?: string } | null>(
        stage.admin,
        query((call) => ids.get(call) ?? ""),
      ).catch((error: Error) => {
        failed.push(`${name}: ${error.message}`);
        return undefined;
      });
      if (result?.id !== undefined) ids.set(name, result.id);
    }
    expect(failed).toEqual([]);
  });
});
