import { getCompileCacheDir } from "node:module";
import { dirname, join } from "node:path";
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
  readonly internalURL: Readonly<Record<ServiceName, string>>;
  readonly opsURL: Readonly<Record<ServiceName, string>>;
}

/** Chooses ports for everything inside, and for the public listeners when the settings leave it open. */
export async function chooseTopology(settings: LocalSettings): Promise<Topology> {
  const ports = await freePorts(STOP_ORDER.length * 2 + 3);
  const next = (): number => ports.pop() ?? 0;
  const port = settings.port === 0 ? next() : settings.port;
  const mtlsPort = settings.mtlsPort === 0 ? next() : settings.mtlsPort;
  const host = settings.host.includes(":") ? `[${settings.host}]` : settings.host;
  const loopbackURLs = (): Record<ServiceName, string> =>
    Object.fromEntries(STOP_ORDER.map((name) => [name, `http://127.0.0.1:${next()}`])) as Record<
      ServiceName,
      string
    >;
  return {
    publicURL: settings.publicURL ?? `https://localhost:${port}`,
    mtlsURL: settings.mtlsURL ?? `https://localhost:${mtlsPort}`,
    publicListen: `${host}:${port}`,
    mtlsListen: `${host}:${mtlsPort}`,
    postgresPort: next(),
    internalURL: loopbackURLs(),
    opsURL: loopbackURLs(),
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
  const listen = (url: string): string => new URL(url).host;
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
