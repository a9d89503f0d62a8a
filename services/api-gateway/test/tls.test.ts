/** TLS of both listeners: what is spoken, sessions, and files that change while the gateway runs. */
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import {
  createCertificateAuthority,
  createKeyPair,
  createSerial,
  issueCertificate,
  openCertificateAuthority,
} from "@sextant/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ClientCertificate, type Plane, startPlane } from "./plane.ts";

let plane: Plane;
let certificate: ClientCertificate;
beforeAll(async () => {
  plane = await startPlane();
  ({ certificate } = await plane.pair("Runtime", "tls"));
}, 90_000);
afterAll(() => plane.close(), 30_000);

const doors = () => [plane.publicURL, plane.mtlsURL];

const sessions = new WeakMap<TLSSocket, Buffer>();

/** Connects; the socket, or the error's code. */
function handshake(url: string, options: ConnectionOptions = {}): Promise<TLSSocket | string> {
  const { port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(
      { host: "127.0.0.1", port: Number(port), servername: "localhost", ca: plane.ca, ...options },
      () => resolve(socket),
    );
    socket.on("session", (session: Buffer) => sessions.set(socket, session));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function spoken(url: string, options: ConnectionOptions = {}) {
  const socket = await handshake(url, options);
  if (typeof socket === "string") return socket;
  const seen = `${socket.getProtocol()} ${socket.getCipher().name}`;
  socket.destroy();
  return seen;
}

const path = (name: string) => join(plane.keysOf("api-gateway"), name);

/** The serial number of the certificate that new connections are shown. */
async function shownSerial(url: string): Promise<string> {
  const socket = await handshake(url, { rejectUnauthorized: false });
  if (typeof socket === "string") throw new Error(socket);
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? "";
  socket.destroy();
  return serial;
}

async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await pause(100);
}

/** A server certificate of the plane's own authority, as PEM with its key. */
async function newServerCertificate(life = 3_600_000) {
  const authority = openCertificateAuthority({
    certificate: readFileSync(join(plane.keysOf("connector"), "authorities/1/cert.pem"), "utf8"),
    privateKey: createPrivateKey(
      readFileSync(join(plane.keysOf("connector"), "authorities/1/key.pem")),
    ),
  });
  const keyPair = createKeyPair();
  const made = await issueCertificate(authority, {
    profile: "server",
    subject: "O=Operator,CN=plane",
    spki: keyPair.publicKey.export({ format: "der", type: "spki" }),
    serial: createSerial(randomBytes),
    notBefore: new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000),
    notAfter: new Date(Math.floor((Date.now() + life) / 1000) * 1000),
    names: { dns: ["localhost"] },
  });
  return {
    cert: made.pem + authority.certificate.pem,
    key: keyPair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    serial: new X509Certificate(made.pem).serialNumber,
  };
}

