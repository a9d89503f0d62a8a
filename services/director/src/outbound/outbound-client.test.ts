import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestServer, type TestServer } from "../../test/test-server.ts";
import { createOutbound, type Outbound } from "./outbound-client.ts";

const directory = mkdtempSync(join(tmpdir(), "sextant-outbound-"));
const [keyFile, certificateFile] = [join(directory, "key.pem"), join(directory, "cert.pem")];
let secure: Server;
let plain: TestServer;
let outbound: Outbound;
let port: number;

beforeAll(async () => {
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"],
      ...["-keyout", keyFile, "-out", certificateFile],
    ],
    { stdio: "ignore" },
  );
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  secure = createServer(tls, (_request, response) => response.end("over TLS"));
  await new Promise<void>((resolve) => secure.listen(0, "localhost", resolve));
  ({ port } = secure.address() as AddressInfo);
  plain = await startTestServer();
  outbound = createOutbound({ allowPrivateTargets: true });
});
afterAll(async () => {
  await outbound.close();
  await plain.close();
  secure.closeAllConnections();
  await new Promise((resolve) => secure.close(resolve));
  rmSync(directory, { recursive: true });
});

const get = (url: string, by = outbound, maxBytes = 100) =>
  by.exchange({ method: "GET", url, headers: {}, signal: AbortSignal.timeout(5_000), maxBytes });

it("a server is spoken to over TLS only when its certificate is trusted and names it", async () => {
  await expect(get(`https://localhost:${port}/`)).rejects.toThrow(/self-signed/);
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, readFileSync(certificateFile, "utf8")]);
  const trusting = createOutbound({ allowPrivateTargets: true });
  expect((await get(`https://localhost:${port}/`, trusting)).body.toString()).toBe("over TLS");
  const elsewhere = createOutbound({
    allowPrivateTargets: true,
  });
  await expect(get(`https://127.0.0.1:${port}/`, elsewhere)).rejects.toThrow(/altnames|IP/);
  setDefaultCACertificates(before);
  await Promise.all([trusting.close(), elsewhere.close()]);
});

it("no more of an answer is read than was asked for, and a redirect is an answer like others", async () => {
  plain.answer = (_request, response) => response.end("x".repeat(1_000));
  const long = await get(`${plain.base}/`);
  expect([long.body.length, long.complete]).toEqual([100, false]);
  expect(await get(`${plain.base}/`, outbound, 1_000)).toMatchObject({ complete: true });
  plain.answer = (_request, response) => {
    response.write("x".repeat(1_000));
    setTimeout(() => response.destroy(), 50);
  };
  expect(await get(`${plain.base}/`)).toMatchObject({ complete: false });
  plain.answer = (_request, response) => response.writeHead(307, { location: "/there" }).end();
  plain.heard.length = 0;
  expect(await get(`${plain.base}/here`)).toMatchObject({ status: 307 });
  expect(plain.heard.map(({ url }) => url)).toEqual(["/here"]);
});

it("an encoding that cannot be undone, or is none, is no answer", async () => {
  for (const [coding, body] of [
    ["gzip", "no gzip"],
    ["zstd", "x"],
    ["gzip, gzip", "x"],
  ] as const) {
    plain.answer = (_request, response) =>
      response.writeHead(200, { "content-encoding": coding }).end(body);
    await expect(get(`${plain.base}/`)).rejects.toThrow(/./);
  }
});

it("a name is looked up when it is connected to, and only the addresses that were checked are used", async () => {
  const answers = [["93.184.216.34", "10.0.0.1"], ["127.0.0.1"], ["fd00::1"], []];
  let looked = 0;
  const careful = createOutbound({
    allowPrivateTargets: false,
    lookup: (_host, _options, callback) => {
      const found = answers[looked % answers.length] ?? [];
      looked += 1;
      callback(
        null,
        found.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })),
      );
    },
  });
  plain.heard.length = 0;
  for (const expected of [/private/, /private/, /private/, /./])
    await expect(get(`http://rebinding.example:${plain.port}/`, careful)).rejects.toThrow(expected);
  expect(looked).toBe(4);
  expect(plain.heard).toEqual([]);
  await careful.close();
});
