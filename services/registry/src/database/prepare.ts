/** Makes a database ready for this version: tables, the service's role, its rights. */
import { Client } from "pg";
import type { Logger } from "@sextant/logging";
import {
  migrate,
  MigrationError,
  MIGRATIONS_DIRECTORY,
  readMigrations,
  whileAlone,
} from "./migrate.ts";
import {
  ensureServiceRole,
  grantRights,
  roleExists,
  urlForRole,
  verifyServiceRole,
} from "./service-role.ts";

/** What the operator has given. */
export type DatabaseSettings = {
  /** Of the role that owns the tables. */
  readonly ownerURL: string;
  /** Of the service's role, when the operator has made one. */
  readonly serviceURL: string | undefined;
  /** Password for the role that is made otherwise. */
  readonly servicePassword: () => string;
};

/** Longest name of a role. */
const LONGEST_NAME = 63;

/** Makes the tables what they have to be, and the role, as the owner; answers with the URL to work with. */
async function prepareAsOwner(
  owner: Client,
  settings: DatabaseSettings,
  log: Logger,
): Promise<string> {
  await migrate(owner, readMigrations(MIGRATIONS_DIRECTORY), log);
  if (settings.serviceURL !== undefined) {
    const given = decodeURIComponent(new URL(settings.serviceURL).username);
    if (!(await roleExists(owner, given))) {
      throw new MigrationError(
        `the role ${given} of DATABASE_SERVICE_URL does not exist: create it as a plain role with a login, or leave the setting out`,
      );
    }
    await grantRights(owner, given);
    return settings.serviceURL;
  }
  const role = `${String(owner.database)}_service`.slice(-LONGEST_NAME);
  const password = settings.servicePassword();
  await ensureServiceRole(owner, role, password);
  await grantRights(owner, role);
  return urlForRole(settings.ownerURL, role, password);
}

/** What the operator can do about a connection that the server refuses for good. */
function explained(error: unknown, setting: string, url: string): unknown {
  const { code } = error as { readonly code?: unknown };
  const { username, pathname, host } = new URL(url);
  if (code === "28P01" || code === "28000") {
    return new MigrationError(`${host} refuses the role ${username}: check ${setting}`);
  }
  if (code === "3D000") {
    return new MigrationError(
      `${host} has no database ${pathname.slice(1)}: create it, or check ${setting}`,
    );
  }
  return error;
}

/**
 * Prepares the database and answers with the URL to work with. Safe to be run by several processes at once. Throws
 * MigrationError, or what the connection throws.
 */
export async function prepareDatabase(settings: DatabaseSettings, log: Logger): Promise<string> {
  const owner = new Client({
    connectionString: settings.ownerURL,
    application_name: "sextant-registry-owner",
  });
  owner.on("error", (error) => log.debug({ reason: error.message }, "owner connection lost"));
  let url: string;
  try {
    await owner.connect();
    url = await whileAlone(owner, () => prepareAsOwner(owner, settings, log));
  } catch (error) {
    throw explained(error, "DATABASE_URL", settings.ownerURL);
  } finally {
    await owner.end();
  }
  try {
    await verifyServiceRole(url);
  } catch (error) {
    throw explained(error, "DATABASE_SERVICE_URL", url);
  }
  return url;
}
