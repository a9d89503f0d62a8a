import { generateKeyPairSync, randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createCertificateAuthority, createKeyPair, issueCertificate } from "./authority.ts";
import { createSerial } from "./builder.ts";
import { createRevocationList } from "./revocation-list.ts";
import { certificateFaults, type Expected } from "./validate.ts";

const notBefore = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-02-01T00:00:00Z");
const span = { notBefore, notAfter: new Date("2030-01-01T00:00:00Z") };
const newAuthority = (keyPair = createKeyPair(), subject = "O=Sextant,CN=Authority") =>
  createCertificateAuthority({ keyPair, subject, serial: createSerial(randomBytes), ...span });

const authority = await newAuthority();
const holder = createKeyPair();
const serial = createSerial(randomBytes);
const uri = "sextant://t/runtime/r";
const subject = "O=Sextant,OU=Runtimes,L=Plane,ST=Plane,C=ZZ,CN=r";
const template = {
  profile: "client",
  subject,
  spki: holder.publicKey.export({ format: "der", type: "spki" }),
  names: { uri: [uri] },
  ...{ serial, notBefore, notAfter },
} as const;
const certificate = await issueCertificate(authority, template);
const expected: Expected = {
  profile: "client",
  authority,
  publicKey: holder.publicKey,
  ...{ subject, uri, notBefore, notAfter },
  serial: serial.toString("hex"),
};

it("finds nothing in a certificate that is what was asked for", () => {
  expect(certificateFaults(certificate, expected)).toEqual([]);
});

const later = new Date("2026-03-01T00:00:00Z");
it.each<[string, Partial<Expected>]>([
  ["public key", { publicKey: createKeyPair().publicKey }],
  ["subject", { subject: subject.replace("CN=r", "CN=s") }],
  ["names", { uri: "sextant://t/runtime/s" }],
  ["serial number", { serial: "4".repeat(32) }],
  ["begin", { notBefore: later }],
  ["end", { notAfter: later }],
  ["extended key usage", { profile: "server" }],
  ["basic constraints", { profile: "intermediate" }],
  ["issuer", { authority: await newAuthority(createKeyPair(), "CN=Other") }],
  ["signature", { authority: await newAuthority() }],
])("finds another %s", (what, change) => {
  const faults = certificateFaults(certificate, { ...expected, ...change });
  expect(faults).toContain(`${what} is not what was asked for`);
});

it("an authority signs with each kind of key that is accepted, certificates and revocation lists", async () => {
  const keys = [
    generateKeyPairSync("rsa", { modulusLength: 2_048 }),
    generateKeyPairSync("ec", { namedCurve: "P-384" }),
    generateKeyPairSync("ed25519"),
  ];
  for (const keyPair of keys) {
    const own = await newAuthority(keyPair);
    const issued = await issueCertificate(own, template);
    expect(certificateFaults(issued, { ...expected, authority: own })).toEqual([]);
    const list = { number: 1n, thisUpdate: notBefore, nextUpdate: notAfter, revoked: [] };
    expect((await createRevocationList(own, list)).length).toBeGreaterThan(100);
  }
  await expect(newAuthority(generateKeyPairSync("ec", { namedCurve: "P-521" }))).rejects.toThrow(
    "a certificate authority's key is",
  );
  await expect(newAuthority(generateKeyPairSync("rsa", { modulusLength: 1_024 }))).rejects.toThrow(
    "a certificate authority's key is",
  );
});

it("a revocation list whose signature is another key's is not given out", async () => {
  const other = await newAuthority();
  const mixed = { ...authority, signer: other.signer };
  const list = { number: 1n, thisUpdate: notBefore, nextUpdate: notAfter, revoked: [] };
  await expect(createRevocationList(mixed, list)).rejects.toThrow("does not belong to its issuer");
});
