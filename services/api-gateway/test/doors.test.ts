/** What the doors do with connections and replies, whoever is behind them. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect } from "node:tls";
import { brotliDecompressSync } from "node:zlib";
import { Agent, request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClientCertificate, type Plane, startPlane } from "./plane.ts";

let plane: Plane;
let paired: { readonly id: string; readonly certificate: ClientCertificate };
beforeAll(async () => {
  plane = await startPlane();
  paired = await plane.pair("Runtime", "behind");
}, 90_000);
afterAll(() => plane.close(), 30_000);

const viewer = "{ viewer { id type } }";
const origin = "https://admin.example.com";

/** The addresses from which an action was carried out, of all that the audit log has. */
async function addressesOf(action: string): Promise<readonly string[]> {
  const { log } = await plane.ask(
    `query($action: String!) { log: auditEntries(filter: { action: $action }, first: 200) { data { address } } }`,
    { action },
  );
  return (log.data as { address: string }[]).map(({ address }) => address);
}

describe("behind a proxy that passes TLS on", () => {
  /** Sends bytes first, then TLS, and asks who the caller is. */
  function through(header: string | Buffer, split = false): Promise<string> {
    const { port } = new URL(plane.publicURL);
    return new Promise((resolve) => {
      const socket: Socket = connectPlain({ host: "127.0.0.1", port: Number(port), noDelay: true });
      socket.on("error", () => resolve("closed"));
      socket.on("close", () => resolve("closed"));
      const bytes = Buffer.from(header as string, "latin1");
      const speak = (): void => {
        const tls = connect({ socket, servername: "localhost", ca: plane.ca });
        tls.on("error", () => resolve("closed"));
        const body = JSON.stringify({
          query: `mutation { registerApplication(in: { name: "p-${createHash("sha1").update(bytes).digest("hex")}${split}" }) { id } }`,
        });
        tls.write(
          `POST /graphql HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: Bearer ${plane.adminToken}\r\nx-forwarded-for: 192.0.2.66\r\nx-client-address: 192.0.2.77\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
        let text = "";
        tls.on("data", (chunk: Buffer) => (text += chunk.toString()));
        tls.on("end", () => resolve(text === "" ? "closed" : text));
      };
      if (!split) {
        socket.write(bytes);
        speak();
        return;
      }
      socket.write(bytes.subarray(0, 9));
      setTimeout(() => {
        socket.write(bytes.subarray(9));
        speak();
      }, 50);
    });
  }
  const line = "PROXY TCP4 203.0.113.9 10.0.0.1 50000 8443\r\n";
  const binary = Buffer.concat([
    Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    Buffer.from([0x21, 0x11, 0, 12, 203, 0, 113, 10, 10, 0, 0, 1, 0x1f, 0x90, 1, 0xbb]),
  ]);

  it("the client is who the header of the PROXY protocol names, whatever HTTP says", async () => {
    await plane.restartGateway({
      SEXTANT_PROXY_PROTOCOL: "on",
      SEXTANT_TRUSTED_PROXIES: "127.0.0.1",
    });
    for (const [header, split] of [
      [line, false],
      [binary.toString("latin1"), false],
      [line, true],
    ] as const) {
      expect(await through(header, split)).toContain("HTTP/1.1 200 OK");
    }
    expect(await through("PROXY UNKNOWN\r\n")).toContain("HTTP/1.1 200 OK");
    for (const wrong of ["", "PROXY TCP4 nonsense\r\n", "GET / HTTP/1.1\r\n\r\n"])
      expect(await through(wrong)).toBe("closed");
    await plane.restartGateway({});
    expect((await addressesOf("registerApplication")).toSorted()).toEqual([
      "127.0.0.1",
      "203.0.113.10",
      "203.0.113.9",
      "203.0.113.9",
    ]);
  });

  it("nobody comes in who is not that proxy", async () => {
    await plane.restartGateway({
      SEXTANT_PROXY_PROTOCOL: "on",
      SEXTANT_TRUSTED_PROXIES: "10.0.0.0/8",
    });
    expect(await through(line)).toBe("closed");
    await plane.restartGateway({});
  });
});

describe("behind a proxy that ends TLS", () => {
  const asRuntime = (headers: Record<string, string>) =>
    plane.graph(viewer, {}, { door: "mtls", headers });
  const pem = () => paired.certificate.cert.split(/(?<=-----END CERTIFICATE-----\n)/)[0] ?? "";
  const der = () => pem().replaceAll(/-----[A-Z ]+-----|\s/g, "");

  it.each([
    ["client-cert", () => `:${der()}:`],
    ["x-ssl-client-cert", () => encodeURIComponent(pem())],
    [
      "x-forwarded-client-cert",
      () => `By=spiffe://x;Cert="evil",Hash=00;Cert="${encodeURIComponent(pem())}";URI=x`,
    ],
  ] as const)("a client is who the header %s shows", async (header, value) => {
    await plane.restartGateway({
      SEXTANT_CLIENT_CERT_HEADER: header,
      SEXTANT_TRUSTED_PROXIES: "127.0.0.0/8",
    });
    const answer = await asRuntime({ [header]: value() });
    expect(answer.json.data.viewer).toEqual({ id: paired.id, type: "RUNTIME" });
    for (const wrong of ["", "nonsense", value().slice(0, 200)])
      expect((await asRuntime({ [header]: wrong })).status).toBe(401);
    // The proxy's own certificate is not its client's.
    const own = await plane.graph(viewer, {}, { door: "mtls", certificate: paired.certificate });
    expect(own.status).toBe(401);
    await plane.restartGateway({});
  });

  it("the header of anybody else counts for nothing", async () => {
    await plane.restartGateway({
      SEXTANT_CLIENT_CERT_HEADER: "client-cert",
      SEXTANT_TRUSTED_PROXIES: "10.0.0.0/8",
    });
    expect((await asRuntime({ "client-cert": `:${der()}:` })).status).toBe(401);
    await plane.restartGateway({});
    expect((await asRuntime({ "client-cert": `:${der()}:` })).status).toBe(401);
  });

  it("the client's address is what the proxy adds to X-Forwarded-For", async () => {
    await plane.restartGateway({ SEXTANT_TRUSTED_PROXIES: "127.0.0.0/8" });
    const headers = { "x-forwarded-for": "192.0.2.1, 198.51.100.7" };
    await plane.ask(`mutation { registerRuntime(in: { name: "forwarded" }) { id } }`, {}, headers);
    const told = async () =>
      (await addressesOf("registerRuntime")).filter((address) => address !== "127.0.0.1");
    expect(await told()).toEqual(["198.51.100.7"]);
    await plane.restartGateway({});
    await plane.ask(`mutation { registerRuntime(in: { name: "direct" }) { id } }`, {}, headers);
    expect(await told()).toEqual(["198.51.100.7"]);
  });
});

describe("a reply", () => {
  it("above the threshold is compressed for who can read that", async () => {
    await plane.restartGateway({ SEXTANT_COMPRESSION_THRESHOLD: "1000" });
    const many = `{ ${Array.from({ length: 40 }, (_, at) => `a${at}: viewer { id type }`).join(" ")} }`;
    const headers = {
      authorization: `Bearer ${plane.adminToken}`,
      "content-type": "application/json",
    };
    const get = (accepted: string, query: string) =>
      new Promise<{ readonly coding: string | undefined; readonly body: Buffer }>(
        (resolve, reject) => {
          const call = request(
            `${plane.publicURL}/graphql`,
            {
              method: "POST",
              ca: plane.ca,
              agent: new Agent(),
              headers: { ...headers, "accept-encoding": accepted },
            },
            (reply) => {
              const chunks: Buffer[] = [];
              reply.on("data", (chunk: Buffer) => chunks.push(chunk));
              reply.on("end", () =>
                resolve({ coding: reply.headers["content-encoding"], body: Buffer.concat(chunks) }),
              );
            },
          );
          call.on("error", reject);
          call.end(JSON.stringify({ query }));
        },
      );
    const plain = await get("identity", many);
    const packed = await get("br", many);
    expect([plain.coding, packed.coding]).toEqual([undefined, "br"]);
    expect(brotliDecompressSync(packed.body).equals(plain.body)).toBe(true);
    expect(packed.body.length).toBeLessThan(plain.body.length / 4);
    expect((await get("br", viewer)).coding).toBeUndefined();
    await plane.restartGateway({});
  });

  it("may be kept by nobody and is taken for nothing else than it is", async () => {
    const { headers } = await plane.admin(viewer);
    expect(headers).toMatchObject({
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  it("may be read by a page of an origin that the operator named, and of no other", async () => {
    const page = { origin, authorization: `Bearer ${plane.adminToken}` };
    expect(
      (await plane.admin(viewer, {}, page)).headers["access-control-allow-origin"],
    ).toBeUndefined();
    await plane.restartGateway({ SEXTANT_CORS_ORIGINS: origin });
    const asked = await plane.send(`${plane.publicURL}/graphql`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST" },
    });
    expect([asked.status, asked.headers["access-control-allow-origin"]]).toEqual([204, origin]);
    const { headers } = await plane.admin(viewer, {}, page);
    expect(headers["access-control-allow-origin"]).toBe(origin);
    const other = await plane.admin(viewer, {}, { ...page, origin: "https://evil.example.com" });
    expect(other.headers["access-control-allow-origin"]).toBeUndefined();
    await plane.restartGateway({});
  });
});

describe("connections", () => {
  const opened = async (): Promise<Socket | undefined> => {
    const { port } = new URL(plane.publicURL);
    const socket = connectPlain({ host: "127.0.0.1", port: Number(port) });
    socket.on("error", () => undefined);
    await once(socket, "connect");
    const isOpen = await new Promise<boolean>((resolve) => {
      const tls = connect({ socket, servername: "localhost", ca: plane.ca }, () => resolve(true));
      tls.on("error", () => resolve(false));
      tls.on("close", () => resolve(false));
    });
    return isOpen ? socket : undefined;
  };

  it("of one address are at most as many as the operator allows, and one that ends makes room", async () => {
    await plane.restartGateway({ SEXTANT_CONNECTIONS_ADDRESS: "2" });
    const [first, second, third] = [await opened(), await opened(), await opened()];
    expect([first, second, third].map((socket) => socket !== undefined)).toEqual([
      true,
      true,
      false,
    ]);
    first?.destroy();
    for (;;) {
      const again = await opened();
      if (again === undefined) continue;
      again.destroy();
      break;
    }
    second?.destroy();
    await plane.restartGateway({});
  });

  it("come no faster than the operator allows", async () => {
    await plane.restartGateway({ SEXTANT_RATE_CONNECTION: "address=0.001/3" });
    const sockets = [await opened(), await opened(), await opened(), await opened()];
    expect(sockets.map((socket) => socket !== undefined)).toEqual([true, true, true, false]);
    for (const socket of sockets) socket?.destroy();
    await plane.restartGateway({});
  });

  it("that send too long a head are told so", async () => {
    const answer = await plane.send(`${plane.publicURL}/v1/ca/bundle`, {
      headers: { "x-long": "x".repeat(20_000) },
    });
    expect(answer.status).toBe(431);
  });
});
