/** Certificates that are issued again by themselves: the server's, and the services' internal ones. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  createSerial,
  issueCertificate,
  readCertificateChain,
  type AlternativeNames,
  type CertificateAuthority,
  type ProfileName,
} from "@sextant/x509";
import { newKeyPem, readKey, validity } from "./authorities.ts";
import { ensureFile, readIfPresent, replaceFile, type Owner } from "./key-files.ts";

const DAY_MS = 86_400_000;
const LEAF_DAYS = 396;
/** More than a month: a plane that is started once a year never has one that is over. */
const RENEW_DAYS = 90;

/** Where a key and its certificate are, and what the certificate must say. */
export type LeafTemplate = {
  readonly directory: string;
  readonly keyFile: string;
  readonly certificateFile: string;
  readonly profile: ProfileName;
  readonly subject: string;
  readonly names: Required<Pick<AlternativeNames, "dns" | "ip">>;
  readonly authority: CertificateAuthority;
  /** PEM that follows the leaf in the certificate's file. */
  readonly chain: string;
  readonly owner: Owner | undefined;
};

/** Makes key and certificate, or issues the certificate again when it no longer fits or ends soon. */
export async function ensureLeaf(template: LeafTemplate, now: Date): Promise<void> {
  const { directory, owner, authority } = template;
  const keyPath = join(directory, template.keyFile);
  const { publicKey } = readKey(await ensureFile(keyPath, newKeyPem, { owner }), keyPath);
  const spki = publicKey.export({ format: "der", type: "spki" });
  const certificatePath = join(directory, template.certificateFile);
  const present = await readIfPresent(certificatePath);
  if (present !== undefined && isGood(present.toString(), template, spki, now)) return;
  const certificate = await issueCertificate(authority, {
    profile: template.profile,
    subject: template.subject,
    spki,
    serial: createSerial(randomBytes),
    names: template.names,
    ...validity(now, LEAF_DAYS, authority.issuer),
  });
  await replaceFile(certificatePath, certificate.pem + template.chain, { owner });
}

function isGood(pem: string, { names, authority }: LeafTemplate, spki: Buffer, now: Date): boolean {
  let chain;
  try {
    chain = readCertificateChain(pem);
  } catch {
    return false;
  }
  const [leaf] = chain;
  return (
    leaf !== undefined &&
    leaf.spki.equals(spki) &&
    leaf.x509.verify(authority.certificate.publicKey) &&
    sameSet(leaf.names.dns, names.dns) &&
    sameSet(leaf.names.ip, names.ip) &&
    leaf.notAfter.getTime() - now.getTime() > RENEW_DAYS * DAY_MS
  );
}

const sameSet = (left: readonly string[], right: readonly string[]): boolean =>
  left.toSorted().join() === right.toSorted().join();
