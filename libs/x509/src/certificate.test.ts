import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import {
  createCertificateAuthority,
  createKeyPair,
  issueCertificate,
  openCertificateAuthority,
} from "./authority.ts";
import { buildCertificate, createSerial, type CertificateTemplate } from "./builder.ts";
import { readCertificate, readCertificateChain, signCertificate, spkiPin } from "./certificate.ts";
import { formatClientUri, parseClientUri } from "./client-uri.ts";
import { lintCertificate } from "./lint.ts";

const notBefore = new Date("2026-01-01T00:00:00Z");
const after = (days: number): Date => new Date(notBefore.getTime() + days * 86_400_000 - 1_000);
const serial = (): Buffer => createSerial(randomBytes);
const spki = (): Buffer => createKeyPair().publicKey.export({ format: "der", type: "spki" });

const rootKeys = createKeyPair();
const root = await createCertificateAuthority({
  keyPair: rootKeys,
  subject: "O=Sextant,CN=Root",
  serial: serial(),
  notBefore,
  notAfter: after(3_650),
});
const intermediateKeys = createKeyPair();
const intermediate = await createCertificateAuthority({
  keyPair: intermediateKeys,
  parent: root,
  subject: "O=Sextant,CN=Intermediate",
  serial: serial(),
  notBefore,
  notAfter: after(1_825),
});
const client: Omit<CertificateTemplate, "issuer"> = {
  profile: "client",
  subject: "O=Org,OU=Tenant,CN=a1",
  spki: spki(),
  serial: serial(),
  notBefore,
  notAfter: after(90),
  names: { uri: ["sextant://t1/application/a1"] },
};
const lint = (change: Partial<CertificateTemplate>): string[] => {
  const template = { ...client, issuer: intermediate.issuer, ...change };
  return lintCertificate(buildCertificate(template), {
    profile: client.profile,
    issuer: intermediate.issuer,
  });
};

describe("an issued certificate", () => {
  it("is signed by its issuer, says whose it is, and reads back as it was asked for", async () => {
    const certificate = await issueCertificate(intermediate, client);
    expect(certificate.x509.verify(intermediate.certificate.publicKey)).toBe(true);
    expect(certificate.x509.checkIssued(intermediate.certificate.x509)).toBe(true);
    expect(certificate).toMatchObject({
      subject: client.subject,
      names: { dns: [], ip: [], uri: ["sextant://t1/application/a1"] },
      serial: client.serial.toString("hex"),
      notBefore,
      notAfter: client.notAfter,
    });
    expect(certificate.serial).toBe(certificate.x509.serialNumber.toLowerCase());
    expect(certificate.fingerprint).toBe(
      certificate.x509.fingerprint256.replaceAll(":", "").toLowerCase(),
    );
    expect(readCertificate(certificate.pem).der.equals(certificate.der)).toBe(true);
  });

  it("of a leaf profile is no authority, and one of an authority profile is", async () => {
    const leaf = await issueCertificate(intermediate, client);
    expect([leaf.x509.ca, intermediate.certificate.x509.ca, root.certificate.x509.ca]).toEqual([
      false,
      true,
      true,
    ]);
    expect(() =>
      openCertificateAuthority({ certificate: leaf.pem, privateKey: intermediateKeys.privateKey }),
    ).toThrow("does not belong");
  });

  it("matches the host names of its server profile and no others", async () => {
    const names = {
      dns: ["plane.example.com", "*.apps.example.com"],
      ip: ["127.0.0.1", "::1", "::ffff:10.0.0.1"],
    };
    const { x509 } = await issueCertificate(intermediate, { ...client, profile: "server", names });
    expect(x509.checkHost("plane.example.com")).toBe("plane.example.com");
    expect(x509.checkHost("a.apps.example.com")).toBe("*.apps.example.com");
    expect(x509.checkHost("example.com")).toBeUndefined();
    expect(x509.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(x509.checkIP("::1")).toBe("::1");
    expect(x509.subjectAltName).toContain("IP Address:0:0:0:0:0:FFFF:A00:1");
    expect(x509.checkIP("127.0.0.2")).toBeUndefined();
  });

  it("carries RSA and Ed25519 keys through unchanged", async () => {
    for (const keys of [
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
      generateKeyPairSync("ed25519"),
    ]) {
      const key = keys.publicKey.export({ format: "der", type: "spki" });
      const certificate = await issueCertificate(intermediate, { ...client, spki: key });
      expect(certificate.spki.equals(key)).toBe(true);
      expect(certificate.x509.checkPrivateKey(keys.privateKey)).toBe(true);
    }
  });

  it("has the pin that the key alone decides", async () => {
    const renewed = await createCertificateAuthority({
      keyPair: rootKeys,
      subject: "O=Sextant,CN=Root 2",
      serial: serial(),
      notBefore,
      notAfter: after(3_650),
    });
    expect(spkiPin(renewed.certificate)).toBe(spkiPin(root.certificate.x509));
    expect(spkiPin(root.certificate)).not.toBe(spkiPin(intermediate.certificate));
    expect(spkiPin(root.certificate)).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });

  it("of a chain is read in the chain's order", () => {
    const chain = readCertificateChain(intermediate.certificate.pem + root.certificate.pem);
    expect(chain.map(({ subject }) => subject)).toEqual([
      "O=Sextant,CN=Intermediate",
      "O=Sextant,CN=Root",
    ]);
    expect(() => readCertificateChain("")).toThrow("not a PEM text");
  });
});

describe("a stored authority", () => {
  it("opens with its own key and with no other", () => {
    const stored = {
      certificate: intermediate.certificate.pem,
      privateKey: intermediateKeys.privateKey,
    };
    expect(openCertificateAuthority(stored).issuer).toEqual(intermediate.issuer);
    expect(() => openCertificateAuthority({ ...stored, privateKey: rootKeys.privateKey })).toThrow(
      "does not belong",
    );
  });
});

describe("a serial number", () => {
  it("is positive and sixteen octets long, whatever the randomness", () => {
    for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
      const made = createSerial((size) => Buffer.alloc(size, fill));
      expect(made.length).toBe(16);
      expect(made[0]).toBeGreaterThanOrEqual(0x40);
      expect(made[0]).toBeLessThan(0x80);
    }
    expect(serial().equals(serial())).toBe(false);
  });
});

