import { execFileSync, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPlane } from "./plane.ts";

let plane: Awaited<ReturnType<typeof startPlane>>;
const directory = mkdtempSync(join(tmpdir(), "sextant-list-"));
const file = (name: string): string => join(directory, name);
beforeAll(async () => {
  plane = await startPlane();
  writeFileSync(file("root.pem"), plane.ca);
}, 120_000);
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await plane?.close();
});

type Answer = {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
};
const get = (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const call = request(`${plane.publicURL}${path}`, { ca: plane.ca, headers }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on("data", (chunk: Buffer) => chunks.push(chunk));
      reply.on("end", () =>
        resolve({
          status: reply.statusCode ?? 0,
          headers: reply.headers,
          body: Buffer.concat(chunks),
        }),
      );
    });
    call.on("error", reject);
    call.end();
  });

/** What openssl says of a certificate by the list that is published now. */
async function checked(certificate: string): Promise<string> {
  const { body } = await get("/v1/ca/crl");
  const [leaf = "", issuer = ""] = certificate.split(/(?<=-----END CERTIFICATE-----\n)/);
  writeFileSync(file("leaf.pem"), leaf);
  writeFileSync(file("issuer.pem"), issuer);
  writeFileSync(file("list.der"), body);
  const from = ["-inform", "DER", "-in", file("list.der")];
  execFileSync("openssl", ["crl", ...from, "-out", file("list.pem")]);
  const words = ["-CAfile", file("root.pem"), "-untrusted", file("issuer.pem"), file("leaf.pem")];
  const by = ["-crl_check", "-CRLfile", file("list.pem")];
  const { stdout, stderr } = spawnSync("openssl", ["verify", ...by, ...words]);
  return `${stdout.toString()}${stderr.toString()}`;
}

it("is served without a credential, and openssl finds in it what was revoked a second ago", async () => {
  const { certificate } = await plane.pair("Runtime", `listed-${randomUUID()}`);
  expect(await checked(certificate.cert)).toContain("OK");
  await plane.graph("mutation { revokeCertificate }", {}, { certificate });
  await expect
    .poll(() => checked(certificate.cert), { timeout: 3_000 })
    .toContain("certificate revoked");
});

it("is the same until something is revoked, and need not be sent again", async () => {
  const first = await get("/v1/ca/crl");
  expect(first).toMatchObject({
    status: 200,
    headers: { "content-type": "application/pkix-crl", "cache-control": "public, max-age=60" },
  });
  const etag = String(first.headers["etag"]);
  const again = await get("/v1/ca/crl", { "if-none-match": etag });
  expect([again.status, again.body.length, again.headers["etag"]]).toEqual([304, 0, etag]);
  const { certificate } = await plane.pair("Runtime", `tagged-${randomUUID()}`);
  await plane.graph("mutation { revokeCertificate }", {}, { certificate });
  await expect
    .poll(async () => (await get("/v1/ca/crl", { "if-none-match": etag })).status, {
      timeout: 3_000,
    })
    .toBe(200);
});

it("is that of the issuer that is named, which certificates do", async () => {
  const { certificate } = await plane.pair("Runtime", `pointed-${randomUUID()}`);
  writeFileSync(file("pointed.pem"), certificate.cert);
  const text = execFileSync("openssl", ["x509", "-in", file("pointed.pem"), "-noout", "-text"]);
  const [, path = ""] = /URI:https:\/\/[^/]+(\/v1\/ca\/crl\?issuer=\S+)/.exec(String(text)) ?? [];
  const keyId = Buffer.from(path.split("=")[1] ?? "", "hex");
  expect(keyId).toHaveLength(20);
  for (const { body } of [await get(path), await get("/v1/ca/crl")])
    expect(body.includes(keyId)).toBe(true);
  expect((await get(`/v1/ca/crl?issuer=${"0".repeat(40)}`)).status).toBe(404);
  expect((await get("/v1/ca/crl?issuer=x")).status).toBe(400);
});

it("is served on while the Connector is away", async () => {
  const { status, body } = await get("/v1/ca/crl");
  expect(status).toBe(200);
  const { certificate } = await plane.pair("Runtime", `away-${randomUUID()}`);
  await plane.graph("mutation { revokeCertificate }", {}, { certificate });
  await plane.services.connector.end();
  const kept = await get("/v1/ca/crl");
  expect(kept.status).toBe(200);
  expect(kept.body.length).toBeGreaterThanOrEqual(body.length);
  await plane.services.connector.start();
});
