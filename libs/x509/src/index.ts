export {
  createCertificateAuthority,
  createKeyPair,
  issueCertificate,
  openCertificateAuthority,
  type AuthorityTemplate,
  type CertificateAuthority,
} from "./authority.ts";
export {
  buildCertificate,
  createSerial,
  type CertificateTemplate,
  type Issuer,
} from "./builder.ts";
export {
  issuerOf,
  openSigned,
  readCertificate,
  readCertificateChain,
  serialText,
  signCertificate,
  spkiPin,
  type Certificate,
} from "./certificate.ts";
export { formatClientUri, parseClientUri, type ClientIdentity } from "./client-uri.ts";
export { canonicalAddress, isDnsName, type AlternativeNames } from "./general-name.ts";
export { lintCertificate, type LintContext } from "./lint.ts";
export {
  formatSubject,
  NameError,
  parseSubject,
  type AttributeType,
  type NameAttribute,
} from "./name.ts";
export { readBase64, readPem, writePem, type PemBlock } from "./pem.ts";
export { PROFILES, type Profile, type ProfileName } from "./profile.ts";
export type { KeyKind } from "./public-key.ts";
export {
  createCertificateRequest,
  MAX_REQUEST_BYTES,
  parseCertificateRequest,
  type CertificateRequest,
  type KeyPair,
} from "./request.ts";
export {
  createRevocationList,
  REVOCATION_CODES,
  type RevocationCode,
  type Revoked,
} from "./revocation-list.ts";
export { certificateFaults, type Expected } from "./validate.ts";
export { createKeySigner, type SignatureAlgorithm, type Signer } from "./signature.ts";
