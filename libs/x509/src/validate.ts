/**
 * Checks a signed certificate before it is given out, by another parser than the one that built it: OpenSSL's, behind node:crypto.
 */
import type { KeyObject } from "node:crypto";
import type { CertificateAuthority } from "./authority.ts";
import type { Certificate } from "./certificate.ts";
import { parseSubject } from "./name.ts";
import { PROFILES, type ProfileName } from "./profile.ts";

/** What the certificate has to be. */
export type Expected = {
  readonly profile: ProfileName;
  readonly authority: CertificateAuthority;
  readonly publicKey: KeyObject;
  readonly subject: string;
  readonly uri: string;
  /** Hexadecimal, lower case. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
};

/** In what a certificate is not what it has to be; empty when it may be given out. */
export function certificateFaults(
  { x509 }: Pick<Certificate, "x509">,
  expected: Expected,
): string[] {
  const { authority } = expected;
  const profile = PROFILES[expected.profile];
  const lines = parseSubject(expected.subject).map(({ type, value }) => `${type}=${value}`);
  const seconds = (date: Date): number => Math.floor(date.getTime() / 1_000);
  const checks: readonly (readonly [string, boolean])[] = [
    ["issuer", x509.checkIssued(authority.certificate.x509)],
    ["signature", x509.verify(authority.publicKey)],
    ["public key", x509.publicKey.equals(expected.publicKey)],
    ["subject", x509.subject === lines.join("\n")],
    ["names", x509.subjectAltName === `URI:${expected.uri}`],
    ["serial number", BigInt(`0x${x509.serialNumber}`) === BigInt(`0x${expected.serial}`)],
    ["begin", seconds(x509.validFromDate) === seconds(expected.notBefore)],
    ["end", seconds(x509.validToDate) === seconds(expected.notAfter)],
    ["extended key usage", String(x509.keyUsage) === String(profile.extendedKeyUsage)],
    ["basic constraints", x509.ca === profile.authority],
  ];
  return checks.filter(([, holds]) => !holds).map(([what]) => `${what} is not what was asked for`);
}
