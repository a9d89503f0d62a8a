/** Certificates that exist: reading them, and signing a built one. */
import { hash, X509Certificate, type KeyObject } from "node:crypto";
import { assembleCertificate, type Issuer } from "./builder.ts";
import { readAlternativeNames, type AlternativeNames } from "./general-name.ts";
import { decodeName, formatSubject } from "./name.ts";
import { OID } from "./oid.ts";
import { readPem, writePem } from "./pem.ts";
import { readDer } from "./reader.ts";
import { readSignatureAlgorithm, type SignatureAlgorithm, type Signer } from "./signature.ts";
import { readTbs, type Tbs } from "./tbs.ts";

/** A certificate and what is asked of it. */
export type Certificate = {
  readonly der: Buffer;
  readonly pem: string;
  /** node:crypto's view, which also verifies signatures and host names. */
  readonly x509: X509Certificate;
  /** One line in the order in which it is encoded. */
  readonly subject: string;
  /** Hexadecimal, lower case, two digits an octet. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly publicKey: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  /** SHA-256 of the DER, hexadecimal, lower case. */
  readonly fingerprint: string;
  /** The subject alternative names. */
  readonly names: Required<AlternativeNames>;
};

/** Reads one certificate from PEM or DER. Throws when it is not a version 3 certificate with a subject of ours. */
export function readCertificate(input: Buffer | string): Certificate {
  const der = typeof input === "string" ? singleBlock(input) : input;
  const tbs = tbsOf(der);
  const x509 = new X509Certificate(der);
  const names = tbs.extensions.find(({ id }) => id === OID.subjectAltName);
  return {
    der,
    pem: writePem("CERTIFICATE", der),
    x509,
    subject: formatSubject(decodeName(tbs.subject)),
    serial: serialText(tbs.serial),
    notBefore: tbs.notBefore.date,
    notAfter: tbs.notAfter.date,
    // Only some callers ask, and importing a key costs more than reading the rest.
    get publicKey() {
      return x509.publicKey;
    },
    spki: tbs.spki.bytes,
    fingerprint: fingerprintOf(der),
    names:
      names === undefined
        ? { dns: [], ip: [], uri: [] }
        : readAlternativeNames(readDer(names.value)),
  };
}

/** Every certificate of a PEM text, in its order. */
export function readCertificateChain(pem: string): Certificate[] {
  const blocks = readPem(pem);
  if (
    blocks === undefined ||
    blocks.length === 0 ||
    blocks.some(({ label }) => label !== "CERTIFICATE")
  ) {
    throw new TypeError("not a PEM text of certificates");
  }
  return blocks.map(({ der }) => readCertificate(der));
}

function singleBlock(pem: string): Buffer {
  const [block, more] = readPem(pem) ?? [];
  if (block?.label !== "CERTIFICATE" || more !== undefined)
    throw new TypeError("not one PEM certificate");
  return block.der;
}

function tbsOf(der: Buffer): Tbs {
  const tbs = readDer(der).children[0];
  if (tbs === undefined) throw new TypeError("not a certificate");
  return readTbs(tbs.bytes);
}

/** Text form of a serial number, as {@link Certificate.serial} has it. */
export function serialText(serial: Buffer): string {
  return (serial.length > 1 && serial[0] === 0 ? serial.subarray(1) : serial).toString("hex");
}

/** What the builder must know of this authority's certificate. */
export function issuerOf(certificate: Certificate): Issuer {
  const { subject, extensions } = tbsOf(certificate.der);
  const value = (id: string) => extensions.find((extension) => extension.id === id)?.value;
  const keyId = value(OID.subjectKeyIdentifier);
  const constraints = value(OID.basicConstraints);
  const [authority, pathLength] = constraints === undefined ? [] : readDer(constraints).children;
  if (keyId === undefined || authority?.value[0] !== 0xff)
    throw new TypeError("not an authority's certificate");
  return {
    name: subject.bytes,
    keyId: readDer(keyId).value,
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    pathLength: pathLength?.value[0],
  };
}

/** Base64 of the SHA-256 of the public key (RFC 7469 2.4), by which a client can know an authority without its certificate. */
export function spkiPin(certificate: { readonly spki: Buffer } | X509Certificate): string {
  const spki =
    certificate instanceof X509Certificate
      ? certificate.publicKey.export({ format: "der", type: "spki" })
      : certificate.spki;
  return hash("sha256", spki, "base64");
}

/** Signs a built certificate. Lint it first: this step looks at nothing but the algorithm. */
export async function signCertificate(tbs: Buffer, signer: Signer): Promise<Certificate> {
  if (readSignatureAlgorithm(readTbs(tbs).signatureAlgorithm) !== signer.algorithm) {
    throw new TypeError(
      "the certificate was built for another signature algorithm than the signer's",
    );
  }
  return readCertificate(assembleCertificate(tbs, signer.algorithm, await signer.sign(tbs)));
}

/** The certificate that a built one and a signature on it are, as OpenSSL reads it. */
export function openSigned(
  tbs: Buffer,
  algorithm: SignatureAlgorithm,
  signature: Buffer,
): Pick<Certificate, "pem" | "x509" | "fingerprint"> {
  const der = assembleCertificate(tbs, algorithm, signature);
  return {
    pem: writePem("CERTIFICATE", der),
    x509: new X509Certificate(der),
    fingerprint: fingerprintOf(der),
  };
}

const fingerprintOf = (der: Buffer): string => hash("sha256", der, "hex");
