/** Certificate authorities: a certificate, what it lets the builder issue, and the signer behind it. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { buildCertificate, type CertificateTemplate, type Issuer } from "./builder.ts";
import { issuerOf, readCertificate, signCertificate, type Certificate } from "./certificate.ts";
import { lintCertificate } from "./lint.ts";
import type { KeyPair } from "./request.ts";
import { createKeySigner, type Signer } from "./signature.ts";

/** An authority that can issue. */
export type CertificateAuthority = {
  readonly certificate: Certificate;
  /** Its subject key identifier: hexadecimal, lower case. */
  readonly keyId: string;
  readonly publicKey: KeyObject;
  readonly issuer: Issuer;
  readonly signer: Signer;
};

/** A new P-256 key. */
export const createKeyPair = (): KeyPair => generateKeyPairSync("ec", { namedCurve: "P-256" });

/** What makes an authority; without `parent` it is a root. */
export type AuthorityTemplate = Pick<
  CertificateTemplate,
  "subject" | "serial" | "notBefore" | "notAfter"
> & {
  readonly keyPair: KeyPair;
  readonly parent?: CertificateAuthority;
};

/** Makes a root, or an intermediate signed by `parent`. */
export async function createCertificateAuthority(
  template: AuthorityTemplate,
): Promise<CertificateAuthority> {
  const { keyPair, parent, ...rest } = template;
  const signer = createKeySigner(keyPair.privateKey);
  const certificate = await issue(
    {
      ...rest,
      profile: parent === undefined ? "root" : "intermediate",
      spki: keyPair.publicKey.export({ format: "der", type: "spki" }),
      issuer: parent?.issuer,
    },
    parent?.signer ?? signer,
  );
  return authorityOf(certificate, signer);
}

function authorityOf(certificate: Certificate, signer: Signer): CertificateAuthority {
  const issuer = issuerOf(certificate);
  const { publicKey } = certificate;
  return { certificate, issuer, keyId: issuer.keyId.toString("hex"), publicKey, signer };
}

/** Opens an authority that was stored. Throws when certificate and key do not belong together. */
export function openCertificateAuthority(stored: {
  readonly certificate: string;
  readonly privateKey: KeyObject;
}): CertificateAuthority {
  const certificate = readCertificate(stored.certificate);
  if (!createPublicKey(stored.privateKey).equals(certificate.publicKey)) {
    throw new TypeError("the authority's key does not belong to its certificate");
  }
  return authorityOf(certificate, createKeySigner(stored.privateKey));
}

/** Builds, checks and signs in one step, for callers that record nothing in between. */
export function issueCertificate(
  authority: CertificateAuthority,
  template: Omit<CertificateTemplate, "issuer" | "signatureAlgorithm">,
): Promise<Certificate> {
  return issue({ ...template, issuer: authority.issuer }, authority.signer);
}

async function issue(
  template: Omit<CertificateTemplate, "signatureAlgorithm">,
  signer: Signer,
): Promise<Certificate> {
  const tbs = buildCertificate({ ...template, signatureAlgorithm: signer.algorithm });
  const faults = lintCertificate(tbs, { profile: template.profile, issuer: template.issuer });
  if (faults.length > 0)
    throw new TypeError(`the certificate is not fit to be signed: ${faults.join("; ")}`);
  return signCertificate(tbs, signer);
}
