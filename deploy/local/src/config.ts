/** The settings of a local plane. */
import { hostname } from "node:os";
import { resolve } from "node:path";
import { baseURL, loadConfig, logFormat, logLevel, wholeNumber } from "@sextant/config";
import { planeHosts } from "@sextant/set-up";
import { z } from "zod";

const DEFAULT_PORT = 8443;

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

const secureURL = baseURL.refine((url) => url.startsWith("https:"), "must be an https URL");

const databaseURL = z.string().refine((text) => {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^postgres(?:ql)?:$/.test(url.protocol) &&
    url.hostname !== "" &&
    url.pathname.length > 1
  );
}, "must look like postgresql://user:password@host:5432/database");

const schema = z
  .object({
    SEXTANT_HOME: z.string().default(".sextant"),
    SEXTANT_HOST: z
      .string()
      .regex(/^[0-9A-Za-z.:-]+$/, "must be a host name or an address")
      .default("127.0.0.1"),
    SEXTANT_PORT: wholeNumber(0, 65_535).default(DEFAULT_PORT),
    SEXTANT_MTLS_PORT: wholeNumber(0, 65_535).optional(),
    SEXTANT_PUBLIC_URL: secureURL.optional(),
    SEXTANT_MTLS_URL: secureURL.optional(),
    SEXTANT_TLS_HOSTS: list.default([]),
    SEXTANT_CA_CHAIN_FILE: z.string().optional(),
    SEXTANT_CA_KEY_FILE: z.string().optional(),
    DATABASE_URL: databaseURL.optional(),
    LOG_LEVEL: logLevel.default("info"),
    LOG_FORMAT: logFormat.default("text"),
  })
  .superRefine(({ SEXTANT_PORT: port, SEXTANT_MTLS_PORT: mtlsPort, ...given }, context) => {
    if ((given.SEXTANT_CA_CHAIN_FILE === undefined) !== (given.SEXTANT_CA_KEY_FILE === undefined)) {
      context.addIssue({
        code: "custom",
        path: ["SEXTANT_CA_KEY_FILE"],
        message: "goes with SEXTANT_CA_CHAIN_FILE: give both or none",
      });
    }
    if (port !== 0 && port === mtlsPort) {
      context.addIssue({
        code: "custom",
        path: ["SEXTANT_MTLS_PORT"],
        message: "must not be SEXTANT_PORT",
      });
    }
    if (port === 65_535 && mtlsPort === undefined) {
      context.addIssue({
        code: "custom",
        path: ["SEXTANT_MTLS_PORT"],
        message: "is required: there is no port after 65535",
      });
    }
  });

/** What a local plane is started with. */
export interface LocalSettings {
  /** Absolute path of the directory that holds everything the plane keeps. */
  readonly home: string;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly mtlsPort: number;
  /** How the plane is reached from outside, when that is not the address where it listens. */
  readonly publicURL: string | undefined;
  readonly mtlsURL: string | undefined;
  /** Names and addresses for the server certificate beside the loopback ones. */
  readonly publicHosts: readonly string[];
  /** The operator's own authority for a new plane: absolute paths. */
  readonly ownAuthority: { readonly chainFile: string; readonly keyFile: string } | undefined;
  /** An existing PostgreSQL; undefined: the embedded one. */
  readonly databaseURL: string | undefined;
  readonly logLevel: string;
  readonly logFormat: "json" | "text";
  readonly colour: boolean;
  /** What the services get of this process's environment: their own settings, and no credentials. */
  readonly serviceEnvironment: Readonly<Record<string, string>>;
  /** More about the database, for the registry alone. */
  readonly registryEnvironment: Readonly<Record<string, string>>;
  /** Whether npm is the parent process, whose end must end the plane. */
  readonly endsWithParent: boolean;
}

const MACHINE =
  /^(?:PATH|HOME|USER|TZ|LANG|LC_.*|TMPDIR|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_.*|(?:HTTPS?|NO|ALL)_PROXY)$/i;
const SERVICES_OWN = /^(?:SEXTANT|OTEL)_/;

/** Shown by `npm start -- --help`. */
export const HELP = `npm start: a whole plane on this machine. Settings are environment variables:

  SEXTANT_HOME        directory of everything the plane keeps        .sextant
  SEXTANT_PORT        public port, 0 for any free one                ${DEFAULT_PORT}
  SEXTANT_MTLS_PORT   port for client certificates                   the next after SEXTANT_PORT
  SEXTANT_HOST        address to listen on; 0.0.0.0 for every one    127.0.0.1
  SEXTANT_PUBLIC_URL  how the public port is reached from outside    https://localhost:<port>
  SEXTANT_MTLS_URL    how the other port is reached from outside     https://localhost:<port>
  SEXTANT_TLS_HOSTS   more names for the certificate, with commas    none
  DATABASE_URL        an existing PostgreSQL 18 instead of the       none
                      embedded one: the owner of its database
  LOG_LEVEL           trace debug info warn error fatal silent       info
  LOG_FORMAT          text, or json: one object a line               text

Settings of single services (docs/) are passed on to them. Ctrl-C stops everything in order, a second one at once.
`;

/** Reads the settings. Throws ConfigError with every fault. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
  isTerminal: boolean = process.stdout.isTTY,
): LocalSettings {
  const settings = loadConfig(schema, env);
  const port = settings.SEXTANT_PORT;
  const given = [settings.SEXTANT_PUBLIC_URL, settings.SEXTANT_MTLS_URL];
  return {
    home: resolve(settings.SEXTANT_HOME),
    host: settings.SEXTANT_HOST,
    port,
    mtlsPort: settings.SEXTANT_MTLS_PORT ?? (port === 0 ? 0 : port + 1),
    publicURL: settings.SEXTANT_PUBLIC_URL,
    mtlsURL: settings.SEXTANT_MTLS_URL,
    ownAuthority:
      settings.SEXTANT_CA_CHAIN_FILE === undefined || settings.SEXTANT_CA_KEY_FILE === undefined
        ? undefined
        : {
            chainFile: resolve(settings.SEXTANT_CA_CHAIN_FILE),
            keyFile: resolve(settings.SEXTANT_CA_KEY_FILE),
          },
    publicHosts: planeHosts({
      urls: given,
      extra: settings.SEXTANT_TLS_HOSTS,
      hostname: hostname(),
    }),
    databaseURL: settings.DATABASE_URL,
    logLevel: settings.LOG_LEVEL,
    logFormat: settings.LOG_FORMAT,
    colour: isTerminal && (env["NO_COLOR"] ?? "") === "",
    serviceEnvironment: select(env, (name) => MACHINE.test(name) || SERVICES_OWN.test(name)),
    registryEnvironment: select(
      env,
      // Another role makes sense only in a database of one's own.
      (name) =>
        name.startsWith("DATABASE_") &&
        (settings.DATABASE_URL !== undefined || name !== "DATABASE_SERVICE_URL"),
    ),
    endsWithParent: env["npm_lifecycle_event"] !== undefined,
  };
}

function select(
  env: Readonly<Record<string, string | undefined>>,
  isWanted: (name: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value !== undefined && isWanted(name) ? [[name, value]] : [],
    ),
  );
}
