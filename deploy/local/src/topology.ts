import { randomBytes } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { getCompileCacheDir } from "node:module";
import { dirname, join } from "node:path";
import { socketPath } from "@sextant/config";
import type { LocalSettings } from "./config.ts";
import { freePorts } from "./ports.ts";
import type { ServiceProcess } from "./service.ts";

/** The services in the order in which they are stopped: the door first, what the others need last. */
export const STOP_ORDER = [
  "api-gateway",
  "runtime-provisioner",
  "director",
  "connector",
  "registry",
] as const;

/** The name of a service. */
export type ServiceName = (typeof STOP_ORDER)[number];

/** Where the plane's parts listen. Chosen anew at each start, kept while it runs. */
export interface Topology {
  readonly publicURL: string;
  readonly mtlsURL: string;
  readonly publicListen: string;
  readonly mtlsListen: string;
  readonly postgresPort: number;
  /** Where each service is for the others: `unix:` and the path of a socket, or a URL of the loopback address. */
  readonly internalURL: Readonly<Record<ServiceName, string>>;
  readonly opsURL: Readonly<Record<ServiceName, string>>;
}

const socketIn = (directory: string, name: string): string =>
  `unix:${join(directory, `${name}.sock`)}`;

/**
 * Makes the directory of this start's sockets, closed to other users, and removes those of earlier ones. Undefined: the path is
 * too long for a socket.
 */
function socketDirectory(home: string): string | undefined {
  const all = join(home, "run");
  rmSync(all, { recursive: true, force: true });
  // Another name with each start: a service of a plane that was killed may be about to remove its socket.
  const directory = join(all, randomBytes(3).toString("hex"));
  const fits = (name: string) => socketPath(socketIn(directory, name)) !== undefined;
  if (!STOP_ORDER.every(fits)) return undefined;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

/** Chooses where everything inside listens, and ports for the public listeners when the settings leave them open. */
export async function chooseTopology(settings: LocalSettings): Promise<Topology> {
  const ports = await freePorts(STOP_ORDER.length * 2 + 3, [settings.port, settings.mtlsPort]);
  const next = (): number => ports.pop() ?? 0;
  const port = settings.port === 0 ? next() : settings.port;
  const mtlsPort = settings.mtlsPort === 0 ? next() : settings.mtlsPort;
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const each = (place: (name: ServiceName) => string): Record<ServiceName, string> =>
    Object.fromEntries(STOP_ORDER.map((name) => [name, place(name)])) as Record<
      ServiceName,
      string
    >;
  const loopback = (): string => `http://127.0.0.1:${next()}`;
  const sockets = socketDirectory(settings.home);
  return {
    publicURL: settings.publicURL ?? `https://localhost:${port}`,
    mtlsURL: settings.mtlsURL ?? `https://localhost:${mtlsPort}`,
    publicListen: `${host}:${port}`,
    mtlsListen: `${host}:${mtlsPort}`,
    postgresPort: next(),
    internalURL: each((name) => (sockets === undefined ? loopback() : socketIn(sockets, name))),
    opsURL: each(loopback),
  };
}

/** The services with their environment: each gets its own keys and settings, the registry alone the database. */
export function serviceProcesses(options: {
  readonly settings: LocalSettings;
  readonly topology: Topology;
  readonly databaseURL: string;
  entryOf(name: ServiceName): string;
}): ServiceProcess[] {
  const { settings, topology, databaseURL, entryOf } = options;
  const { home } = settings;
  const inUse = getCompileCacheDir();
  // Node's own directory is one below, named after its version and the user.
  const compiled = inUse === undefined ? join(home, "cache") : dirname(inUse);
  const listen = (url: string): string => (url.startsWith("unix:") ? url : new URL(url).host);
  const own: Record<ServiceName, Record<string, string>> = {
    "api-gateway": {
      SEXTANT_PUBLIC_LISTEN: topology.publicListen,
      SEXTANT_MTLS_LISTEN: topology.mtlsListen,
    },
    "runtime-provisioner": { SEXTANT_RUNTIMES_DIR: join(home, "runtimes") },
    director: {},
    connector: {},
    registry: {
      ...settings.registryEnvironment,
      DATABASE_URL: databaseURL,
      SEXTANT_BOOTSTRAP_FILE: join(home, "bootstrap.json"),
    },
  };
  return STOP_ORDER.map((name) => ({
    name,
    entry: entryOf(name),
    opsURL: topology.opsURL[name],
    environment: {
      ...settings.serviceEnvironment,
      // Code that was compiled before starts sooner and takes 25 MB less: nothing that strips types is loaded.
      NODE_COMPILE_CACHE: compiled,
      SEXTANT_PROFILE: "local",
      SEXTANT_OPS_LISTEN: listen(topology.opsURL[name]),
      ...(name === "api-gateway" ? {} : { SEXTANT_LISTEN: listen(topology.internalURL[name]) }),
      SEXTANT_KEYS_DIR: join(home, "keys", name),
      SEXTANT_REGISTRY_URL: topology.internalURL.registry,
      SEXTANT_DIRECTOR_URL: topology.internalURL.director,
      SEXTANT_CONNECTOR_URL: topology.internalURL.connector,
      SEXTANT_PROVISIONER_URL: topology.internalURL["runtime-provisioner"],
      SEXTANT_PUBLIC_URL: topology.publicURL,
      SEXTANT_MTLS_URL: topology.mtlsURL,
      LOG_LEVEL: settings.logLevel,
      LOG_FORMAT: "json",
      ...own[name],
    },
  }));
}
