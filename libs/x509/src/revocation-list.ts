/** Certificate revocation lists (RFC 5280 5), version 2: complete, for all certificates of one authority. */
import { verify } from "node:crypto";
import type { CertificateAuthority } from "./authority.ts";
import { extension } from "./builder.ts";
import {
  bitString,
  contextConstructed,
  contextPrimitive,
  sequence,
  smallInteger,
  TAG,
  time,
  tlv,
  unsignedInteger,
} from "./der.ts";
import { OID } from "./oid.ts";
import { algorithmIdentifier, hashOf } from "./signature.ts";

/** Why a certificate was revoked (RFC 5280 5.3.1). Unspecified is not written. */
export const REVOCATION_CODES = {
  UNSPECIFIED: 0,
  KEY_COMPROMISE: 1,
  AFFILIATION_CHANGED: 3,
  SUPERSEDED: 4,
  CESSATION_OF_OPERATION: 5,
  PRIVILEGE_WITHDRAWN: 9,
} as const;

/** See {@link REVOCATION_CODES}. */
export type RevocationCode = keyof typeof REVOCATION_CODES;

/** One revoked certificate. */
export type Revoked = {
  /** Hexadecimal. */
  readonly serial: string;
  readonly revokedAt: Date;
  readonly code: RevocationCode;
};

const reasons = new Map<RevocationCode, Buffer>(
  (Object.keys(REVOCATION_CODES) as RevocationCode[]).map((code) => [
    code,
    REVOCATION_CODES[code] === 0
      ? Buffer.alloc(0)
      : sequence(
          extension(
            OID.reasonCode,
            false,
            tlv(TAG.enumerated, Buffer.from([REVOCATION_CODES[code]])),
          ),
        ),
  ]),
);

function entry({ serial, revokedAt, code }: Revoked): Buffer {
  const number = Buffer.from(serial.length % 2 === 0 ? serial : `0${serial}`, "hex");
  return sequence(unsignedInteger(number), time(revokedAt), reasons.get(code) ?? Buffer.alloc(0));
}

/** Makes and signs a list: its DER. `number` is greater than that of every list before. */
export async function createRevocationList(
  authority: CertificateAuthority,
  list: {
    readonly number: bigint;
    readonly thisUpdate: Date;
    readonly nextUpdate: Date;
    readonly revoked: readonly Revoked[];
  },
): Promise<Buffer> {
  const { issuer, signer, publicKey } = authority;
  const digits = list.number.toString(16);
  const number = unsignedInteger(
    Buffer.from(digits.padStart(digits.length + (digits.length % 2), "0"), "hex"),
  );
  const algorithm = algorithmIdentifier(signer.algorithm);
  const tbs = sequence(
    smallInteger(1),
    algorithm,
    issuer.name,
    time(list.thisUpdate),
    time(list.nextUpdate),
    // Absent when there is none (RFC 5280 5.1.2.6).
    ...(list.revoked.length === 0 ? [] : [sequence(...list.revoked.map(entry))]),
    contextConstructed(
      0,
      sequence(
        extension(OID.authorityKeyIdentifier, false, sequence(contextPrimitive(0, issuer.keyId))),
        extension(OID.crlNumber, false, number),
      ),
    ),
  );
  const signature = await signer.sign(tbs);
  if (!verify(hashOf(signer.algorithm), tbs, publicKey, signature))
    throw new TypeError("the signature on the revocation list does not belong to its issuer");
  return sequence(tbs, algorithm, bitString(signature));
}
