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

const schema = z
  .object({
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
    /** PEM files: the operator's own authority with its root behind it, and its key, in place of one that is made. */
    SEXTANT_CA_CHAIN_FILE: z.string().optional(),
    SEXTANT_CA_KEY_FILE: z.string().optional(),
    /** Where these services tell of keys and trust; default: what `plane.json` of a running local plane says. */
    SEXTANT_CONNECTOR_OPS_URL: baseURL.optional(),
    SEXTANT_DIRECTOR_OPS_URL: baseURL.optional(),
    /** File for a new password of the database's owner, readable by whoever is given its directory. */
    SEXTANT_DATABASE_PASSWORD_FILE: z.string().optional(),
  })
  .superRefine((given, context) => {
    if ((given.SEXTANT_CA_CHAIN_FILE === undefined) !== (given.SEXTANT_CA_KEY_FILE === undefined))
      context.addIssue({
        code: "custom",
        path: ["SEXTANT_CA_KEY_FILE"],
        message: "goes with SEXTANT_CA_CHAIN_FILE: give both or none",
      });
  });

/** How the set-up runs as a process: what it makes, and how the plane is reached when it has to say so. */
export type ProcessSettings = {
  readonly options: Omit<SetUpOptions, "now">;
  readonly publicURL: string | undefined;
  readonly mtlsURL: string | undefined;
  readonly connectorOpsURL: string | undefined;
  readonly directorOpsURL: string | undefined;
};

/** Reads the settings. Throws ConfigError with every fault. */
export function readSettings(
  env: Readonly<Record<string, string | undefined>> = process.env,
): ProcessSettings {
  const settings = loadConfig(schema, env);
  const { SEXTANT_PUBLIC_URL: publicURL, SEXTANT_MTLS_URL: mtlsURL } = settings;
  const { SEXTANT_KEYS_TARGETS: keys, SEXTANT_KEYS_OWNER: keysOwner } = settings;
  const { SEXTANT_CA_CHAIN_FILE: chainFile, SEXTANT_CA_KEY_FILE: keyFile } = settings;
  const databaseOwnerPassword = settings.SEXTANT_DATABASE_PASSWORD_FILE;
  const options = {
    home: settings.SEXTANT_HOME,
    publicHosts: planeHosts({
      urls: [publicURL, mtlsURL],
      extra: settings.SEXTANT_TLS_HOSTS,
      // A container's name is new with each container and not one of the plane's.
      ...(keys === undefined ? { hostname: hostname() } : {}),
    }),
    internalHosts: settings.SEXTANT_INTERNAL_HOSTS,
    ...(keys === undefined ? {} : { keys }),
    ...(keysOwner === undefined ? {} : { owner: keysOwner }),
    ...(chainFile === undefined || keyFile === undefined
      ? {}
      : { ownAuthority: { chainFile, keyFile } }),
    ...(databaseOwnerPassword === undefined ? {} : { databaseOwnerPassword }),
  };
  return {
    options,
    publicURL,
    mtlsURL,
    connectorOpsURL: settings.SEXTANT_CONNECTOR_OPS_URL,
    directorOpsURL: settings.SEXTANT_DIRECTOR_OPS_URL,
  };
}
