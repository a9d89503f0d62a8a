/** The story's first part: an application is registered, pairs and says what it offers. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Caller } from "./caller.ts";
import { curl, type KeyKind, type OneTimeToken, type Paired, pairByHand } from "./pairing.ts";
import type { Stage } from "./stage.ts";

const fixtures = join(import.meta.dirname, "..", "fixtures");

/** An application that was registered. */
export interface RegisteredApplication {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, unknown>>;
  readonly condition: string;
  readonly webhookID: string;
  readonly signingSecret: string;
  /** What the webhook's secret reads as once it has been shown. */
  readonly secretAskedAgain: string | null;
}

/** An admin registers the application, and learns the secret of its webhook, once. */
export async function anAdminRegistersTheShopWithAWebhook(
  stage: Stage,
): Promise<RegisteredApplication> {
  const { registerApplication: made } = await stage.admin.ask<{
    registerApplication: {
      id: string;
      name: string;
      labels: Record<string, unknown>;
      status: { condition: string };
      webhooks: { id: string; signingSecret: string }[];
    };
  }>(
    `mutation ($in: ApplicationRegisterInput!) {
      registerApplication(in: $in) {
        id name labels status { condition }
        webhooks { id url signingSecret }
      }
    }`,
    {
      in: {
        name: stage.name("shop"),
        description: "Sells things and tells about its orders.",
        providerName: "Example Ltd.",
        labels: { group: [stage.name("production")] },
        webhooks: [{ type: "CONFIGURATION_CHANGED", url: stage.receiver.url }],
      },
    },
  );
  const webhook = made.webhooks[0];
  if (webhook === undefined) throw new Error("the application has no webhook");
  const again = await stage.admin.ask<{
    application: { webhooks: { signingSecret: string | null }[] };
  }>(
    `query ($id: ID!) { application(id: $id) { webhooks { signingSecret } } }`,
    { id: made.id },
    { quiet: true },
  );
  return {
    id: made.id,
    name: made.name,
    labels: made.labels,
    condition: made.status.condition,
    webhookID: webhook.id,
    signingSecret: webhook.signingSecret,
    secretAskedAgain: again.application.webhooks[0]?.signingSecret ?? null,
  };
}

/** What an admin is given to hand over. */
export async function requestToken(
  stage: Pick<Stage, "admin">,
  kind: "Application" | "Runtime",
  id: string,
  extra: { readonly headers?: Readonly<Record<string, string>>; readonly quiet?: boolean } = {},
): Promise<OneTimeToken & { readonly raw: string; readonly rawEncoded: string }> {
  const mutation = `requestOneTimeTokenFor${kind}`;
  const answer = await stage.admin.ask<
    Record<string, OneTimeToken & { raw: string; rawEncoded: string }>
  >(
    `mutation ($id: ID!) { ${mutation}(id: $id) { token connectorURL raw rawEncoded } }`,
    { id },
    extra,
  );
  const token = answer[mutation];
  if (token === undefined) throw new Error("there is no token in the answer");
  return token;
}

/** One pairing of the application, from the admin's request to the first call over mTLS. */
export interface ApplicationPairing extends Paired {
  readonly token: OneTimeToken & { readonly raw: string; readonly rawEncoded: string };
  /** Who the plane says that a curl with the new certificate is. */
  readonly viewer: { readonly id: string; readonly type: string };
}

/** Pairs once. */
async function pairApplication(
  stage: Stage,
  id: string,
  key: KeyKind,
): Promise<ApplicationPairing> {
  const token = await requestToken(stage, "Application", id);
  const name = `shop-${key.toLowerCase()}`;
  const paired = await pairByHand(stage, name, token, key);
  const { viewer } = await curl<{ viewer: { id: string; type: string } }>(
    stage,
    paired.configuration.managementPlaneInfo.directorURL,
    {
      document: "{ viewer { id type } }",
      words: ["--cert", `${name}-chain.pem`, "--key", `${name}.key`],
    },
  );
  return { ...paired, token, viewer };
}

/** With curl and openssl alone. */
export function theShopPairsWithAnRSAKeyByCurlAndOpenssl(
  stage: Stage,
  shop: RegisteredApplication,
): Promise<ApplicationPairing> {
  return pairApplication(stage, shop.id, "RSA-2048");
}

