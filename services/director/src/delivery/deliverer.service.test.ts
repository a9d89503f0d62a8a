import { createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Claimed, Outcome } from "@sextant/registry-client";
import { storedRows } from "@sextant/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aRuntime, startDirector, type TestDirector, type TestTenant } from "../../test/given.ts";
import { createDeliverer } from "./deliverer.ts";
import { MAX_ATTEMPTS } from "./delivery.ts";
import { createOutbound, type Outbound } from "../outbound/outbound-client.ts";

type Heard = {
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};
let director: TestDirector;
let tenant: TestTenant;
let server: Server;
let base: string;
let sender: Outbound;
let publicOnly: Outbound;
let heard: Heard[] = [];
let answer: (request: Heard, response: ServerResponse) => void;

beforeAll(async () => {
  director = await startDirector();
  tenant = await director.tenant();
  sender = createOutbound({ allowPrivateTargets: true });
  publicOnly = createOutbound({ allowPrivateTargets: false });
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const one = {
        url: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      heard.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await Promise.all([sender.close(), publicOnly.close()]);
  server.closeAllConnections();
  server.close();
  await director.close();
});
beforeEach(() => {
  heard = [];
  answer = (_request, response) => response.writeHead(204).end();
});

const webhooks = "webhooks { id signingSecret }";
/** An application with a webhook, and the message that it is to get. */
async function aMessage(
  name: string,
  hook: object = {},
): Promise<{ work: Claimed<"delivery">; webhook: string; secret: string }> {
  const group = [name];
  const { x } = await tenant.admin.ask(
    `mutation($in: ApplicationRegisterInput!) { x: registerApplication(in: $in) { ${webhooks} } }`,
    {
      in: {
        name,
        labels: { group },
        webhooks: [{ type: "CONFIGURATION_CHANGED", url: `${base}/hook`, ...hook }],
      },
    },
  );
  const runtime = await aRuntime(tenant, name, { labels: { group } });
  await tenant.admin.ask(
    `mutation($r: ID!) { setRuntimeLabel(runtimeID: $r, key: "a", value: 1) { key } }`,
    { r: runtime },
  );
  const claimed = await director.inside.registry.claim({
    queue: "delivery",
    max: 500,
    leaseSeconds: 60,
    waitSeconds: 0,
  });
  const [{ id: webhook, signingSecret: secret }] = x.webhooks as [
    { id: string; signingSecret: string },
  ];
  const work = claimed.find(({ webhookID }) => webhookID === webhook);
  if (work === undefined) throw new Error("there is no message");
  return { work, webhook, secret };
}
const deliver = (work: Claimed<"delivery">, by = sender): Promise<Outcome> =>
  createDeliverer(director.context, by, () => 0)(work);

describe("a message", () => {
  it("is signed as Standard Webhooks says, thin, and delivered once it is taken", async () => {
    const { work, secret } = await aMessage("signed");
    expect(await deliver(work)).toMatchObject({
      done: true,
      values: { state: "DELIVERED", lastStatus: 204 },
    });
    const [{ headers, body }] = heard as [Heard];
    const signed = `${headers["webhook-id"] as string}.${headers["webhook-timestamp"] as string}.${body}`;
    const key = Buffer.from(secret.replace("whsec_", ""), "base64");
    expect(headers["webhook-signature"]).toBe(
      `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
    );
    expect(headers["webhook-id"]).toBe(work.id);
    expect(Number(headers["webhook-timestamp"])).toBe(Math.floor(director.clock.now / 1000));
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.parse(body)).toEqual({
      type: "configuration.changed",
      timestamp: new Date(director.clock.now).toISOString(),
      data: { ids: { runtimeID: expect.any(String) } },
    });
  });

  it("is signed with the new secret after a rotation, under the same id", async () => {
    const { work, webhook, secret } = await aMessage("rotated");
    answer = (_request, response) => response.writeHead(500).end();
    await deliver(work);
    const { x } = await tenant.admin.ask(
      `mutation($id: ID!) { x: rotateWebhookSecret(webhookID: $id) { signingSecret } }`,
      { id: webhook },
    );
    expect(x.signingSecret).not.toBe(secret);
    await deliver(work);
    const signatures = heard.map(({ headers, body }) =>
      [secret, x.signingSecret as string].findIndex((one) => {
        const key = Buffer.from(one.replace("whsec_", ""), "base64");
        const text = `${headers["webhook-id"] as string}.${headers["webhook-timestamp"] as string}.${body}`;
        return (
          headers["webhook-signature"] ===
          `v1,${createHmac("sha256", key).update(text).digest("base64")}`
        );
      }),
    );
    expect(signatures).toEqual([0, 1]);
    expect(new Set(heard.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  it("carries the webhook's own credential, headers and parameters, and cannot forge its signature by them", async () => {
    const { work } = await aMessage("with-auth", {
      auth: {
        credential: { basic: { username: "u", password: "p:w" } },
        additionalHeaders: { "X-Key": ["a", "b"], "Webhook-Signature": ["v1,forged"] },
        additionalQueryParams: { q: ["1", "2 3"] },
      },
    });
    expect((await deliver(work)).values["state"]).toBe("DELIVERED");
    const [{ headers, url }] = heard as [Heard];
    expect(headers.authorization).toBe(`Basic ${Buffer.from("u:p:w").toString("base64")}`);
    expect(headers["x-key"]).toBe("a, b");
    expect(headers["webhook-signature"]).not.toContain("forged");
    expect(url).toBe("/hook?q=1&q=2+3");
  });

  it("fetches a token by OAuth first, and what a token endpoint says wrongly is not kept", async () => {
    const oauth = { clientId: "a b", clientSecret: "s&t", url: `${base}/token` };
    const { work } = await aMessage("with-oauth", { auth: { credential: { oauth } } });
    answer = ({ url }, response) =>
      url === "/token" ? response.end('{"access_token":"the-token"}') : response.end();
    expect((await deliver(work)).values["state"]).toBe("DELIVERED");
    expect(heard[0]?.headers.authorization).toBe(
      `Basic ${Buffer.from("a%20b:s%26t").toString("base64")}`,
    );
    expect(heard[1]?.headers.authorization).toBe("Bearer the-token");
    answer = ({ url }, response) => response.end(url === "/token" ? "t0ps3cret&x" : "");
    const failed = await deliver(work);
    expect(failed.done).toBe(false);
    expect(JSON.stringify(failed)).not.toContain("t0ps3cret");
  });
});

describe("a message that is not taken", () => {
  it("is tried again with growing pauses, and given up after so many attempts", async () => {
    const { work } = await aMessage("refused");
    answer = (_request, response) => response.writeHead(503).end();
    const pauses: number[] = [];
    for (let attempts = 1; attempts < MAX_ATTEMPTS; attempts += 1) {
      const outcome = await deliver({ ...work, attempts });
      expect(outcome).toMatchObject({
        done: false,
        values: { lastStatus: 503, lastError: "the receiver answered 503" },
      });
      pauses.push(Date.parse(outcome.nextAttemptAt ?? "") - director.clock.now);
    }
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses[0]).toBe(5_000);
    expect(await deliver({ ...work, attempts: MAX_ATTEMPTS })).toMatchObject({
      done: true,
      values: { state: "FAILED" },
    });
  });

  it("because its receiver is gone for good (410) is given up at once", async () => {
    const { work } = await aMessage("gone");
    answer = (_request, response) => response.writeHead(410).end();
    expect(await deliver(work)).toMatchObject({
      done: true,
      values: { state: "FAILED", lastStatus: 410 },
    });
  });

  it("because of a redirect is tried again, and the redirect is not followed", async () => {
    const { work } = await aMessage("redirected");
    answer = (_request, response) =>
      response.writeHead(302, { location: `${base}/elsewhere` }).end();
    expect(await deliver(work)).toMatchObject({ done: false, values: { lastStatus: 302 } });
    expect(heard.map(({ url }) => url)).toEqual(["/hook"]);
  });

  it("in time is tried again, also when the answer's head came and its body does not end", async () => {
    const { work } = await aMessage("slow", { timeout: 1, retryInterval: 7 });
    answer = (_request, response) => {
      response.writeHead(200);
      response.write("x");
    };
    const outcome = await deliver(work);
    expect(outcome.done).toBe(false);
    expect(Date.parse(outcome.nextAttemptAt ?? "")).toBe(director.clock.now + 7_000);
  });

  it("because its webhook is gone is given up", async () => {
    const { work, webhook } = await aMessage("deleted");
    await tenant.admin.ask(`mutation($id: ID!) { deleteWebhook(webhookID: $id) { id } }`, {
      id: webhook,
    });
    expect(await deliver(work)).toMatchObject({ done: true, values: { state: "FAILED" } });
    expect(heard).toEqual([]);
    const rows = await storedRows(director.inside.database, tenant.id);
    expect(rows.some((row) => row.startsWith("delivery ") && row.includes(work.id))).toBe(false);
  });
});

describe("a private address", () => {
  it("is not called on a plane that many share, by address, by name or as a token endpoint", async () => {
    const { port } = server.address() as AddressInfo;
    const oauth = { clientId: "c", clientSecret: "s", url: `${base}/token` };
    const targets = [
      { url: `${base}/hook` },
      { url: `http://localhost:${port}/` },
      { url: `http://[::1]:${port}/` },
      { url: `http://2130706433:${port}/` },
      { url: "https://shop.example/hook", auth: { credential: { oauth } } },
    ];
    for (const [index, hook] of targets.entries()) {
      const { work } = await aMessage(`private-${index}`, hook);
      const outcome = await deliver(work, publicOnly);
      expect(outcome).toMatchObject({ done: false });
      expect(String(outcome.values["lastError"])).toMatch(/private address/);
    }
    expect(heard).toEqual([]);
  });
});
