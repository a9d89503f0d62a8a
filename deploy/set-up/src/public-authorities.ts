/**
 * The plane's public authorities: each an offline root and an online intermediate that signs. One is active, others may be trusted beside
 * it. The Connector's key directory has a directory for each, `authorities/<number>`, and names the active one in `active-authority`.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  createCertificateAuthority,
  createSerial,
  readCertificate,
  readCertificateChain,
  type CertificateAuthority,
} from "@sextant/x509";
import { ensureSelfSigned, newKeyPem, open, readKey, validity } from "./authorities.ts";
import {
  ensureFile,
  ensurePrivateDirectory,
  readIfPresent,
  replaceFile,
  SetUpError,
  type Owner,
} from "./key-files.ts";

const INTERMEDIATE_DAYS = 1_826;
/** More at a time are a mistake. */
const MOST = 5;
const ACTIVE = "active-authority";

/** Where the files of the public authorities are. */
export type AuthorityPaths = {
  readonly home: string;
  /** Holds the roots' keys, and is given to no service. */
  readonly offline: string;
  readonly connector: string;
};

/** The operator's own authority: a file with its certificate and its root's, and its key. PEM. */
export type OwnAuthority = { readonly chainFile: string; readonly keyFile: string };

/** One authority with its number. */
export type PublicAuthority = {
  readonly id: string;
  readonly authority: CertificateAuthority;
  /** PEM of its root's certificate. */
  readonly root: string;
};

/** All of them. */
export type PublicAuthorities = {
  readonly active: PublicAuthority;
  /** The active one first, then by number. */
  readonly all: readonly PublicAuthority[];
  /** True when this run made the first. */
  readonly created: boolean;
};

const directoryOf = ({ connector }: AuthorityPaths): string => join(connector, "authorities");

/** The certificates by which clients are trusted: of all authorities, the active one first. PEM. */
export const trustBundleOf = ({ all }: Pick<PublicAuthorities, "all">): string =>
  [...new Set(all.flatMap(({ authority, root }) => [authority.certificate.pem, root]))].join("");

/** The roots by which the plane is trusted: the active one first. PEM. */
export const rootsOf = ({ all }: Pick<PublicAuthorities, "all">): string =>
  [...new Set(all.map(({ root }) => root))].join("");

/** Reads what is there; undefined: none was made yet. */
export async function readAuthorities(
  paths: AuthorityPaths,
): Promise<Omit<PublicAuthorities, "created"> | undefined> {
  const active = (await readIfPresent(join(paths.connector, ACTIVE)))?.toString().trim();
  const names = await readdir(directoryOf(paths)).catch(() => []);
  const ids = names.filter((name) => /^\d+$/.test(name)).toSorted((a, b) => Number(a) - Number(b));
  if (active === undefined || ids.length === 0) return undefined;
  const all = await Promise.all(ids.map((id) => readAuthority(paths, id)));
  const found = all.find(({ id }) => id === active);
  if (found === undefined) {
    throw new SetUpError(
      `${join(paths.connector, ACTIVE)} names the authority ${active}, which is not in ${directoryOf(paths)}: restore it from a backup, or write the number of one that is there into the file`,
    );
  }
  return { active: found, all: [found, ...all.filter((one) => one !== found)] };
}

async function readAuthority(paths: AuthorityPaths, id: string): Promise<PublicAuthority> {
  const read = async (name: string): Promise<string> => {
    const path = join(directoryOf(paths), id, name);
    const content = await readIfPresent(path);
    if (content === undefined) throw new SetUpError(`${path} is missing: restore it from a backup`);
    return content.toString();
  };
  const [certificate, key, root] = [
    await read("cert.pem"),
    await read("key.pem"),
    await read("root.pem"),
  ];
  const keyFile = join(directoryOf(paths), id, "key.pem");
  return {
    id,
    authority: open(certificate, readKey(Buffer.from(key), keyFile).privateKey, keyFile),
    root,
  };
}

/** The authorities, the first of them made on the first run. `own`: the operator's in place of a new one. */
export async function ensureAuthorities(
  paths: AuthorityPaths,
  now: Date,
  { owner, own }: { readonly owner?: Owner | undefined; readonly own?: OwnAuthority | undefined },
): Promise<PublicAuthorities> {
  await ensurePrivateDirectory(directoryOf(paths), now, owner);
  await takeOverFirst(paths, owner);
  const present = await readAuthorities(paths);
  if (present !== undefined) {
    if (own !== undefined) await checkOwn(own, present.all);
    await ensureRoots(paths, present);
    return { ...present, created: false };
  }
  const rootFile = join(paths.home, "ca.pem");
  const madeBefore = await readIfPresent(rootFile);
  if (own === undefined) {
    const rootKeyFile = join(paths.offline, "root-key.pem");
    const root =
      madeBefore?.toString() ??
      (await ensureSelfSigned(rootFile, rootKeyFile, "O=Sextant,CN=Sextant Root CA", now, 0o644));
    await addAuthority(paths, "1", await newIntermediate(paths, root, "1", now), owner);
  } else {
    await addAuthority(paths, "1", await readOwn(own, now), owner);
  }
  await ensureFile(join(paths.connector, ACTIVE), () => "1\n", { owner });
  const made = await readAuthorities(paths);
  if (made === undefined) throw new SetUpError("the authority could not be made: run this again");
  await ensureRoots(paths, made);
  return { ...made, created: madeBefore === undefined };
}