/** With curl and openssl alone. */
export function theShopPairsWithAnECKeyByCurlAndOpenssl(
  stage: Stage,
  shop: RegisteredApplication,
): Promise<ApplicationPairing> {
  return pairApplication(stage, shop.id, "P-256");
}

/** One text of the bundle: what was sent and what came back. */
export interface StoredText {
  readonly bytes: number;
  readonly sentHash: string;
  readonly storedHash: string;
}

/** The bundle as it was registered and read back. */
export interface RegisteredBundle {
  readonly id: string;
  readonly apiID: string;
  readonly eventID: string;
  readonly documentID: string;
  /** Title of the OpenAPI description, as it was read back. */
  readonly openAPITitle: string;
  readonly openAPI: StoredText;
  readonly asyncAPI: StoredText;
  readonly markdown: StoredText;
  /** How long the registration of the large description took, in milliseconds. */
  readonly took: number;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
const stored = (sent: string, back: string): StoredText => ({
  bytes: Buffer.byteLength(sent),
  sentHash: sha256(sent),
  storedHash: sha256(back),
});

/** Over mTLS, with a real OpenAPI description of three megabytes, an AsyncAPI and a Markdown document. */
export async function theShopRegistersABundleOverMTLS(
  stage: Stage,
  shop: RegisteredApplication,
  client: Caller,
): Promise<RegisteredBundle> {
  const openAPI = readFileSync(join(fixtures, "openapi", "api.github.com.json"), "utf8");
  const asyncAPI = readFileSync(join(fixtures, "shop", "events.asyncapi.yaml"), "utf8");
  const markdown = readFileSync(join(fixtures, "shop", "orders.md"), "utf8");
  const begun = performance.now();
  const { addBundle: made } = await client.ask<{
    addBundle: Record<
      "apiDefinitions" | "eventDefinitions" | "documents",
      { data: { id: string }[] }
    > & {
      id: string;
    };
  }>(
    `mutation ($applicationID: ID!, $in: BundleCreateInput!) {
      addBundle(applicationID: $applicationID, in: $in) {
        id name
        apiDefinitions { data { id name } }
        eventDefinitions { data { id name } }
        documents { data { id title } }
      }
    }`,
    {
      applicationID: shop.id,
      in: {
        name: "orders",
        description: "Everything about orders.",
        apiDefinitions: [
          {
            name: "orders",
            targetURL: "https://api.github.com",
            version: { value: "2.2.1" },
            spec: { type: "OPEN_API", format: "JSON", data: openAPI },
          },
        ],
        eventDefinitions: [
          {
            name: "order-events",
            version: { value: "1.0.0" },
            spec: { type: "ASYNC_API", format: "YAML", data: asyncAPI },
          },
        ],
        documents: [
          {
            title: "Orders",
            displayName: "The four states of an order",
            description: "What an order goes through.",
            format: "MARKDOWN",
            data: markdown,
          },
        ],
      },
    },
  );
  const took = performance.now() - begun;
  const [api, event, document] = [
    made.apiDefinitions.data[0],
    made.eventDefinitions.data[0],
    made.documents.data[0],
  ];
  if (api === undefined || event === undefined || document === undefined)
    throw new Error("the bundle is not complete");
  const { application } = await client.ask<{
    application: {
      bundle: {
        apiDefinition: { spec: { data: string } };
        eventDefinition: { spec: { data: string } };
        document: { data: string };
      };
    };
  }>(
    `query ($application: ID!, $bundle: ID!, $api: ID!, $event: ID!, $document: ID!) {
      application(id: $application) {
        bundle(id: $bundle) {
          apiDefinition(id: $api) { spec { type format data } }
          eventDefinition(id: $event) { spec { type format data } }
          document(id: $document) { format data }
        }
      }
    }`,
    { application: shop.id, bundle: made.id, api: api.id, event: event.id, document: document.id },
  );
  const { apiDefinition, eventDefinition, document: text } = application.bundle;
  const readBack = JSON.parse(apiDefinition.spec.data) as { info: { title: string } };
  return {
    id: made.id,
    apiID: api.id,
    eventID: event.id,
    documentID: document.id,
    openAPITitle: readBack.info.title,
    openAPI: stored(openAPI, apiDefinition.spec.data),
    asyncAPI: stored(asyncAPI, eventDefinition.spec.data),
    markdown: stored(markdown, text.data),
    took,
  };
}
