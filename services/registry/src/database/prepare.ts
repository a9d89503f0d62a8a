/** Makes a database ready for this version: tables, the service's role, its rights. */
import { Client } from "pg";
import type { Logger } from "@sextant/logging";
import { migrate, MIGRATIONS_DIRECTORY, readMigrations } from "./migrate.ts";
import { ensureServiceRole, grantRights, urlForRole, verifyServiceRole } from "./service-role.ts";

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

/** Prepares the database and answers with the URL to work with. Throws MigrationError, or what the connection throws. */
export async function prepareDatabase(settings: DatabaseSettings, log: Logger): Promise<string> {
  const owner = new Client({
    connectionString: settings.ownerURL,
    application_name: "sextant-registry-owner",
  });
  owner.on("error", (error) => log.debug({ reason: error.message }, "owner connection lost"));
  await owner.connect();
  let url: string;
  try {
    await migrate(owner, readMigrations(MIGRATIONS_DIRECTORY), log);
    let role: string;
    if (settings.serviceURL === undefined) {
      role = `${String(owner.database)}_service`.slice(-LONGEST_NAME);
      const password = settings.servicePassword();
      await ensureServiceRole(owner, role, password);
      url = urlForRole(settings.ownerURL, role, password);
    } else {
      url = settings.serviceURL;
      role = decodeURIComponent(new URL(url).username);
    }
    await grantRights(owner, role);
  } finally {
    await owner.end();
  }
  await verifyServiceRole(url);
  return url;
}
