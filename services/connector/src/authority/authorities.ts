/** The authorities that the Connector knows: one signs, others may still have certificates in force. */
import type { CertificateAuthority } from "@sextant/x509";

/** See {@link createAuthorities}. */
export type Authorities = {
  /** The one that signs new certificates. */
  current(): CertificateAuthority;
  /** By its subject key identifier: hexadecimal, lower case. */
  bySubjectKeyId(keyId: string): CertificateAuthority | undefined;
};

/** Authorities of which the first one signs. */
export function createAuthorities(
  first: CertificateAuthority,
  ...others: readonly CertificateAuthority[]
): Authorities {
  const byKeyId = new Map([first, ...others].map((authority) => [authority.keyId, authority]));
  return {
    current: () => first,
    bySubjectKeyId: (keyId) => byKeyId.get(keyId),
  };
}
