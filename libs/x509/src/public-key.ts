/** Subject public keys: which are accepted. They pass through as opaque bytes; node:crypto does all arithmetic. */
import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { TAG } from "./der.ts";
import { OID } from "./oid.ts";
import { writePem } from "./pem.ts";
import { readDer, readOid, type DerNode } from "./reader.ts";

/** The kinds of key that a certificate may be for. */
export type KeyKind = "RSA" | "P-256" | "P-384" | "Ed25519";

/** A key that passed the checks. */
export type SubjectPublicKey = {
  readonly kind: KeyKind;
  readonly key: KeyObject;
  /** SubjectPublicKeyInfo, as it was sent. */
  readonly spki: Buffer;
};

/** The key is not one that is accepted. The message says why. */
export class PublicKeyError extends Error {
  override readonly name = "PublicKeyError";
}

/** Checks a SubjectPublicKeyInfo. Throws {@link PublicKeyError}. */
export function readPublicKey(node: DerNode): SubjectPublicKey {
  const [algorithm, bits, more] = node.children;
  const isInfo =
    node.tag === TAG.sequence && algorithm?.tag === TAG.sequence && bits?.tag === TAG.bitString;
  if (!isInfo || more !== undefined || bits.value[0] !== 0)
    throw new PublicKeyError("is not a SubjectPublicKeyInfo");
  const [id, parameters, extra] = algorithm.children;
  if (id?.tag !== TAG.oid || extra !== undefined) throw new PublicKeyError("has a wrong algorithm");
  const kind = keyKind(readOid(id), parameters);
  const point = bits.value.subarray(1);
  // Before it is imported: OpenSSL works long on numbers that are refused anyway.
  if (kind === "RSA") checkRsa(point);
  else checkPoint(kind, point);
  const key = importKey(node.bytes);
  return { kind, key, spki: node.bytes };
}

function keyKind(algorithm: string, parameters: DerNode | undefined): KeyKind {
  if (algorithm === OID.rsaEncryption && parameters?.tag === TAG.null) return "RSA";
  if (algorithm === OID.ed25519 && parameters === undefined) return "Ed25519";
  if (algorithm === OID.ecPublicKey && parameters?.tag === TAG.oid) {
    const curve = readOid(parameters);
    if (curve === OID.p256) return "P-256";
    if (curve === OID.p384) return "P-384";
    throw new PublicKeyError(`is on curve ${curve}; accepted are P-256 and P-384`);
  }
  throw new PublicKeyError("is not RSA, P-256, P-384 or Ed25519");
}

const POINT_LENGTH = { "P-256": 65, "P-384": 97, Ed25519: 32 } as const;

// Importing also accepts compressed points, which many TLS stacks do not read (RFC 5480 2.2 makes only the other form mandatory).
function checkPoint(kind: Exclude<KeyKind, "RSA">, point: Buffer): void {
  if (point.length !== POINT_LENGTH[kind]) throw new PublicKeyError("has a wrong length");
  if (kind !== "Ed25519" && point[0] !== 4)
    throw new PublicKeyError("is not an uncompressed point");
}

// As PEM it takes half as long as as DER, and so does the first use of the key: OpenSSL reads that into the form in which it works.
function importKey(spki: Buffer): KeyObject {
  try {
    return createPublicKey(writePem("PUBLIC KEY", spki));
  } catch {
    throw new PublicKeyError("is not a valid key");
  }
}

const MIN_RSA_BITS = 2_048;
const MAX_RSA_BITS = 4_096;

const EXPONENT = Buffer.from([1, 0, 1]);

/** Checks an RSAPublicKey (RFC 8017 A.1.1). */
function checkRsa(bytes: Buffer): void {
  const [modulus, exponent, more] = readDer(bytes).children;
  const isKey = modulus?.tag === TAG.integer && exponent?.tag === TAG.integer;
  if (!isKey || more !== undefined || ((modulus.value[0] as number) & 0x80) !== 0)
    throw new PublicKeyError("is not a valid key");
  const bits = bitsOf(modulus.value);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) {
    throw new PublicKeyError(
      `has ${bits} bits; accepted are RSA keys of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`,
    );
  }
  if (!exponent.value.equals(EXPONENT))
    throw new PublicKeyError("has a public exponent other than 65537");
  const number = BigInt(`0x${modulus.value.toString("hex")}`);
  if (SMALL_PRIMES.some((prime) => number % prime === 0n))
    throw new PublicKeyError("has a modulus with a small factor");
}

/** Length of a positive INTEGER without the zeros in front. */
function bitsOf(value: Buffer): number {
  const start = value[0] === 0 ? 1 : 0;
  return (value.length - start) * 8 - Math.clz32(value[start] ?? 0) + 24;
}

// The primes below 752, as the CA/Browser Forum's baseline requirements (6.1.6) advise.
const SMALL_PRIMES: readonly bigint[] = Array.from({ length: 751 }, (_, index) => index + 2)
  .filter((candidate) => {
    for (let divisor = 2; divisor * divisor <= candidate; divisor += 1)
      if (candidate % divisor === 0) return false;
    return candidate < 752;
  })
  .map(BigInt);

/** Key identifier by method 1 of RFC 7093: the leftmost 160 bits of the SHA-256 of the key's bits. */
export function keyIdentifier(publicKeyBits: Buffer): Buffer {
  return hash("sha256", publicKeyBits, "buffer").subarray(0, 20);
}
