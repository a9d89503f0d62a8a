import pg from "pg";
import { Fault, systemCode } from "./fault.ts";

const CONNECT_WITHIN = 5_000;
const OLDEST_MAJOR = 18;

/** Refuses, with the remedy, a DATABASE_URL that leads nowhere: the registry would wait for it for ever. */
export async function checkDatabase(url: string): Promise<void> {
  const { host, pathname } = new URL(url);
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_WITHIN });
  client.on("error", () => undefined);
  let version: number;
  try {
    await client.connect();
    const { rows } = await client.query<{ version: string }>(
      "SELECT current_setting('server_version_num') AS version",
    );
    version = Math.floor(Number(rows[0]?.version) / 10_000);
  } catch (error) {
    // The server's own sentence names the role or the database that it does not know, never the password.
    const reason =
      error instanceof Error && error.message !== "" ? error.message : systemCode(error);
    throw new Fault(
      `the PostgreSQL of DATABASE_URL (${host}${pathname}) cannot be used: ${reason}.`,
      "Check that it runs and that the URL's host, user, password and database are right, or unset DATABASE_URL for the embedded one.",
      { cause: error },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
  if (version < OLDEST_MAJOR) {
    throw new Fault(
      `the PostgreSQL of DATABASE_URL (${host}) is version ${version}.`,
      `Sextant needs PostgreSQL ${OLDEST_MAJOR} or later.`,
    );
  }
}
