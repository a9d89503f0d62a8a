/** Brings the database's tables to what this version needs: plain SQL files, each applied once, in order, by the owner's role. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Client } from "pg";
import type { Logger } from "@sextant/logging";

/** One folder of `migrations/`. */
export type Migration = { readonly name: string; readonly sql: string; readonly checksum: string };

/** The migrations of this version. */
export const MIGRATIONS_DIRECTORY: string = join(import.meta.dirname, "../../migrations");

/** Reads the migrations below a directory, in the order of their names. */
export function readMigrations(directory: string): readonly Migration[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(directory, name, "migration.sql"), "utf8");
      return { name, sql, checksum: createHash("sha256").update(sql).digest("hex") };
    });
}

/** The database is not one that this version can use. The message says what to do. */
export class MigrationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "MigrationError";
  }
}

const OLDEST_SERVER = 180_000;
/** Any number, as long as nothing else in this database locks it. */
const LOCK = 7_398_001;

/** Runs something that only one process may do at a time. */
export async function whileAlone<Result>(
  client: Client,
  run: () => Promise<Result>,
): Promise<Result> {
  await client.query("select pg_advisory_lock($1)", [LOCK]);
  try {
    return await run();
  } finally {
    await client.query("select pg_advisory_unlock($1)", [LOCK]);
  }
}

/** Refuses what cannot be gone on from: see {@link MigrationError}. */
function check(
  known: readonly Migration[],
  applied: readonly { name: string; checksum: string }[],
): void {
  const byName = new Map(known.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of applied) {
    const migration = byName.get(name);
    if (migration === undefined) {
      throw new MigrationError(
        `the database was made by a newer version of Sextant (it has the migration ${name}): start that version, or restore a backup made by this one`,
      );
    }
    if (migration.checksum !== checksum) {
      throw new MigrationError(
        `the migration ${name} is not the one that was applied to the database: restore the file, and put the change into a new migration`,
      );
    }
  }
}

/** Applies what is missing. `client` is connected as the owner, and alone: see {@link whileAlone}. */
export async function migrate(
  client: Client,
  migrations: readonly Migration[],
  log: Logger,
): Promise<void> {
  const version = await client.query<{ server_version_num: string }>("show server_version_num");
  if (Number(version.rows[0]?.server_version_num) < OLDEST_SERVER) {
    throw new MigrationError(
      "the database server is older than PostgreSQL 18: use a newer one in DATABASE_URL",
    );
  }
  await client.query(
    `create table if not exists sextant_migration (
       name text not null,
       checksum text not null,
       applied_at timestamptz not null default now(),
       constraint sextant_migration_pkey primary key (name)
     )`,
  );
  const applied = await client.query<{ name: string; checksum: string }>(
    "select name, checksum from sextant_migration",
  );
  check(migrations, applied.rows);
  const done = new Set(applied.rows.map(({ name }) => name));
  for (const { name, sql, checksum } of migrations) {
    if (done.has(name)) continue;
    await client.query("begin");
    try {
      await client.query(sql);
      await client.query("insert into sextant_migration (name, checksum) values ($1, $2)", [
        name,
        checksum,
      ]);
      await client.query("commit");
    } catch (error) {
      await client.query("rollback");
      throw error;
    }
    log.info({ migration: name }, "migration applied");
  }
}
