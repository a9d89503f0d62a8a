/** The set-up's settings, when it runs as a process of its own. */
import { hostname } from "node:os";
import { baseURL, loadConfig } from "@sextant/config";
import { z } from "zod";
import { planeHosts } from "./hosts.ts";
import type { SetUpOptions } from "./set-up.ts";

const list = z.string().transform((text) =>
  text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

const owner = z
  .string()
  .regex(/^\d{1,9}:\d{1,9}$/, "must be <uid>:<gid>")
  .transform((text) => {
    const [uid = 0, gid = 0] = text.split(":").map(Number);
    return { uid, gid };
  });

const schema = z.object({
  /** Directory of the plane's own data. */
  SEXTANT_HOME: z.string(),
  /** How the plane is reached from outside. */
  SEXTANT_PUBLIC_URL: baseURL.optional(),
  SEXTANT_MTLS_URL: baseURL.optional(),
  /** Further host names and addresses for the server certificate, with commas between. */
  SEXTANT_TLS_HOSTS: list.default([]),
  /** Further host names and addresses for the internal certificates, with commas between. */
  SEXTANT_INTERNAL_HOSTS: list.default([]),
  /** Directory with one directory, such as a mounted volume, for each service; default `SEXTANT_HOME/keys`. */
  SEXTANT_KEYS_TARGETS: z.string().optional(),
  /** `<uid>:<gid>` of the services, when they run as another user. */
  SEXTANT_KEYS_OWNER: owner.optional(),
});

/** Reads the settings. Throws ConfigError with every fault. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Omit<SetUpOptions, "now"> {
  const settings = loadConfig(schema, env);
  const containers = settings.SEXTANT_KEYS_TARGETS !== undefined;
  return {
    home: settings.SEXTANT_HOME,
    publicHosts: planeHosts({
      urls: [settings.SEXTANT_PUBLIC_URL, settings.SEXTANT_MTLS_URL],
      extra: settings.SEXTANT_TLS_HOSTS,
      // A container's name is new with each container and not one of the plane's.
      ...(containers ? {} : { hostname: hostname() }),
    }),
    internalHosts: settings.SEXTANT_INTERNAL_HOSTS,
    ...(settings.SEXTANT_KEYS_TARGETS === undefined ? {} : { keys: settings.SEXTANT_KEYS_TARGETS }),
    ...(settings.SEXTANT_KEYS_OWNER === undefined ? {} : { owner: settings.SEXTANT_KEYS_OWNER }),
  };
}