describe("what is spoken", () => {
  it("is TLS 1.3, and TLS 1.2 with forward-secret, authenticated suites", async () => {
    for (const url of doors()) {
      expect(await spoken(url)).toMatch(/^TLSv1\.3 TLS_(?:AES_\d+_GCM|CHACHA20)/);
      expect(await spoken(url, { maxVersion: "TLSv1.2" })).toMatch(
        /^TLSv1\.2 ECDHE-ECDSA-(?:AES\d+-GCM|CHACHA20)/,
      );
    }
  });

  it.each([
    ["TLS 1.1", { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" }],
    ["TLS 1.0", { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "ALL:@SECLEVEL=0" }],
    ["CBC", { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384" }],
    ["RSA key exchange", { maxVersion: "TLSv1.2", ciphers: "AES128-GCM-SHA256:AES256-SHA" }],
    ["no authentication", { maxVersion: "TLSv1.2", ciphers: "aNULL:@SECLEVEL=0" }],
    ["a group of 112 bits", { minVersion: "TLSv1.3", ecdhCurve: "ffdhe2048" }],
    ["no encryption", { maxVersion: "TLSv1.2", ciphers: "eNULL:@SECLEVEL=0" }],
  ] as const)("is not %s", async (_, options) => {
    for (const url of doors()) {
      const seen = await spoken(url, options);
      expect(seen).toMatch(/^E[A-Z_]+|SSL|ALERT|handshake/i);
      expect(seen).not.toMatch(/^TLSv/);
    }
  });
});

describe("a session", () => {
  /** Connects and waits for a ticket. */
  async function ticket(url: string, options: ConnectionOptions = {}): Promise<Buffer> {
    const socket = await handshake(url, options);
    if (typeof socket === "string") throw new Error(socket);
    socket.write("GET /v1/ca/bundle HTTP/1.1\r\nhost: localhost\r\n\r\n");
    socket.resume();
    await until(async () => sessions.has(socket));
    socket.destroy();
    return sessions.get(socket) as Buffer;
  }
  async function resumes(url: string, options: ConnectionOptions): Promise<boolean> {
    const socket = await handshake(url, options);
    if (typeof socket === "string") throw new Error(socket);
    const reused = socket.isSessionReused();
    socket.destroy();
    return reused;
  }

  it.each(["TLSv1.2", "TLSv1.3"] as const)(
    "of %s is resumed by a gateway that was started later, at the same listener only",
    async (maxVersion) => {
      const [open, closed] = [plane.publicURL, plane.mtlsURL];
      const openSession = await ticket(open, { maxVersion });
      const closedSession = await ticket(closed, { maxVersion, ...certificate });
      await plane.restartGateway();
      expect(await resumes(open, { maxVersion, session: openSession })).toBe(true);
      expect(await resumes(closed, { maxVersion, session: closedSession, ...certificate })).toBe(
        true,
      );
      expect(await resumes(closed, { maxVersion, session: openSession })).toBe(false);
    },
  );

  it("that is resumed is still its certificate's: revoked, it is refused", async () => {
    const { certificate: other, id } = await plane.pair("Runtime", "resumed");
    const session = await ticket(plane.mtlsURL, other);
    await plane.ask(`mutation($id: ID!) { revokeCertificates(runtimeID: $id) }`, { id });
    const ask = async (): Promise<string> => {
      const socket = await handshake(plane.mtlsURL, { session, ...other });
      if (typeof socket === "string") throw new Error(socket);
      expect(socket.isSessionReused()).toBe(true);
      socket.write("GET /v1/runtime/plan HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
      let text = "";
      for await (const chunk of socket) text += String(chunk);
      return text;
    };
    await until(async () => (await ask()).startsWith("HTTP/1.1 401"));
    expect(await ask()).toContain("revoked");
  });
});

describe("an open connection", () => {
  it("of a certificate that is revoked is closed; others' stay open", async () => {
    const { certificate: mine, id } = await plane.pair("Runtime", "closed");
    const [closing, staying] = await Promise.all(
      [mine, certificate].map(async (shown) => {
        const socket = await handshake(plane.mtlsURL, shown);
        if (typeof socket === "string") throw new Error(socket);
        socket.write("GET /v1/runtime/plan HTTP/1.1\r\nhost: localhost\r\n\r\n");
        await new Promise((resolve) => socket.once("data", resolve));
        return socket;
      }),
    );
    const closed = new Promise<void>((resolve) => closing?.once("close", () => resolve()));
    await plane.ask(`mutation($id: ID!) { revokeCertificates(runtimeID: $id) }`, { id });
    await closed;
    expect(staying?.destroyed).toBe(false);
    staying?.destroy();
  });
});

describe("files that change", () => {
  it("are in use for new connections without a restart, and open ones go on", async () => {
    const old = await shownSerial(plane.publicURL);
    const open = await handshake(plane.publicURL);
    if (typeof open === "string") throw new Error(open);
    const made = await newServerCertificate();
    writeFileSync(path("tls-key.pem"), made.key);
    writeFileSync(path("tls-cert.pem"), made.cert);
    await until(async () => (await shownSerial(plane.publicURL)) === made.serial);
    expect(await shownSerial(plane.mtlsURL)).toBe(made.serial);
    expect(old).not.toBe(made.serial);
    open.write("GET /v1/ca/bundle HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const [line] = String(await new Promise((resolve) => open.once("data", resolve))).split("\r\n");
    expect(line).toBe("HTTP/1.1 200 OK");
    open.destroy();
  });

  it("that cannot be used leave the last good ones in use, and are used once they are mended", async () => {
    const good = {
      cert: readFileSync(path("tls-cert.pem")),
      key: readFileSync(path("tls-key.pem")),
    };
    const before = await shownSerial(plane.publicURL);
    const ended = await newServerCertificate(-30_000);
    const bad: readonly (readonly [string, string | Buffer])[] = [
      ["tls-cert.pem", "not a certificate"],
      ["tls-cert.pem", ""],
      ["tls-key.pem", createKeyPair().privateKey.export({ type: "pkcs8", format: "pem" })],
      ["tls-cert.pem", ended.cert],
      ["client-ca.pem", "nothing"],
      ["ticket-keys", "short"],
    ];
    for (const [name, content] of bad) {
      const was = readFileSync(path(name));
      writeFileSync(path(name), content);
      await pause(1_300);
      expect(await shownSerial(plane.publicURL)).toBe(before);
      writeFileSync(path(name), was);
    }
    const next = await newServerCertificate();
    writeFileSync(path("tls-cert.pem"), next.cert);
    writeFileSync(path("tls-key.pem"), next.key);
    await until(async () => (await shownSerial(plane.publicURL)) === next.serial);
    writeFileSync(path("tls-cert.pem"), good.cert);
    writeFileSync(path("tls-key.pem"), good.key);
    await until(async () => (await shownSerial(plane.publicURL)) === before);
  });

  it("bring authorities whose certificates are accepted, and the bundle that tells of them", async () => {
    const keyPair = createKeyPair();
    const second = (
      await createCertificateAuthority({
        keyPair,
        subject: "O=Sextant,CN=Second",
        serial: createSerial(randomBytes),
        notBefore: new Date(Math.floor(Date.now() / 1000) * 1000 - 60_000),
        notAfter: new Date(Math.floor(Date.now() / 1000) * 1000 + 86_400_000),
      })
    ).certificate.pem;
    const was = readFileSync(path("client-ca.pem"), "utf8");
    writeFileSync(path("client-ca.pem"), was + second);
    const bundle = async () => (await plane.send(`${plane.publicURL}/v1/ca/bundle`)).text;
    await until(async () => (await bundle()).includes(second.trim()));
    writeFileSync(path("client-ca.pem"), was);
    await until(async () => (await bundle()) === was);
  });
});

describe("the operator's own server certificate", () => {
  it("is shown in place of the plane's", async () => {
    const own = await newServerCertificate();
    const [cert, key] = [path("own-cert.pem"), path("own-key.pem")];
    writeFileSync(cert, own.cert);
    writeFileSync(key, own.key);
    await plane.restartGateway({ SEXTANT_TLS_CERT_FILE: cert, SEXTANT_TLS_KEY_FILE: key });
    expect(await shownSerial(plane.publicURL)).toBe(own.serial);
    expect(await shownSerial(plane.mtlsURL)).toBe(own.serial);
    await plane.restartGateway();
  });
});
