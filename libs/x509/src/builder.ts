/** Builds the part of a certificate that is signed (TBSCertificate, RFC 5280 4.1). Signing is another step. */
import {
  bitString,
  contextConstructed,
  contextPrimitive,
  derTrue,
  namedBits,
  octetString,
  oid,
  sequence,
  smallInteger,
  time,
  tlv,
  unsignedInteger,
} from "./der.ts";
import { encodeAlternativeNames, type AlternativeNames } from "./general-name.ts";
import { encodeName, parseSubject } from "./name.ts";
import { OID } from "./oid.ts";
import { PROFILES, type Profile, type ProfileName } from "./profile.ts";
import { keyIdentifier } from "./public-key.ts";
import { readDer, type DerNode } from "./reader.ts";
import { algorithmIdentifier, type SignatureAlgorithm } from "./signature.ts";

/** What the builder must know of the authority that will sign. */
export type Issuer = {
  /** DER of the authority's subject, taken over byte for byte. */
  readonly name: Buffer;
  /** The authority's subject key identifier. */
  readonly keyId: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** How many authorities may follow it; undefined: no limit. */
  readonly pathLength: number | undefined;
};

/** Everything that differs between two certificates of one profile. */
export type CertificateTemplate = {
  readonly profile: ProfileName;
  /** One line, encoded in this order. */
  readonly subject: string;
  /** SubjectPublicKeyInfo of the holder. */
  readonly spki: Buffer;
  /** Undefined for a root, which signs itself. */
  readonly issuer: Issuer | undefined;
  /** As {@link createSerial} makes it. */
  readonly serial: Buffer;
  readonly notBefore: Date;
  /** The last second in which the certificate is good. */
  readonly notAfter: Date;
  readonly names?: AlternativeNames;
  /** Where the authority's revocation list is. */
  readonly crlUrl?: string;
  /** Default: ECDSA with SHA-256. */
  readonly signatureAlgorithm?: SignatureAlgorithm;
};

/** A serial number of 126 random bits from `randomBytes`: positive, and always 16 octets long. */
export function createSerial(randomBytes: (size: number) => Buffer): Buffer {
  const serial = Buffer.from(randomBytes(16));
  serial[0] = ((serial[0] as number) & 0x3f) | 0x40;
  return serial;
}

/** DER of the TBSCertificate. */
export function buildCertificate(template: CertificateTemplate): Buffer {
  const profile = PROFILES[template.profile];
  const subject = encodeName(parseSubject(template.subject));
  const keyId = keyIdentifier(keyBitsOf(readDer(template.spki)));
  return sequence(
    contextConstructed(0, smallInteger(2)),
    unsignedInteger(template.serial),
    algorithmIdentifier(template.signatureAlgorithm ?? "ecdsa-with-SHA256"),
    template.issuer?.name ?? subject,
    sequence(time(template.notBefore), time(template.notAfter)),
    subject,
    template.spki,
    contextConstructed(3, sequence(...extensions(template, profile, keyId))),
  );
}

/** Content of the BIT STRING of a SubjectPublicKeyInfo, of which key identifiers are made. */
export function keyBitsOf(spki: DerNode): Buffer {
  const bits = spki.children[1];
  if (bits === undefined) throw new TypeError("not a SubjectPublicKeyInfo");
  return bits.value.subarray(1);
}

function extensions(template: CertificateTemplate, profile: Profile, keyId: Buffer): Buffer[] {
  return [
    extension(OID.basicConstraints, true, basicConstraints(profile)),
    extension(OID.keyUsage, true, namedBits(profile.keyUsage)),
    ...(profile.extendedKeyUsage.length === 0
      ? []
      : [extension(OID.extKeyUsage, false, sequence(...profile.extendedKeyUsage.map(oid)))]),
    ...(template.names === undefined
      ? []
      : [extension(OID.subjectAltName, false, encodeAlternativeNames(template.names))]),
    extension(OID.subjectKeyIdentifier, false, octetString(keyId)),
    extension(
      OID.authorityKeyIdentifier,
      false,
      sequence(contextPrimitive(0, template.issuer?.keyId ?? keyId)),
    ),
    ...(template.crlUrl === undefined
      ? []
      : [extension(OID.crlDistributionPoints, false, crlPoint(template.crlUrl))]),
  ];
}

/** One extension (RFC 5280 4.2). */
export function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical
    ? sequence(oid(id), derTrue, octetString(value))
    : sequence(oid(id), octetString(value));
}

function basicConstraints({ authority, pathLength }: Profile): Buffer {
  if (!authority) return sequence();
  return pathLength === undefined ? sequence(derTrue) : sequence(derTrue, smallInteger(pathLength));
}

const URI_NAME = 0x86;

function crlPoint(url: string): Buffer {
  const fullName = contextConstructed(0, tlv(URI_NAME, Buffer.from(url, "latin1")));
  return sequence(sequence(contextConstructed(0, fullName)));
}

/** Puts a signature to the built part: the certificate's DER. */
export function assembleCertificate(
  tbs: Buffer,
  algorithm: SignatureAlgorithm,
  signature: Buffer,
): Buffer {
  return sequence(tbs, algorithmIdentifier(algorithm), bitString(signature));
}