/** Brings one more authority that is trusted and does not sign yet. Answers with its number. */
export async function prepareAuthority(
  paths: AuthorityPaths,
  now: Date,
  how: {
    readonly owner?: Owner | undefined;
    readonly newRoot: boolean;
    readonly own?: OwnAuthority | undefined;
  },
): Promise<string> {
  const present = await requireAuthorities(paths);
  if (present.all.length >= MOST)
    throw new SetUpError(`there are ${MOST} authorities already: retire one first`);
  const id = String(Math.max(...present.all.map((one) => Number(one.id))) + 1);
  const { owner, own, newRoot } = how;
  if (own !== undefined) {
    const files = await readOwn(own, now);
    if (present.all.some(({ authority }) => authority.certificate.pem === files.certificate))
      throw new SetUpError(`${own.chainFile} holds an authority that is there already`);
    await addAuthority(paths, id, files, owner);
  } else if (newRoot) {
    const root = await ensureSelfSigned(
      join(paths.offline, `root-${id}.pem`),
      join(paths.offline, `root-key-${id}.pem`),
      `O=Sextant,CN=Sextant Root CA ${id}`,
      now,
      0o600,
    );
    await addAuthority(paths, id, await newIntermediate(paths, root, id, now), owner);
  } else {
    await addAuthority(
      paths,
      id,
      await newIntermediate(paths, present.active.root, id, now),
      owner,
    );
  }
  return id;
}

/** Makes an authority the one that signs. */
export async function activateAuthority(
  paths: AuthorityPaths,
  id: string,
  owner: Owner | undefined,
): Promise<void> {
  const { all } = await requireAuthorities(paths);
  requireKnown(all, id);
  await replaceFile(join(paths.connector, ACTIVE), `${id}\n`, { owner });
}

/** Removes an authority that does not sign: what it has signed is trusted no longer. */
export async function retireAuthority(paths: AuthorityPaths, id: string): Promise<void> {
  const { all, active } = await requireAuthorities(paths);
  const { authority } = requireKnown(all, id);
  if (active.id === id)
    throw new SetUpError(`the authority ${id} signs: activate another one first`);
  await replaceFile(join(paths.offline, `retired-${id}.pem`), authority.certificate.pem);
  const gone = join(directoryOf(paths), `.${id}.${randomUUID()}.tmp`);
  await rename(join(directoryOf(paths), id), gone);
  await rm(gone, { recursive: true });
}

/** The authorities of a plane that was set up. */
export async function requireAuthorities(
  paths: AuthorityPaths,
): Promise<Omit<PublicAuthorities, "created">> {
  const present = await readAuthorities(paths);
  if (present === undefined)
    throw new SetUpError(
      `there are no authorities in ${paths.connector}: the plane is not set up yet`,
    );
  return present;
}

/** The one with this number. */
export function requireKnown(all: readonly PublicAuthority[], id: string): PublicAuthority {
  const found = all.find((one) => one.id === id);
  if (found === undefined) {
    const known = all
      .map((one) => one.id)
      .toSorted()
      .join(", ");
    throw new SetUpError(`there is no authority ${id}: there are ${known}`);
  }
  return found;
}

/** `ca.pem` follows the authorities; one that has none of their roots is another plane's. */
export async function ensureRoots(
  { home, connector }: AuthorityPaths,
  authorities: Pick<PublicAuthorities, "all">,
): Promise<void> {
  const path = join(home, "ca.pem");
  const present = await readIfPresent(path);
  if (present !== undefined && !authorities.all.some(({ root }) => present.includes(root))) {
    throw new SetUpError(
      `${path} is not the root of the keys in ${connector}: they belong to another plane`,
    );
  }
  const roots = rootsOf(authorities);
  if (present?.toString() !== roots) await replaceFile(path, roots, { mode: 0o644 });
}

type AuthorityFiles = { readonly certificate: string; readonly key: string; readonly root: string };

