import { type SpawnOptions, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../fault.ts";

/**
 * A way to run PostgreSQL's programs with less than the rights of this process. PostgreSQL refuses to run as root, and initdb and
 * single-user mode also want their user to be in the user database; nothing is ever added to the machine for either.
 */
export interface Confinement {
  /** What comes before the program on the command line. */
  readonly prefix: readonly string[];
  /** The user that the program is switched to before it starts. */
  readonly switchTo?: { readonly uid: number; readonly gid: number };
  /** Who must own the files, as seen from this process; undefined when it is this process's own user anyway. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Who this process is and what the machine's user database has; replaced in tests. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly passwd: string;
}

/** In the range that distributions reserve, so that nobody's files or processes are its own by accident. */
const UNPRIVILEGED = { uid: 65_432, gid: 65_432 };

/** A user namespace without a mapping: no user that exists, but still the owner of its files, below a directory of 0700 too. */
const NAMESPACE = ["unshare", "--user", "--"];

/** All that PostgreSQL's programs get to see of this process's environment. */
export const ENVIRONMENT = { PATH: "/usr/bin:/bin:/usr/sbin:/sbin", LC_ALL: "C", TZ: "UTC" };

const USER_DATABASE = "/etc/passwd";

/** Reads who this process is. */
export function thisAccount(): Account {
  let passwd = "";
  try {
    passwd = readFileSync(USER_DATABASE, "utf8");
  } catch {
    // A machine without one is a machine without named users.
  }
  return { uid: process.getuid?.() ?? -1, gid: process.getgid?.() ?? -1, passwd };
}

function withCapability({ uid, gid }: { uid: number; gid: number }): string[] {
  return [
    "setpriv",
    `--reuid=${uid}`,
    `--regid=${gid}`,
    "--clear-groups",
    "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override",
    "--bounding-set=-all,+dac_override",
    "--",
  ];
}

/** The ways to run the server, the most confined first. */
export function serverConfinements({ uid }: Account): Confinement[] {
  if (uid !== 0) return [{ prefix: [] }];
  return [
    // A user of its own, where it can reach what it needs.
    { prefix: [], switchTo: UNPRIVILEGED, owner: UNPRIVILEGED },
    // Below a directory of root's that nobody else may enter, such as /root.
    { prefix: NAMESPACE, owner: { uid: 0, gid: 0 } },
    // The same in a container, where namespaces are refused: a user of its own that may pass closed directories.
    { prefix: withCapability(UNPRIVILEGED), owner: UNPRIVILEGED },
  ];
}

/** The ways to make a data directory: as the server, but as a user with a name. */
export function makerConfinements(account: Account): Confinement[] {
  const named = namedUser(account);
  const own = { uid: account.uid, gid: account.gid };
  if (account.uid !== 0) {
    const inNamespace = { prefix: NAMESPACE, owner: own };
    return named?.uid === account.uid ? [{ prefix: [] }, inNamespace] : [inNamespace];
  }
  const asNamed = named === undefined ? [] : [{ prefix: [], switchTo: named, owner: named }];
  const withRights = named === undefined ? [] : [{ prefix: withCapability(named), owner: named }];
  return [...asNamed, { prefix: NAMESPACE, owner: own }, ...withRights];
}

/** This process's user if it has a name; for root the unprivileged user `nobody`, or any other that there is. */
function namedUser({ uid, passwd }: Account): { uid: number; gid: number } | undefined {
  const users = passwd.split("\n").map((line) => {
    const [name, , userID, groupID] = line.split(":");
    return { name, uid: Number(userID), gid: Number(groupID) };
  });
  const found =
    uid === 0
      ? (users.find(({ name }) => name === "nobody") ?? users.find((user) => user.uid > 0))
      : users.find((user) => user.uid === uid);
  return found === undefined ? undefined : { uid: found.uid, gid: found.gid };
}

/** The program with what must come before it, and how to spawn it. */
export function confine(
  { prefix, switchTo }: Confinement,
  program: string,
  words: readonly string[],
): { command: string; words: string[]; options: SpawnOptions } {
  const [command = program, ...rest] = [...prefix, program, ...words];
  return { command, words: rest, options: switchTo ?? {} };
}

const REACHES = 'test "$(id -u)" != 0 && cd "$1" && test -r "$2" && test -x "$2"';

/** The first of the ways that this machine allows and that reaches the program and the directory. */
export function chooseConfinement(
  candidates: readonly Confinement[],
  program: string,
  directory: string,
): Confinement {
  for (const candidate of candidates) {
    const { command, words, options } = confine(candidate, "/bin/sh", [
      "-c",
      REACHES,
      "reach",
      directory,
      program,
    ]);
    const probe = spawnSync(command, words, {
      ...options,
      stdio: "ignore",
      cwd: "/",
      env: ENVIRONMENT,
    });
    if (probe.status === 0) return candidate;
  }
  throw new Fault(
    "this machine gives no way to run PostgreSQL as another user than root, or as one that initdb accepts.",
    `Start as an ordinary user that is in ${USER_DATABASE}, move SEXTANT_HOME and the clone out of ${dirname(directory)} to a ` +
      "place that every user may enter, or set DATABASE_URL to a PostgreSQL 18 of your own.",
  );
}
