import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DATABASE, OWNER } from "./cluster.ts";

/** The plane's database as its owner, where its server runs; undefined when it does not. `directory`: of the cluster. */
export function runningDatabaseURL(directory: string): string | undefined {
  // PostgreSQL writes its port into the fourth line of this file, and removes the file when it ends.
  const file = join(directory, "data", "postmaster.pid");
  if (!existsSync(file)) return undefined;
  const port = readFileSync(file, "utf8").split("\n")[3]?.trim();
  const password = readFileSync(join(directory, "owner-password"), "utf8").trim();
  return `postgresql://${OWNER}:${password}@127.0.0.1:${port}/${DATABASE}`;
}
