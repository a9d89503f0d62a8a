/**
 * Signature algorithms, and the port behind which a certificate authority's key lives. ECDSA signatures are DER, as X.509 and
 * node:crypto have them. Keys are handed over as they are: for a key in an object of options Node.js throws and catches two errors,
 * which takes as long as a signature.
 */
import { sign, verify, type KeyObject } from "node:crypto";
import { derNull, oid, sequence } from "./der.ts";
import { OID } from "./oid.ts";
import type { KeyKind } from "./public-key.ts";
import { readOid, type DerNode } from "./reader.ts";

type SignatureScheme = {
  readonly oid: string;
  /** Undefined for Ed25519, which hashes by itself. */
  readonly hash: "sha256" | "sha384" | "sha512" | undefined;
  readonly keys: readonly KeyKind[];
  /** AlgorithmIdentifier. RSA has NULL parameters (RFC 4055), the others none (RFC 5758, RFC 8410). */
  readonly identifier: Buffer;
};

const scheme = (
  id: string,
  hash: SignatureScheme["hash"],
  keys: readonly KeyKind[],
): SignatureScheme => ({
  oid: id,
  hash,
  keys,
  identifier: keys.includes("RSA") ? sequence(oid(id), derNull) : sequence(oid(id)),
});

const EC: readonly KeyKind[] = ["P-256", "P-384"];

const SCHEMES = {
  "ecdsa-with-SHA256": scheme(OID.ecdsaWithSHA256, "sha256", EC),
  "ecdsa-with-SHA384": scheme(OID.ecdsaWithSHA384, "sha384", EC),
  "ecdsa-with-SHA512": scheme(OID.ecdsaWithSHA512, "sha512", EC),
  "sha256-with-RSA": scheme(OID.sha256WithRSA, "sha256", ["RSA"]),
  "sha384-with-RSA": scheme(OID.sha384WithRSA, "sha384", ["RSA"]),
  "sha512-with-RSA": scheme(OID.sha512WithRSA, "sha512", ["RSA"]),
  Ed25519: scheme(OID.ed25519, undefined, ["Ed25519"]),
} as const satisfies Record<string, SignatureScheme>;

/** Name of a signature algorithm. */
export type SignatureAlgorithm = keyof typeof SCHEMES;

/** The hash that is signed; undefined where the algorithm hashes by itself. */
export const hashOf = (algorithm: SignatureAlgorithm): SignatureScheme["hash"] =>
  SCHEMES[algorithm].hash;

/** The AlgorithmIdentifier of a signature. */
export const algorithmIdentifier = (algorithm: SignatureAlgorithm): Buffer =>
  SCHEMES[algorithm].identifier;

/** The algorithm of an AlgorithmIdentifier, or undefined when it is not one that is accepted here, parameters included. */
export function readSignatureAlgorithm(node: DerNode): SignatureAlgorithm | undefined {
  const names = Object.keys(SCHEMES) as SignatureAlgorithm[];
  return names.find((name) => SCHEMES[name].identifier.equals(node.bytes));
}

/** A name for people of an algorithm that was refused. */
export function describeAlgorithm(node: DerNode): string {
  const id = node.children[0];
  return id === undefined ? "nothing" : readOid(id);
}

/** Checks a signature. False as well when key and algorithm do not belong together. */
export function verifySignature(
  algorithm: SignatureAlgorithm,
  kind: KeyKind,
  key: KeyObject,
  data: Buffer,
  signature: Buffer,
): boolean {
  const { hash, keys } = SCHEMES[algorithm];
  if (!keys.includes(kind)) return false;
  try {
    return verify(hash, data, key, signature);
  } catch {
    return false;
  }
}

/** The algorithm by which a private key of this kind signs. */
export function algorithmFor(kind: KeyKind): SignatureAlgorithm {
  if (kind === "RSA") return "sha256-with-RSA";
  if (kind === "Ed25519") return "Ed25519";
  return kind === "P-256" ? "ecdsa-with-SHA256" : "ecdsa-with-SHA384";
}

/** Signs with a key of this process. */
export function signWith(
  privateKey: KeyObject,
  algorithm: SignatureAlgorithm,
  data: Buffer,
): Buffer {
  return sign(SCHEMES[algorithm].hash, data, privateKey);
}

/**
 * Where a certificate authority's signatures come from. A key file today; a key management service can stand behind
 * the same two members.
 */
export type Signer = {
  readonly algorithm: SignatureAlgorithm;
  sign(tbs: Buffer): Promise<Buffer> | Buffer;
};

/** A signer with a private key held by this process: P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits. */
export function createKeySigner(privateKey: KeyObject): Signer {
  const kind = authorityKind(privateKey);
  const algorithm = algorithmFor(kind);
  // Only these are quicker than the way to another thread and back.
  if (kind === "P-256" || kind === "Ed25519")
    return { algorithm, sign: (tbs) => signWith(privateKey, algorithm, tbs) };
  return {
    algorithm,
    sign: (tbs) =>
      new Promise((resolve, reject) => {
        sign(SCHEMES[algorithm].hash, tbs, privateKey, (error, signature) => {
          if (error === null) resolve(signature);
          else reject(error);
        });
      }),
  };
}

function authorityKind(key: KeyObject): KeyKind {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.type === "private") {
    if (namedCurve === "prime256v1") return "P-256";
    if (namedCurve === "secp384r1") return "P-384";
    if (key.asymmetricKeyType === "ed25519") return "Ed25519";
    if (key.asymmetricKeyType === "rsa" && modulusLength >= 2_048 && modulusLength <= 4_096)
      return "RSA";
  }
  throw new TypeError(
    "a certificate authority's key is a private key: P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits",
  );
}
