/** The Registry's settings. */
import { loadConfig, wholeNumber } from "@sextant/config";
import { serviceSettings } from "@sextant/service";
import { z } from "zod";

const databaseURL = z.string().transform((text, context) => {
  const url = URL.parse(text);
  const usable =
    (url?.protocol === "postgres:" || url?.protocol === "postgresql:") && url.username !== "";
  if (usable && url.pathname.length > 1) return text;
  context.addIssue({
    code: "custom",
    message: "must be postgresql://role:password@host:port/database",
  });
  return z.NEVER;
});

const owner = {
  /** The role that owns the tables, or may make them. Used at start, and by operators' commands. */
  DATABASE_URL: databaseURL,
  /** File with the password of that role, when it is not in the URL. */
  DATABASE_PASSWORD_FILE: z.string().optional(),
};

const settings = serviceSettings.extend({
  ...owner,
  /** A plain role to work as. Without it the Registry makes one: DATABASE_URL's role then needs CREATEROLE. */
  DATABASE_SERVICE_URL: databaseURL.optional(),
  /** Connections to the database. */
  DATABASE_CONNECTIONS: wholeNumber(2, 200).default(16),
  /** File that names the first tenant and the admin's API token: see bootstrap.ts. */
  SEXTANT_BOOTSTRAP_FILE: z.string().optional(),
});

/** See {@link readSettings}. */
export type RegistrySettings = z.output<typeof settings>;

/** Reads them from the environment. Throws ConfigError with all that is wrong. */
export function readSettings(): RegistrySettings {
  return loadConfig(settings, process.env);
}

/** Reads what an operator's command needs: where the database is. Throws ConfigError with all that is wrong. */
export function readDatabaseSettings() {
  return loadConfig(z.object(owner), process.env);
}
