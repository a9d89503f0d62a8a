/** The two authorities of a plane: the public one (offline root, online intermediate) and the internal one. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  createCertificateAuthority,
  createKeyPair,
  createSerial,
  openCertificateAuthority,
  type CertificateAuthority,
} from "@sextant/x509";
import { ensureFile, readIfPresent, SetUpError, type Owner } from "./key-files.ts";

const DAY_MS = 86_400_000;
const ROOT_DAYS = 3_652;
const INTERMEDIATE_DAYS = 1_826;
/** Clocks of users' machines may be a little behind. */
const BACKDATE_MS = 3_600_000;

/** Where the public authority's files are. */
export type AuthorityPaths = {
  readonly home: string;
  /** Holds root and internal key, and is given to no service. */
  readonly offline: string;
  readonly connector: string;
};

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

/** The root's certificate; made with its key on the first run. The key may be taken away afterwards. */
export async function ensureRoot(
  paths: AuthorityPaths,
  now: Date,
): Promise<{ pem: string; created: boolean }> {
  const certificate = join(paths.home, "ca.pem");
  const copy = await readIfPresent(join(paths.connector, "root-cert.pem"));
  if (copy !== undefined) {
    // The home directory may have been lost alone, when each service's keys are a volume of their own.
    const present = await ensureFile(certificate, () => copy, { mode: 0o644 });
    if (present.equals(copy)) return { pem: copy.toString(), created: false };
    throw new SetUpError(
      `${certificate} is not the root of the keys in ${paths.connector}: they belong to another plane`,
    );
  }
  const present = await readIfPresent(certificate);
  if (present !== undefined) return { pem: present.toString(), created: false };
  const pem = await ensureSelfSigned(
    certificate,
    join(paths.offline, "root-key.pem"),
    "O=Sextant,CN=Sextant Root CA",
    now,
    0o644,
  );
  return { pem, created: true };
}

/** The online intermediate, opened with its key. Needs the root's key only on the first run. */
export async function ensureIntermediate(
  paths: AuthorityPaths,
  rootPem: string,
  now: Date,
  owner?: Owner,
): Promise<CertificateAuthority> {
  const keyFile = join(paths.connector, "ca-key.pem");
  const certificateFile = join(paths.connector, "ca-cert.pem");
  await refuseLostKey(certificateFile, keyFile);
  const keyPair = readKey(await ensureFile(keyFile, newKeyPem, { owner }), keyFile);
  const certificate = await ensureFile(
    certificateFile,
    async () => {
      const rootKeyFile = join(paths.offline, "root-key.pem");
      const rootKey = await readIfPresent(rootKeyFile);
      if (rootKey === undefined) {
        throw new SetUpError(
          `${rootKeyFile} is needed to make a new intermediate authority: put it back for this run`,
        );
      }
      const root = open(rootPem, readKey(rootKey, rootKeyFile).privateKey, rootKeyFile);
      const made = await createCertificateAuthority({
        keyPair,
        parent: root,
        subject: "O=Sextant,CN=Sextant Intermediate CA",
        serial: createSerial(randomBytes),
        ...validity(now, INTERMEDIATE_DAYS, root.issuer),
      });
      return made.certificate.pem;
    },
    { owner },
  );
  return open(certificate.toString(), keyPair.privateKey, keyFile);
}

/** The internal authority, opened with its key, which stays offline between runs. */
export async function ensureInternal(offline: string, now: Date): Promise<CertificateAuthority> {
  const keyFile = join(offline, "internal-ca-key.pem");
  const certificateFile = join(offline, "internal-ca.pem");
  await refuseLostKey(certificateFile, keyFile);
  const pem = await ensureSelfSigned(
    certificateFile,
    keyFile,
    "O=Sextant,CN=Sextant Internal CA",
    now,
    0o600,
  );
  return open(pem, readKey(await ensureFile(keyFile, newKeyPem), keyFile).privateKey, keyFile);
}

async function ensureSelfSigned(
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

function open(certificate: string, privateKey: KeyObject, keyFile: string): CertificateAuthority {
  try {
    return openCertificateAuthority({ certificate, privateKey });
  } catch (error) {
    throw new SetUpError(
      `${keyFile} and its certificate cannot be used: ${(error as Error).message}`,
    );
  }
}
