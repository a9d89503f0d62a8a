/** Certificate signing requests (PKCS #10, RFC 2986): strict reading of strangers' requests, and making our own. */
import { createPublicKey, type KeyObject } from "node:crypto";
import { invalidData, type SextantError } from "@sextant/errors";
import { bitString, contextConstructed, sequence, smallInteger, TAG } from "./der.ts";
import { reencode } from "./forge.ts";
import {
  canonicalOrder,
  decodeName,
  encodeName,
  formatSubject,
  NameError,
  parseSubject,
} from "./name.ts";
import { readPem, writePem } from "./pem.ts";
import {
  PublicKeyError,
  readPublicKey,
  type KeyKind,
  type SubjectPublicKey,
} from "./public-key.ts";
import { DerError, readDer, readOid, type DerNode } from "./reader.ts";
import {
  algorithmFor,
  algorithmIdentifier,
  describeAlgorithm,
  readSignatureAlgorithm,
  signWith,
  verifySignature,
} from "./signature.ts";

/** Size in bytes, of PEM or DER, above which a request is refused unread. RSA-4096 with a long subject needs 2 KiB. */
export const MAX_REQUEST_BYTES = 16_384;

/** A request that passed every check: the sender has the private key of the public key in it. */
export type CertificateRequest = {
  /** One line in the order O, OU, L, ST, C, CN, whatever order the sender used. */
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly keyKind: KeyKind;
  /** SubjectPublicKeyInfo, to go into the certificate as it is. */
  readonly spki: Buffer;
};

/**
 * Reads and checks a request, PEM (text) or DER (bytes). Extensions that it asks for are not read: the certificate's
 * profile decides. Throws INVALID_DATA naming what is wrong.
 */
export function parseCertificateRequest(input: Buffer | string): CertificateRequest {
  if (input.length > MAX_REQUEST_BYTES) throw refused(`is larger than ${MAX_REQUEST_BYTES} bytes`);
  const der = typeof input === "string" ? derOf(input) : input;
  try {
    return checkRequest(der);
  } catch (error) {
    if (error instanceof DerError) throw refused(`is not DER: ${error.message}`);
    throw error;
  }
}

const refused = (message: string): SextantError =>
  invalidData("CertificateSigningRequest", [{ field: "csr", message }]);

function derOf(text: string): Buffer {
  const blocks = readPem(text);
  const [block, more] = blocks ?? [];
  if (block === undefined) throw refused("is not PEM");
  if (more !== undefined) throw refused("has more than one PEM block");
  // The second label is what older Microsoft and Netscape tools write (RFC 7468 section 7).
  if (block.label !== "CERTIFICATE REQUEST" && block.label !== "NEW CERTIFICATE REQUEST") {
    throw refused(`is a PEM block "${block.label}" and not "CERTIFICATE REQUEST"`);
  }
  return block.der;
}

function checkRequest(der: Buffer): CertificateRequest {
  const root = readDer(der);
  if (reencode(der)?.equals(der) !== true)
    throw refused("is not DER: encoded again it has other bytes");
  const [info, algorithm, signature, more] = root.children;
  if (
    root.tag !== TAG.sequence ||
    info === undefined ||
    algorithm === undefined ||
    more !== undefined
  ) {
    throw refused("is not a certification request");
  }
  if (signature?.tag !== TAG.bitString || signature.value[0] !== 0)
    throw refused("is not a certification request");
  const { subject, publicKey } = checkInfo(info);
  const scheme = readSignatureAlgorithm(algorithm);
  if (scheme === undefined) {
    throw refused(
      `is signed by the algorithm ${describeAlgorithm(algorithm)}; accepted are SHA-256 or longer with RSA or ECDSA, and Ed25519`,
    );
  }
  if (
    !verifySignature(scheme, publicKey.kind, publicKey.key, info.bytes, signature.value.subarray(1))
  ) {
    throw refused("is not signed by the private key that belongs to its public key");
  }
  return { subject, publicKey: publicKey.key, keyKind: publicKey.kind, spki: publicKey.spki };
}

const ATTRIBUTES_TAG = 0xa0;

function checkInfo(info: DerNode): { subject: string; publicKey: SubjectPublicKey } {
  const [version, name, key, attributes, more] = info.children;
  if (
    info.tag !== TAG.sequence ||
    version === undefined ||
    name === undefined ||
    key === undefined
  ) {
    throw refused("is not a certification request");
  }
  if (version.tag !== TAG.integer || !version.value.equals(Buffer.from([0])))
    throw refused("is not of version 1");
  if (more !== undefined || (attributes !== undefined && attributes.tag !== ATTRIBUTES_TAG)) {
    throw refused("is not a certification request");
  }
  checkAttributes(attributes);
  return { subject: subjectOf(name), publicKey: publicKeyOf(key) };
}

/** Their values are not read. What is there twice could be read as two different wishes. */
function checkAttributes(attributes: DerNode | undefined): void {
  const seen = new Set<string>();
  for (const attribute of attributes?.children ?? []) {
    const [type, values, more] = attribute.children;
    const isAttribute =
      attribute.tag === TAG.sequence && type?.tag === TAG.oid && values?.tag === TAG.set;
    if (!isAttribute || more !== undefined) throw refused("has an attribute of a wrong form");
    const id = readOid(type);
    if (seen.has(id)) throw refused(`has the attribute ${id} twice`);
    seen.add(id);
  }
}

function subjectOf(name: DerNode): string {
  try {
    return formatSubject(canonicalOrder(decodeName(name)));
  } catch (error) {
    if (error instanceof NameError) throw refused(`subject: ${error.message}`);
    throw error;
  }
}

function publicKeyOf(key: DerNode): SubjectPublicKey {
  try {
    return readPublicKey(key);
  } catch (error) {
    if (error instanceof PublicKeyError) throw refused(`public key ${error.message}`);
    throw error;
  }
}

/** The two halves of a key. */
export type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

/** Makes a request as PEM, signed by the key that it is for. `subject` is encoded in the order of its text. */
export function createCertificateRequest(template: {
  readonly subject: string;
  readonly keyPair: { readonly privateKey: KeyObject };
}): string {
  const { privateKey } = template.keyPair;
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const { kind } = readPublicKey(readDer(spki));
  const algorithm = algorithmFor(kind);
  const info = sequence(
    smallInteger(0),
    encodeName(parseSubject(template.subject)),
    spki,
    contextConstructed(0),
  );
  const signature = signWith(privateKey, algorithm, info);
  return writePem(
    "CERTIFICATE REQUEST",
    sequence(info, algorithmIdentifier(algorithm), bitString(signature)),
  );
}
