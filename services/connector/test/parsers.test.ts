/** Independent parsers see in every certificate what the Connector has recorded: OpenSSL's program, node:crypto, and GnuTLS where it is installed. */
import { execFile, spawnSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createKeyPair, writePem } from "@sextant/x509";
import { afterAll, beforeAll, expect, it } from "vitest";
import { subjectOf } from "../src/signing/subject.ts";
import { CONFIGURATION, requestFor, SIGN, startConnector, type TestConnector } from "./given.ts";

const COUNT = process.env["SEXTANT_TEST_FULL"] === "1" ? 1_000 : 40;
const run = promisify(execFile);
const hasCerttool = spawnSync("certtool", ["--version"], { stdio: "ignore" }).error === undefined;
const directory = mkdtempSync(join(tmpdir(), "sextant-parsers-"));

type Issued = {
  readonly file: string;
  readonly type: "APPLICATION" | "RUNTIME";
  readonly id: string;
  readonly x509: X509Certificate;
  readonly serialNumber: string;
  readonly fingerprint: string;
};
let connector: TestConnector;
let tenant: Awaited<ReturnType<TestConnector["tenant"]>>;
const issued: Issued[] = [];

const keys = [
  () => createKeyPair(),
  () => generateKeyPairSync("ec", { namedCurve: "P-384" }),
  () => generateKeyPairSync("ed25519"),
];

async function issue(nr: number): Promise<void> {
  const type = nr % 3 === 0 ? "APPLICATION" : "RUNTIME";
  const id = await tenant.holder(type);
  const pairing = await connector.withToken(await tenant.issue(type, id));
  const { configuration } = await pairing.ask(CONFIGURATION);
  const signing = await connector.withToken(configuration.token.token);
  // Keys of RSA take long to be made: one in ten, and two large ones.
  const modulusLength = { 10: 3_072, 20: 4_096 }[nr] ?? 2_048;
  const keyPair =
    nr % 10 === 0
      ? generateKeyPairSync("rsa", { modulusLength })
      : (keys[nr % keys.length] as (typeof keys)[0])();
  const { x } = await signing.ask(SIGN, requestFor(type, id, keyPair));
  const pem = Buffer.from(x.clientCertificate as string, "base64").toString();
  const file = join(directory, `${nr}.pem`);
  writeFileSync(file, pem);
  const kind = type === "APPLICATION" ? "applicationID" : "runtimeID";
  const { certificates } = await tenant.admin.ask(
    `query($id: ID!) { certificates(filter: { ${kind}: $id }) { data { serialNumber fingerprint } } }`,
    { id },
  );
  const [record] = certificates.data as Pick<Issued, "serialNumber" | "fingerprint">[];
  if (record === undefined) throw new Error("no record");
  issued.push({ file, type, id, x509: new X509Certificate(pem), ...record });
}

beforeAll(async () => {
  connector = await startConnector();
  tenant = await connector.tenant();
  for (let nr = 0; nr < COUNT; nr += 8)
    await Promise.all(
      Array.from({ length: Math.min(8, COUNT - nr) }, (_, place) => issue(nr + place)),
    );
  const { certificate, root } = connector.context.authorities.current();
  writeFileSync(join(directory, "root.pem"), root);
  writeFileSync(join(directory, "above.pem"), certificate.pem);
  writeFileSync(join(directory, "both.pem"), certificate.pem + root);
}, 900_000);
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await connector?.close();
});

const uriOf = ({ type, id }: Issued): string =>
  `sextant://${tenant.id}/${type.toLowerCase()}/${id}`;
const each = async (check: (one: Issued) => Promise<void>): Promise<void> => {
  const left = [...issued];
  const work = async (): Promise<void> => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) await check(one);
  };
  await Promise.all([work(), work(), work(), work()]);
};

it("node:crypto sees the record's number, fingerprint, subject and name, and the issuer's signature", () => {
  expect(issued).toHaveLength(COUNT);
  const authority = connector.context.authorities.current();
  for (const one of issued) {
    const { x509, serialNumber, fingerprint } = one;
    expect(x509.serialNumber.toLowerCase()).toBe(serialNumber);
    expect(x509.fingerprint256.replaceAll(":", "").toLowerCase()).toBe(fingerprint);
    expect(x509.subject).toBe(subjectOf(one.type, one.id).replaceAll(",", "\n"));
    expect(x509.subjectAltName).toBe(`URI:${uriOf(one)}`);
    expect(x509.verify(authority.publicKey)).toBe(true);
  }
  expect(new Set(issued.map(({ serialNumber }) => serialNumber)).size).toBe(COUNT);
});

it(
  "openssl sees the same, and accepts each as a client's by its strict rules",
  { timeout: 900_000 },
  () =>
    each(async (one) => {
      const chain = [
        "-CAfile",
        join(directory, "root.pem"),
        "-untrusted",
        join(directory, "above.pem"),
      ];
      const rules = ["-x509_strict", "-purpose", "sslclient"];
      const { stdout: verified } = await run("openssl", ["verify", ...rules, ...chain, one.file]);
      expect(verified).toContain("OK");
      const { stdout: text } = await run("openssl", [
        ...["x509", "-in", one.file, "-noout", "-serial", "-subject", "-enddate", "-fingerprint"],
        ...[
          "-sha256",
          "-nameopt",
          "sep_comma_plus,utf8",
          "-ext",
          "subjectAltName,extendedKeyUsage",
        ],
      ]);
      expect(text.toLowerCase()).toContain(`serial=${one.serialNumber}`);
      expect(text).toContain(`subject=${subjectOf(one.type, one.id)}`);
      expect(text).toContain(`URI:${uriOf(one)}`);
      expect(text).toContain("TLS Web Client Authentication");
      expect(text.replaceAll(":", "").toLowerCase()).toContain(one.fingerprint);
      const [, end = ""] = /notAfter=(.*)/.exec(text) ?? [];
      expect(new Date(end)).toEqual(one.x509.validToDate);
    }),
);

it.skipIf(!hasCerttool)(
  "GnuTLS (skipped where certtool is not installed) sees the same, and verifies each and the revocation list",
  { timeout: 900_000 },
  async () => {
    await each(async (one) => {
      const { stdout: text } = await run("certtool", ["--certificate-info", "--infile", one.file]);
      expect(text.toLowerCase()).toContain(`serial number (hex): ${one.serialNumber}`);
      expect(text).toContain(`URI: ${uriOf(one)}`);
      expect(text).toContain("TLS WWW Client");
      const { stdout: verified } = await run("certtool", [
        ...["--verify", "--verify-purpose", "1.3.6.1.5.5.7.3.2"],
        ...["--load-ca-certificate", join(directory, "both.pem"), "--infile", one.file],
      ]);
      expect(verified).toContain("Verified. The certificate is trusted");
    });
    const [first] = issued;
    await tenant.admin.ask(`mutation($s: [String!]) { revokeCertificates(serialNumbers: $s) }`, {
      s: [first?.serialNumber],
    });
    const { der } = await connector.revocationLists.list();
    const file = join(directory, "list.pem");
    writeFileSync(file, writePem("X509 CRL", der));
    const { stdout: text } = await run("certtool", ["--crl-info", "--infile", file]);
    expect(text.toLowerCase()).toContain(`serial number (hex): ${first?.serialNumber}`);
    const { stdout: verified } = await run("certtool", [
      ...["--verify-crl", "--load-ca-certificate", join(directory, "above.pem")],
      ...["--infile", file],
    ]);
    expect(verified).toMatch(/Verification output: Verified/);
  },
);
