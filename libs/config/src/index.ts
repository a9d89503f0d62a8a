/** Reads a process's settings from its environment: every fault is reported at once, each with the setting's name. */
import { z } from "zod";

/** One setting that is missing or wrong. `setting` is the environment variable's name. */
export type ConfigFault = { readonly setting: string; readonly message: string };

/** All the faults of one environment. Its message is ready to be shown to the operator. */
export class ConfigError extends Error {
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const lines = faults.map((fault) => `  ${fault.setting}: ${fault.message}`);
    super(`wrong settings in the environment:\n${lines.join("\n")}`);
    this.name = "ConfigError";
    this.faults = faults;
  }
}

/**
 * Checks `env` against `schema`, whose keys are the names of the environment variables. An empty value counts as absent,
 * as compose files and shells write it. Throws {@link ConfigError} with every fault.
 */
export function loadConfig<Schema extends z.ZodType>(
  schema: Schema,
  env: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const present = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  );
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const setting = issue.path.join(".") || "(environment)";
      const missing = issue.code === "invalid_type" && present[setting] === undefined;
      return { setting, message: missing ? "is required" : issue.message };
    }),
  );
}

/** `host:port`, such as `127.0.0.1:8443` or `[::1]:0`. Port 0 lets the operating system choose. */
export const listenAddress = z.string().transform((text, context) => {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    context.addIssue({ code: "custom", message: `must be host:port, got "${text}"` });
    return z.NEVER;
  }
  return { host: (match[1] ?? match[2]) as string, port };
});

/** Where a listener binds. */
export type ListenAddress = z.output<typeof listenAddress>;

/** The longest path of a Unix socket in bytes: what Linux has room for, less the byte that ends it (unix(7)). */
export const LONGEST_SOCKET_PATH = 107;

/** The path in `unix:/absolute/path`; undefined: it is none. */
export function socketPath(text: string): string | undefined {
  const path = text.startsWith("unix:/") ? text.slice(5) : undefined;
  return path !== undefined && Buffer.byteLength(path) <= LONGEST_SOCKET_PATH ? path : undefined;
}

/** A Unix socket, by which processes of one machine meet: whoever may use it, the file system says. */
export type SocketAddress = { readonly path: string };

/** A setting that is `unix:` and the path of a socket, of which `use` makes something, or else what `other` reads. */
function orSocket<Place>(
  use: (path: string) => Place,
  other: z.ZodType<Place, string>,
  what: string,
) {
  return z.string().transform((text, context) => {
    const path = socketPath(text);
    if (path !== undefined) return use(path);
    const read = other.safeParse(text);
    if (read.success) return read.data;
    context.addIssue({
      code: "custom",
      message: `must be ${what}, or unix: and an absolute path of at most ${LONGEST_SOCKET_PATH} bytes, got "${text}"`,
    });
    return z.NEVER;
  });
}

/** `host:port` as in {@link listenAddress}, or `unix:` and the absolute path of a Unix socket. */
export const internalListenAddress = orSocket<ListenAddress | SocketAddress>(
  (path) => ({ path }),
  listenAddress,
  "host:port",
);

/** An absolute http or https URL without a trailing slash. */
export const baseURL = z.string().transform((text, context) => {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    context.addIssue({ code: "custom", message: `must be an http or https URL, got "${text}"` });
    return z.NEVER;
  }
  return text.replace(/\/+$/, "");
});

/** Where another service is: a {@link baseURL}, or `unix:` and the absolute path of its Unix socket. */
export const internalURL = orSocket<string>(
  (path) => `unix:${path}`,
  baseURL,
  "an http or https URL",
);

/** A whole number between `min` and `max`, both included. */
export const wholeNumber = (min: number, max: number) =>
  z.string().transform((text, context) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      context.addIssue({
        code: "custom",
        message: `must be a whole number from ${min} to ${max}, got "${text}"`,
      });
      return z.NEVER;
    }
    return value;
  });

/** The levels of the log, from most to least talkative. */
export const logLevel = z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);

/** How log lines look: `json` for machines, `text` for people. */
export const logFormat = z.enum(["json", "text"]);