describe("lint", () => {
  it("finds nothing in what the builder makes", () => {
    expect(lint({})).toEqual([]);
    expect(lint({ crlUrl: "https://plane.example.com/v1/ca/crl" })).toEqual([]);
  });

  it.each<[string, Partial<CertificateTemplate>, string]>([
    [
      "a serial number of less than 64 bits",
      { serial: Buffer.from([1, 2, 3]) },
      "less than 64 bits",
    ],
    [
      "a serial number of more than 20 octets",
      { serial: Buffer.alloc(21, 0x41) },
      "longer than 20 octets",
    ],
    ["a life longer than the profile allows", { notAfter: after(400) }, "longer than 397 days"],
    [
      "a life that outlasts the issuer",
      { notBefore: after(1_800), notAfter: after(1_830) },
      "ends after the issuer's",
    ],
    [
      "a life that begins before the issuer",
      { notBefore: after(-1) },
      "begins before the issuer's",
    ],
    ["a life that ends before it begins", { notAfter: after(-1) }, "validity is empty"],
    ["a stranger's name as issuer", { issuer: root.issuer }, "issuer is not the name"],
    [
      "a stranger's key identifier",
      { issuer: { ...intermediate.issuer, keyId: root.issuer.keyId } },
      "authority key identifier",
    ],
    [
      "the authority's name as subject",
      { subject: "O=Sextant,CN=Intermediate" },
      "subject is the name of the authority",
    ],
    ["a leaf without names", { names: {} }, "subject alternative name is empty"],
    ["a host name with an underscore", { names: { dns: ["a_b"] } }, "is not a DNS name"],
    ["an address as a host name", { names: { dns: ["127.0.0.1"] } }, "is not a DNS name"],
    ["a relative URI", { names: { uri: ["/application/a1"] } }, "is not an absolute URI"],
    ["a revocation list at no URL", { crlUrl: "crl" }, "CRL distribution point"],
    ["another profile's extensions", { profile: "server" }, "extended key usage"],
    ["a leaf that is an authority", { profile: "intermediate" }, "make a leaf an authority"],
    [
      "a P-521 key",
      {
        spki: generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey.export({
          format: "der",
          type: "spki",
        }),
      },
      "public key",
    ],
  ])("refuses %s", (_what, change, fault) => {
    expect(lint(change).join("; ")).toContain(fault);
  });

  it("refuses an authority below one whose path length is zero", async () => {
    await expect(
      createCertificateAuthority({
        keyPair: createKeyPair(),
        parent: intermediate,
        subject: "CN=Third",
        serial: serial(),
        notBefore,
        notAfter: after(100),
      }),
    ).rejects.toThrow("path length allows no further authority");
  });

  it("refuses bytes that are no certificate at all", () => {
    expect(
      lintCertificate(Buffer.from("3000", "hex"), { profile: "client", issuer: undefined }),
    ).toHaveLength(1);
  });
});

describe("signing", () => {
  it("refuses a certificate that was built for another algorithm", async () => {
    const tbs = buildCertificate({
      ...client,
      issuer: intermediate.issuer,
      signatureAlgorithm: "Ed25519",
    });
    await expect(signCertificate(tbs, intermediate.signer)).rejects.toThrow(
      "another signature algorithm",
    );
  });

  it("takes a signer that answers later, as a remote one does", async () => {
    const remote = {
      ...intermediate.signer,
      sign: async (tbs: Buffer) => intermediate.signer.sign(tbs),
    };
    const certificate = await signCertificate(
      buildCertificate({ ...client, issuer: intermediate.issuer }),
      remote,
    );
    expect(certificate.x509.verify(intermediate.certificate.publicKey)).toBe(true);
  });
});

describe("a client's URI", () => {
  it("comes back as the identity that it was made of", () => {
    const identity = { tenant: "3e64ebae-38b5-46a0-b1ed-9ccee153a0ae", kind: "runtime", id: "r-1" };
    expect(parseClientUri(formatClientUri(identity))).toEqual(identity);
  });

  it("has exactly three plain parts", () => {
    for (const uri of [
      "sextant://t/runtime",
      "sextant://t/runtime/a/b",
      "https://t/runtime/a",
      "sextant://t/run%2ftime/a",
      "sextant://t/runtime/a?x",
    ]) {
      expect(parseClientUri(uri)).toBeUndefined();
    }
    expect(() => formatClientUri({ tenant: "a/b", kind: "runtime", id: "x" })).toThrow(RangeError);
  });
});