/** Stores an authority, whole or not at all. */
async function addAuthority(
  paths: AuthorityPaths,
  id: string,
  files: AuthorityFiles,
  owner: Owner | undefined,
): Promise<void> {
  const temporary = join(directoryOf(paths), `.${id}.${randomUUID()}.tmp`);
  await ensurePrivateDirectory(temporary, new Date(0), owner);
  await ensureFile(join(temporary, "cert.pem"), () => files.certificate, { owner });
  await ensureFile(join(temporary, "key.pem"), () => files.key, { owner });
  await ensureFile(join(temporary, "root.pem"), () => files.root, { owner });
  try {
    await rename(temporary, join(directoryOf(paths), id));
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another run was faster: then its authority is the one.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

async function newIntermediate(
  paths: AuthorityPaths,
  rootPem: string,
  id: string,
  now: Date,
): Promise<AuthorityFiles> {
  const root = open(rootPem, await rootKeyOf(paths, rootPem), `${paths.offline}/root-key.pem`);
  const key = newKeyPem();
  const made = await createCertificateAuthority({
    keyPair: readKey(Buffer.from(key), "a new key"),
    parent: root,
    subject: `O=Sextant,CN=Sextant Intermediate CA${id === "1" ? "" : ` ${id}`}`,
    serial: createSerial(randomBytes),
    ...validity(now, INTERMEDIATE_DAYS, root.issuer),
  });
  return { certificate: made.certificate.pem, key, root: rootPem };
}

/** The root's key, which is only needed to make an intermediate and may be kept elsewhere between. */
async function rootKeyOf({ offline }: AuthorityPaths, rootPem: string) {
  const { publicKey } = readCertificate(rootPem);
  for (const name of await readdir(offline)) {
    if (!/^root-key(?:-\d+)?\.pem$/.test(name)) continue;
    const path = join(offline, name);
    const { privateKey, publicKey: own } = readKey(await readFile(path), path);
    if (own.equals(publicKey)) return privateKey;
  }
  throw new SetUpError(
    `the key of the root is not in ${offline}: put root-key.pem back for this run, make a new root with --new-root, or bring an authority with --chain and --key`,
  );
}

/** Reads and checks the operator's authority. */
async function readOwn({ chainFile, keyFile }: OwnAuthority, now: Date): Promise<AuthorityFiles> {
  const wrong = (message: string) => new SetUpError(`${chainFile}: ${message}`);
  const [chainPem, key] = (await Promise.all(
    [chainFile, keyFile].map(async (path) => {
      const content = await readIfPresent(path);
      if (content === undefined)
        throw new SetUpError(`${path} cannot be read: there is no such file`);
      return content;
    }),
  )) as [Buffer, Buffer];
  let chain;
  try {
    chain = readCertificateChain(chainPem.toString());
  } catch (error) {
    throw wrong((error as Error).message);
  }
  const [certificate, root, more] = chain;
  if (certificate === undefined || root === undefined || more !== undefined)
    throw wrong("must hold two certificates: the authority's, then its root's");
  for (const [what, { x509, notAfter, notBefore }] of [
    ["the authority", certificate],
    ["the root", root],
  ] as const) {
    if (!x509.ca) throw wrong(`${what} may not sign certificates (basicConstraints)`);
    if (notAfter <= now || notBefore > now) throw wrong(`${what} is not in its time`);
  }
  if (!certificate.x509.verify(root.publicKey))
    throw wrong("the first certificate is not signed by the second");
  if (!root.x509.verify(root.publicKey)) throw wrong("the second certificate is not a root");
  open(certificate.pem, readKey(key, keyFile).privateKey, keyFile);
  return { certificate: certificate.pem, key: key.toString(), root: root.pem };
}

async function checkOwn(own: OwnAuthority, all: readonly PublicAuthority[]): Promise<void> {
  const given = (await readIfPresent(own.chainFile))?.toString() ?? "";
  if (
    all.some(({ authority }) =>
      given.replaceAll(/\s/g, "").includes(authority.certificate.pem.replaceAll(/\s/g, "")),
    )
  )
    return;
  throw new SetUpError(
    `${own.chainFile} is not an authority of this plane, which has its own already: bring it with \`keys ca prepare --chain=${own.chainFile} --key=${own.keyFile}\``,
  );
}

/** A plane that was made when there was one authority: its files become the first. */
async function takeOverFirst(paths: AuthorityPaths, owner: Owner | undefined): Promise<void> {
  const old = ["ca-cert.pem", "ca-key.pem", "root-cert.pem"].map((name) =>
    join(paths.connector, name),
  );
  const contents = await Promise.all(old.map(readIfPresent));
  const [certificate, key, root] = contents.map((content) => content?.toString());
  if (certificate === undefined || key === undefined || root === undefined) return;
  await addAuthority(paths, "1", { certificate, key, root }, owner);
  await ensureFile(join(paths.connector, ACTIVE), () => "1\n", { owner });
  for (const path of old) await rm(path);
}
