/** What authorities are made of: keys, certificates and their times; and the internal authority. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  createCertificateAuthority,
  createKeyPair,
  createSerial,
  openCertificateAuthority,
  readCertificateChain,
  type CertificateAuthority,
} from "@sextant/x509";
import { ensureFile, readIfPresent, SetUpError } from "./key-files.ts";

const DAY_MS = 86_400_000;
const ROOT_DAYS = 3_652;
/** Clocks of users' machines may be a little behind. */
const BACKDATE_MS = 3_600_000;

/** A new private key as PEM. */
export const newKeyPem = (): string => pemOf(createKeyPair().privateKey);

const pemOf = (key: KeyObject): string => key.export({ format: "pem", type: "pkcs8" }).toString();

/** Reads a private key that was stored as PEM. */
export function readKey(
  pem: Buffer,
  path: string,
): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  try {
    const privateKey = createPrivateKey(pem);
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    throw new SetUpError(`${path} is not a private key: restore it from a backup`);
  }
}

/** When a certificate of so many days begins and ends, not later than its issuer. */
export function validity(
  now: Date,
  days: number,
  issuer?: { readonly notBefore: Date; readonly notAfter: Date },
) {
  const begin = Math.max(now.getTime() - BACKDATE_MS, issuer?.notBefore.getTime() ?? 0);
  const end = Math.min(
    begin + days * DAY_MS - 1_000,
    issuer?.notAfter.getTime() ?? Number.POSITIVE_INFINITY,
  );
  return { notBefore: wholeSecond(begin), notAfter: wholeSecond(end) };
}

const wholeSecond = (time: number): Date => new Date(Math.floor(time / 1_000) * 1_000);

/** Files of the internal authority, in the offline directory: of several the first issues, all are trusted. */
export const INTERNAL = { key: "internal-ca-key.pem", certificate: "internal-ca.pem" } as const;

/** The internal authority, opened with its key, which stays offline between runs; and the certificates of all that are trusted. */
export async function ensureInternal(
  offline: string,
  now: Date,
): Promise<{ readonly authority: CertificateAuthority; readonly trusted: string }> {
  const keyFile = join(offline, INTERNAL.key);
  const certificateFile = join(offline, INTERNAL.certificate);
  await refuseLostKey(certificateFile, keyFile);
  const trusted = await ensureSelfSigned(
    certificateFile,
    keyFile,
    "O=Sextant,CN=Sextant Internal CA",
    now,
    0o600,
  );
  const [first] = readCertificateChain(trusted);
  if (first === undefined)
    throw new SetUpError(`${certificateFile} holds no certificate: restore it from a backup`);
  const { privateKey } = readKey(await ensureFile(keyFile, newKeyPem), keyFile);
  return { authority: open(first.pem, privateKey, keyFile), trusted };
}

/** A new internal authority. */
export async function newInternal(
  now: Date,
): Promise<{ readonly key: string; readonly certificate: string }> {
  const key = newKeyPem();
  const made = await createCertificateAuthority({
    keyPair: readKey(Buffer.from(key), "a new key"),
    subject: "O=Sextant,CN=Sextant Internal CA",
    serial: createSerial(randomBytes),
    ...validity(now, ROOT_DAYS),
  });
  return { key, certificate: made.certificate.pem };
}

/** Key and certificate of a root; made when they are not there. */
export async function ensureSelfSigned(
  certificateFile: string,
  keyFile: string,
  subject: string,
  now: Date,
  mode: number,
): Promise<string> {
  const keyPair = readKey(await ensureFile(keyFile, newKeyPem), keyFile);
  const made = await ensureFile(
    certificateFile,
    async () => {
      const authority = await createCertificateAuthority({
        keyPair,
        subject,
        serial: createSerial(randomBytes),
        ...validity(now, ROOT_DAYS),
      });
      return authority.certificate.pem;
    },
    { mode },
  );
  return made.toString();
}

// A new key for an old certificate would break what was signed so far, silently.
async function refuseLostKey(certificateFile: string, keyFile: string): Promise<void> {
  const [certificate, key] = await Promise.all([
    readIfPresent(certificateFile),
    readIfPresent(keyFile),
  ]);
  if (certificate !== undefined && key === undefined) {
    throw new SetUpError(
      `${keyFile} is missing, but ${certificateFile} is there: restore the key from a backup`,
    );
  }
}

/** Opens an authority that was stored. Throws {@link SetUpError} when certificate and key do not belong together. */
export function open(
  certificate: string,
  privateKey: KeyObject,
  keyFile: string,
): CertificateAuthority {
  try {
    return openCertificateAuthority({ certificate, privateKey });
  } catch (error) {
    throw new SetUpError(
      `${keyFile} and its certificate cannot be used: ${(error as Error).message}`,
    );
  }
}
