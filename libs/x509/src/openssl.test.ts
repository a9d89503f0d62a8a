import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createCertificateAuthority,
  createKeyPair,
  issueCertificate,
  type CertificateAuthority,
} from "./authority.ts";
import { createSerial } from "./builder.ts";
import { createCertificateRequest, parseCertificateRequest } from "./request.ts";

const directory = mkdtempSync(join(tmpdir(), "sextant-x509-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const file = (name: string, content?: string): string => {
  const path = join(directory, name);
  if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
  return path;
};
const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

const notBefore = new Date(Date.now() - 60_000);
const after = (days: number): Date => new Date(notBefore.getTime() + days * 86_400_000);
const subject = "O=Sextant,OU=Tenant One,L=Town,ST=State,C=DE,CN=3f0c77aa";
let root: CertificateAuthority;
let intermediate: CertificateAuthority;

beforeAll(async () => {
  const base = { notBefore, serial: createSerial(randomBytes) };
  root = await createCertificateAuthority({
    ...base,
    keyPair: createKeyPair(),
    subject: "O=Sextant,CN=Root",
    notAfter: after(3_650),
  });
  intermediate = await createCertificateAuthority({
    notBefore,
    serial: createSerial(randomBytes),
    keyPair: createKeyPair(),
    parent: root,
    subject: "O=Sextant,CN=Intermediate",
    notAfter: after(1_825),
  });
  file("root.pem", root.certificate.pem);
  file("intermediate.pem", intermediate.certificate.pem);
});

const KEYS: readonly (readonly [string, readonly string[]])[] = [
  ["RSA-2048", ["-newkey", "rsa:2048"]],
  ["P-256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
  ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
  ["Ed25519", ["-newkey", "ed25519"]],
];

describe("openssl", () => {
  it.each(KEYS)(
    "makes a request with a %s key, which becomes a certificate that it verifies",
    async (kind, options) => {
      const slashes = `/${subject.replaceAll(",", "/")}`;
      const pem = openssl(
        "req",
        "-new",
        "-nodes",
        ...options,
        "-keyout",
        file(`${kind}.key`),
        "-subj",
        slashes,
      );
      const request = parseCertificateRequest(pem);
      expect(request.subject).toBe(subject);
      const certificate = await issueCertificate(intermediate, {
        profile: "client",
        subject: request.subject,
        spki: request.spki,
        serial: createSerial(randomBytes),
        notBefore,
        notAfter: after(90),
        names: { uri: ["sextant://t1/application/3f0c77aa"] },
        crlUrl: "https://localhost:8443/v1/ca/crl",
      });
      const path = file(`${kind}.pem`, certificate.pem);
      const chain = ["-CAfile", file("root.pem"), "-untrusted", file("intermediate.pem")];
      expect(openssl("verify", "-x509_strict", "-purpose", "sslclient", ...chain, path)).toContain(
        "OK",
      );
      expect(() =>
        openssl("verify", "-x509_strict", "-purpose", "sslserver", ...chain, path),
      ).toThrow("Command failed");
      expect(
        openssl("x509", "-in", path, "-noout", "-subject", "-nameopt", "sep_comma_plus,utf8"),
      ).toContain(subject);
      expect(
        openssl("x509", "-in", path, "-noout", "-ext", "subjectAltName,crlDistributionPoints"),
      ).toMatch(
        /URI:sextant:\/\/t1\/application\/3f0c77aa[^]*URI:https:\/\/localhost:8443\/v1\/ca\/crl/,
      );
    },
  );

  it("verifies a server certificate for its host names and addresses alone", async () => {
    const certificate = await issueCertificate(intermediate, {
      profile: "server",
      subject: "O=Sextant,CN=localhost",
      spki: createKeyPair().publicKey.export({ format: "der", type: "spki" }),
      serial: createSerial(randomBytes),
      notBefore,
      notAfter: after(396),
      names: { dns: ["localhost"], ip: ["127.0.0.1", "2001:db8::1:0:0:1"] },
    });
    const path = file("server.pem", certificate.pem);
    const verify = (...options: string[]) =>
      openssl(
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        ...options,
        "-CAfile",
        file("root.pem"),
        "-untrusted",
        file("intermediate.pem"),
        path,
      );
    expect(verify("-verify_hostname", "localhost")).toContain("OK");
    expect(verify("-verify_ip", "127.0.0.1")).toContain("OK");
    expect(verify("-verify_ip", "2001:db8::1:0:0:1")).toContain("OK");
    expect(() => verify("-verify_hostname", "other")).toThrow("Command failed");
  });

  it("sees critical constraints and usages on the authorities", () => {
    const text = openssl("x509", "-in", file("intermediate.pem"), "-noout", "-text");
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toContain("ecdsa-with-SHA256");
    expect(
      openssl("verify", "-x509_strict", "-CAfile", file("root.pem"), file("intermediate.pem")),
    ).toContain("OK");
  });

  it("reads and verifies the requests that are made here", () => {
    const path = file(
      "request.pem",
      createCertificateRequest({ subject, keyPair: createKeyPair() }),
    );
    expect(
      openssl(
        "req",
        "-in",
        path,
        "-noout",
        "-verify",
        "-subject",
        "-nameopt",
        "sep_comma_plus,utf8",
      ),
    ).toContain(subject);
  });
});
