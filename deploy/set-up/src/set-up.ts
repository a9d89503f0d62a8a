/**
 * Makes everything secret that a plane needs before its first start, each service's part in a directory of its own.
 * Running it again changes nothing, but for certificates whose names have changed or whose end is near; a run that was
 * cut short is completed by the next.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ServiceName, serviceNames } from "@sextant/identity";
import { readCertificate, spkiPin } from "@sextant/x509";
import { ensureInternal } from "./authorities.ts";
import { internalNames, serverNames } from "./hosts.ts";
import { ensureIdentityKeys, type ServiceDirectories } from "./identity-keys.ts";
import {
  ensureFile,
  ensurePublic,
  ensurePrivateDirectory,
  explainFileFault,
  readIfPresent,
  replaceFile,
  SetUpError,
  type Owner,
} from "./key-files.ts";
import {
  type AuthorityPaths,
  ensureAuthorities,
  type OwnAuthority,
  type PublicAuthorities,
  trustBundleOf,
} from "./public-authorities.ts";
import { ensureLeaf } from "./tls-keys.ts";

/** What a plane is set up with. */
export type SetUpOptions = {
  /** Directory of the plane's own data, with `ca.pem`, `admin-token` and the offline keys. */
  readonly home: string;
  /** Names and addresses of the public listeners beside the loopback ones. */
  readonly publicHosts?: readonly string[];
  /** Names and addresses, beside each service's own name and the loopback ones, for internal TLS. */
  readonly internalHosts?: readonly string[];
  readonly now: Date;
  /** Directory that holds one directory for each service; default `<home>/keys`. */
  readonly keys?: string;
  /** Who the services' files belong to; default: who runs this. */
  readonly owner?: Owner;
  /** File that gets a password for the role that owns the database, where the database server is set up as well. */
  readonly databaseOwnerPassword?: string;
  /** The operator's own authority, in place of one that is made on the first run. */
  readonly ownAuthority?: OwnAuthority;
  /** The tenant that the first start makes; default `default`, named `Default`. */
  readonly tenant?: { readonly externalID: string; readonly name: string };
};

/** What the operator is told. */
export type SetUpResult = {
  /** The roots' certificates, that of the authority that signs first. */
  readonly caFile: string;
  readonly adminToken: string;
  /** SHA-256 of the root's certificate, as `openssl x509 -fingerprint -sha256` writes it. */
  readonly caFingerprint: string;
  /** Base64 of the SHA-256 of the root's public key. */
  readonly caPin: string;
  /** True when this run made the root. */
  readonly created: boolean;
};

/** Sets a plane up, or completes or refreshes what is there. Throws {@link SetUpError} with a remedy. */
export async function setUp(options: SetUpOptions): Promise<SetUpResult> {
  try {
    return await makeAll(options);
  } catch (error) {
    throw explainFileFault(error, options.home);
  }
}

/** Where everything is. */
export function placesOf({
  home,
  keys = join(home, "keys"),
}: Pick<SetUpOptions, "home" | "keys">): {
  readonly offline: string;
  readonly directories: ServiceDirectories;
  readonly authorities: AuthorityPaths;
} {
  const offline = join(home, "keys", "offline");
  const directories = Object.fromEntries(
    serviceNames.map((service) => [service, join(keys, service)]),
  ) as ServiceDirectories;
  return { offline, directories, authorities: { home, offline, connector: directories.connector } };
}

async function makeAll(options: SetUpOptions): Promise<SetUpResult> {
  const { home, now, owner } = options;
  const { offline, directories, authorities: paths } = placesOf(options);
  // Checked before the first file is made, so that a wrong name leaves nothing half done.
  const publicNames = serverNames(options.publicHosts ?? []);
  for (const service of serviceNames) internalNames(service, options.internalHosts ?? []);

  await mkdir(home, { recursive: true });
  await ensurePrivateDirectory(join(home, "keys"), now);
  await ensurePrivateDirectory(offline, now);
  for (const service of serviceNames)
    await ensurePrivateDirectory(directories[service], now, owner);

  const authorities = await ensureAuthorities(paths, now, { owner, own: options.ownAuthority });
  await ensureIdentityKeys(directories, owner);
  const internal = await ensureInternal(offline, now);
  const { internalHosts = [] } = options;
  const namesOf = (service: ServiceName) => internalNames(service, internalHosts);
  await ensureInternalTls(directories, internal, namesOf, { now, owner });
  await spreadAuthorities(directories, authorities, publicNames, { now, owner });
  await ensureSecrets(directories, owner);
  if (options.databaseOwnerPassword !== undefined) {
    // The server runs as a user that is not known here: who may read it is decided by who gets its directory.
    await ensureFile(options.databaseOwnerPassword, newPassword, { mode: 0o444 });
  }
  const adminToken = await ensureAdmin(directories, options);

  const certificate = readCertificate(authorities.active.root);
  return {
    caFile: join(home, "ca.pem"),
    adminToken,
    caFingerprint: certificate.x509.fingerprint256,
    caPin: spkiPin(certificate),
    created: authorities.created,
  };
}

