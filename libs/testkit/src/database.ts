/** A database of its own for each test file: a copy of one that was migrated once. */
import { createHash, randomBytes } from "node:crypto";
import { silentLogger } from "@sextant/logging";
import {
  MIGRATIONS_DIRECTORY,
  prepareDatabase,
  readMigrations,
  urlForRole,
} from "@sextant/registry";
import { Client } from "pg";

/** A migrated database on the test server. */
export type TestDatabase = {
  /** The server's superuser, in this database. */
  readonly superuserURL: string;
  /** The role that owns the tables: no superuser. */
  readonly ownerURL: string;
  /** The plain role that the Registry works as. */
  readonly serviceURL: string;
  readonly close: () => Promise<void>;
};

const OWNER = "sextant_test_owner";
const SERVICE = "sextant_test_service";
const PASSWORD = "only-for-tests";
/** Any number; held while the template is made. */
const LOCK = 7_398_100;

/** Runs statements as the server's superuser. */
async function asSuperuser<Result>(
  url: string,
  run: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

function inDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

/** The URL of the test server: the test runner starts one. */
export function testServerURL(): string {
  const url = process.env["TEST_DATABASE_URL"];
  if (url === undefined || url === "")
    throw new Error("TEST_DATABASE_URL is not set: run tests by vitest with its global set-up");
  return url;
}

/** Makes the migrated template unless another test file has. */
async function ensureTemplate(server: string): Promise<string> {
  const migrations = readMigrations(MIGRATIONS_DIRECTORY);
  const digest = createHash("sha256").update(JSON.stringify(migrations)).digest("hex").slice(0, 16);
  const template = `sextant_template_${digest}`;
  await asSuperuser(server, async (client) => {
    await client.query("select pg_advisory_lock($1)", [LOCK]);
    const known = await client.query("select from pg_database where datname = $1", [template]);
    if (known.rowCount !== 0) return;
    for (const role of [OWNER, SERVICE]) {
      const exists = await client.query("select from pg_roles where rolname = $1", [role]);
      if (exists.rowCount === 0)
        await client.query(`create role ${role} login password '${PASSWORD}'`);
    }
    const unfinished = `${template}_unfinished`;
    await client.query(`drop database if exists ${unfinished}`);
    await client.query(`create database ${unfinished} owner ${OWNER}`);
    const owner = urlForRole(inDatabase(server, unfinished), OWNER, PASSWORD);
    const serviceURL = urlForRole(owner, SERVICE, PASSWORD);
    await prepareDatabase(
      { ownerURL: owner, serviceURL, servicePassword: () => PASSWORD },
      silentLogger,
    );
    await client.query(`alter database ${unfinished} rename to ${template}`);
  });
  return template;
}

/** Makes an empty, migrated database. Close it at the end. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = testServerURL();
  const template = await ensureTemplate(server);
  const name = `sextant_test_${randomBytes(6).toString("hex")}`;
  await asSuperuser(server, async (client) => {
    await client.query(`create database ${name} template ${template} owner ${OWNER}`);
    // Rights on the database itself are not copied with it.
    await client.query(`grant connect on database ${name} to ${SERVICE}`);
  });
  const superuserURL = inDatabase(server, name);
  const ownerURL = urlForRole(superuserURL, OWNER, PASSWORD);
  return {
    superuserURL,
    ownerURL,
    serviceURL: urlForRole(ownerURL, SERVICE, PASSWORD),
    close: () =>
      asSuperuser(
        server,
        async (client) => void (await client.query(`drop database if exists ${name} with (force)`)),
      ),
  };
}
