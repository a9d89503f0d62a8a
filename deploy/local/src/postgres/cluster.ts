import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { socketPath } from "@sextant/config";
import { Fault } from "../fault.ts";
import type { Binaries } from "./binaries.ts";
import {
  type Account,
  chooseConfinement,
  type Confinement,
  confine,
  ENVIRONMENT,
  makerConfinements,
} from "./confinement.ts";
import { giveTo, openForPassage } from "./ownership.ts";

/** The database of a plane, and the role that owns it. */
export const DATABASE = "sextant";
export const OWNER = "sextant_owner";
export const SUPERUSER = "postgres";

/** A directory that holds one PostgreSQL data directory and the passwords to it. */
export interface Cluster {
  readonly directory: string;
  readonly data: string;
  readonly superuserPassword: string;
  readonly ownerPassword: string;
}

const ACCESS_RULES = "pg_hba.conf";
const PASSWORDS_ONLY = `${["local all all", "host all all 127.0.0.1/32"]
  .map((who) => `${who} scram-sha-256`)
  .join("\n")}\n`;

/** Opens the data directory, and makes it first where there is none. Interrupted making leaves nothing behind. */
export async function openCluster(
  directory: string,
  binaries: Binaries,
  account: Account,
): Promise<Cluster> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  if (account.uid === 0) openForPassage(directory);
  const cluster: Cluster = {
    directory,
    data: join(directory, "data"),
    superuserPassword: password(join(directory, "superuser-password")),
    ownerPassword: password(join(directory, "owner-password")),
  };
  if (existsSync(cluster.data)) {
    checkVersion(cluster, binaries);
    tidy(cluster);
  } else await make(cluster, binaries, account);
  return cluster;
}

/** Brings what an earlier version or a server that was killed has left to what is expected now. */
function tidy({ data }: Cluster): void {
  const rules = join(data, ACCESS_RULES);
  if (!existsSync(rules) || readFileSync(rules, "utf8") !== PASSWORDS_ONLY)
    writeFileSync(rules, PASSWORDS_ONLY);
  for (const name of readdirSync(data))
    if (name.startsWith(".s.PGSQL.")) rmSync(join(data, name), { force: true });
}

/** The directory in which the server makes its Unix socket; undefined: there is none, because its path would be too long. */
export function socketDirectory({ data }: Cluster, port: number): string | undefined {
  const isPlain = !/[",]/.test(data);
  return isPlain && socketPath(`unix:${join(data, `.s.PGSQL.${port}`)}`) !== undefined
    ? data
    : undefined;
}

function password(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(24).toString("hex"), { mode: 0o600 });
  return readFileSync(file, "utf8").trim();
}

function checkVersion({ data }: Cluster, { major }: Binaries): void {
  let found: string;
  try {
    found = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
  } catch (error) {
    throw new Fault(
      `${data} is no PostgreSQL data directory that this user can read.`,
      "Choose another SEXTANT_HOME, or restore that directory from a backup.",
      { cause: error },
    );
  }
  if (found === major) return;
  const age = Number(found) > Number(major) ? "newer" : "older";
  throw new Fault(
    `${data} was made by PostgreSQL ${found}; this version of Sextant has PostgreSQL ${major}, and cannot read ${age} data.`,
    age === "newer"
      ? "Use the version of Sextant that made it, or choose another SEXTANT_HOME."
      : "Export it with the version of Sextant that made it and import it here, or choose another SEXTANT_HOME.",
  );
}

async function make(cluster: Cluster, binaries: Binaries, account: Account): Promise<void> {
  const unfinished = `${cluster.data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  const maker = chooseConfinement(makerConfinements(account), binaries.initdb, cluster.directory);
  giveTo(maker, unfinished);
  await run(maker, binaries.initdb, [
    ...["--pgdata", unfinished, "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8"],
    // The built-in locale sorts the same way on every machine, whatever C library a later one has.
    ...[
      "--locale-provider",
      "builtin",
      "--builtin-locale",
      "C.UTF-8",
      "--locale",
      "C",
      "--no-instructions",
    ],
  ]);
  const statements = [
    `ALTER ROLE ${SUPERUSER} PASSWORD '${cluster.superuserPassword}';`,
    // The owner makes the registry's service role, and is no superuser, because row-level security does not hold those.
    `CREATE ROLE ${OWNER} LOGIN CREATEROLE PASSWORD '${cluster.ownerPassword}';`,
    `CREATE DATABASE ${DATABASE} OWNER ${OWNER};`,
    `REVOKE CONNECT ON DATABASE ${DATABASE} FROM PUBLIC;`,
  ];
  await run(
    maker,
    binaries.postgres,
    [
      "--single",
      "-D",
      unfinished,
      "-c",
      "exit_on_error=true",
      "-c",
      "log_checkpoints=off",
      SUPERUSER,
    ],
    `${statements.join("\n")}\n`,
  );
  writeFileSync(join(unfinished, ACCESS_RULES), PASSWORDS_ONLY);
  renameSync(unfinished, cluster.data);
}

/** Runs one of the programs to its end. */
async function run(
  by: Confinement,
  program: string,
  args: readonly string[],
  input = "",
): Promise<void> {
  const { command, words, options } = confine(by, program, args);
  const child = spawn(command, words, {
    ...options,
    // A program below a closed directory may not stand in one that it cannot enter.
    cwd: "/",
    env: ENVIRONMENT,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  child.stdout?.on("data", (chunk) => void (output += String(chunk)));
  child.stderr?.on("data", (chunk) => void (output += String(chunk)));
  // A program that has ended early does not read its input; its exit code says why.
  child.stdin?.on("error", () => undefined).end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code !== 0) {
    throw new Fault(
      `PostgreSQL's data could not be made:\n${output.trim()}`,
      "Check that the disk has space and that SEXTANT_HOME is on a local file system, then start again.",
    );
  }
}