/** Gives each service its internal certificate, for the names that it has, and trust in all internal authorities. */
export async function ensureInternalTls(
  directories: ServiceDirectories,
  { authority, trusted }: Awaited<ReturnType<typeof ensureInternal>>,
  namesOf: (
    service: ServiceName,
  ) => ReturnType<typeof internalNames> | Promise<ReturnType<typeof internalNames>>,
  { now, owner }: Pick<SetUpOptions, "now" | "owner">,
): Promise<void> {
  // Trust first: a certificate of a new authority is accepted before there is one.
  for (const service of serviceNames)
    await ensurePublic(join(directories[service], "internal-ca.pem"), trusted, owner);
  for (const service of serviceNames) {
    const directory = directories[service];
    await ensureLeaf(
      {
        directory,
        keyFile: "internal-key.pem",
        certificateFile: "internal-cert.pem",
        profile: "internal",
        subject: `O=Sextant,CN=${service}`,
        names: await namesOf(service),
        authority,
        chain: "",
        owner,
      },
      now,
    );
  }
}

/** Gives the services what follows from the authorities: a server certificate by the active one, and trust in all. */
export async function spreadAuthorities(
  directories: ServiceDirectories,
  authorities: Omit<PublicAuthorities, "created">,
  names: ReturnType<typeof serverNames>,
  { now, owner }: Pick<SetUpOptions, "now" | "owner">,
): Promise<void> {
  const gateway = directories["api-gateway"];
  const { authority, root } = authorities.active;
  // Trust first: what the new authority signs is accepted before there is any of it.
  await ensurePublic(join(gateway, "client-ca.pem"), trustBundleOf(authorities), owner);
  await ensureFile(join(gateway, "ticket-keys"), () => randomBytes(48), { owner });
  await ensureLeaf(
    {
      directory: gateway,
      keyFile: "tls-key.pem",
      certificateFile: "tls-cert.pem",
      profile: "server",
      subject: "O=Sextant,CN=Sextant",
      names,
      authority,
      // The root is sent too: an agent that knows only the root's pin finds it in the chain.
      chain: authority.certificate.pem + root,
      owner,
    },
    now,
  );
  // The provisioner gives its pin to the agents that it starts.
  await ensurePublic(join(directories["runtime-provisioner"], "root-cert.pem"), root, owner);
}

async function ensureSecrets(directories: ServiceDirectories, owner?: Owner): Promise<void> {
  const connector = join(directories.connector, "token-key");
  await ensureFile(connector, () => randomBytes(32).toString("base64"), { owner });
  await ensureFile(
    join(directories.director, "data-key"),
    () => randomBytes(32).toString("base64"),
    { owner },
  );
  await ensureFile(join(directories.registry, "database-password"), newPassword, { owner });
}

const newPassword = (): string => randomBytes(32).toString("base64url");

async function ensureAdmin(
  directories: ServiceDirectories,
  { home, owner, tenant = { externalID: "default", name: "Default" } }: SetUpOptions,
): Promise<string> {
  const token = await ensureFile(
    join(home, "admin-token"),
    () => `sxt_${randomBytes(32).toString("base64url")}`,
  );
  const adminToken = token.toString().trim();
  if (!/^sxt_[A-Za-z0-9_-]{43}$/.test(adminToken)) {
    throw new SetUpError(
      `${join(home, "admin-token")} is not an API token: remove it, and the next run makes a new one`,
    );
  }
  const adminTokenHash = createHash("sha256").update(adminToken).digest("hex");
  const content = `${JSON.stringify({ tenant, adminTokenHash }, undefined, 2)}\n`;
  // The registry's copy is for where it cannot see the home directory.
  await ensureBootstrap(join(home, "bootstrap.json"), content, adminTokenHash);
  await ensureBootstrap(
    join(directories.registry, "bootstrap.json"),
    content,
    adminTokenHash,
    owner,
  );
  return adminToken;
}

// An operator who removes the admin token gets a new one, and it must be the one that the registry knows.
async function ensureBootstrap(
  path: string,
  content: string,
  hash: string,
  owner?: Owner,
): Promise<void> {
  const present = await readIfPresent(path);
  if (present === undefined) await ensureFile(path, () => content, { owner });
  else if (!present.includes(hash)) await replaceFile(path, content, { owner });
}
