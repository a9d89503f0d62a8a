/**
 * Files of keys. A file appears whole or not at all, also after a power cut, and one that exists is never written
 * again unless the caller says so.
 */
import { randomUUID } from "node:crypto";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** The set-up cannot go on; the message has the remedy. */
export class SetUpError extends Error {
  override readonly name = "SetUpError";
}

/** Who files and directories belong to, when it is not who runs the set-up. */
export type Owner = { readonly uid: number; readonly gid: number };

/** How a file is made. */
export type FileOptions = { readonly mode?: number; readonly owner?: Owner | undefined };

const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;
const STALE_AFTER_MS = 3_600_000;
const TEMPORARY = /^\..+\.[0-9a-f-]{36}\.tmp$/;

/** Makes a directory for its owner alone, or makes an existing one so; removes what a killed run left half written. */
export async function ensurePrivateDirectory(
  path: string,
  now: Date,
  owner?: Owner,
): Promise<void> {
  await mkdir(path, { recursive: true, mode: PRIVATE_DIRECTORY });
  await chmod(path, PRIVATE_DIRECTORY);
  if (owner !== undefined) await chown(path, owner.uid, owner.gid);
  for (const name of await readdir(path)) {
    if (!TEMPORARY.test(name)) continue;
    const file = join(path, name);
    const age =
      now.getTime() - ((await lstat(file).catch(ignoreMissing))?.mtimeMs ?? now.getTime());
    // A younger one may be another run's that is at work now.
    if (age > STALE_AFTER_MS) await rm(file, { force: true, recursive: true });
  }
}

/** The content of a file, or undefined when there is none. */
export const readIfPresent = (path: string): Promise<Buffer | undefined> =>
  readFile(path).catch(ignoreMissing);

/** Reads a file, or makes it first. When two runs make it at once, both get the content of the first. */
export async function ensureFile(
  path: string,
  make: () => Promise<Buffer | string> | Buffer | string,
  options: FileOptions = {},
): Promise<Buffer> {
  const present = await readIfPresent(path);
  if (present !== undefined) return present;
  const temporary = await writeTemporary(path, await make(), options);
  try {
    // Unlike rename, link refuses when the file has appeared meanwhile.
    await link(temporary, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(path));
  return readFile(path);
}

/** Puts new content in place of a file's, in one step. */
export async function replaceFile(
  path: string,
  content: Buffer | string,
  options: FileOptions = {},
): Promise<void> {
  const temporary = await writeTemporary(path, content, options);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/**
 * A file that only repeats the public halves of keys elsewhere, so that it follows them: after a newer version has added a
 * service, or when a key was lost and made anew.
 */
export async function ensurePublic(
  path: string,
  content: string,
  owner: Owner | undefined,
): Promise<void> {
  if ((await readIfPresent(path))?.toString() !== content)
    await replaceFile(path, content, { owner });
}

async function writeTemporary(
  path: string,
  content: Buffer | string,
  options: FileOptions,
): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  const file = await open(temporary, "wx", options.mode ?? PRIVATE_FILE);
  try {
    await file.writeFile(content);
    if (options.mode !== undefined) await file.chmod(options.mode);
    if (options.owner !== undefined) await file.chown(options.owner.uid, options.owner.gid);
    await file.sync();
  } finally {
    await file.close();
  }
  return temporary;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}

/** Turns a refusal of the file system into words; anything else passes. */
export function explainFileFault(error: unknown, home: string): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return new SetUpError(
      `cannot write ${path ?? home} (${code}): let the user that runs this own ${home}, or name another directory in SEXTANT_HOME`,
    );
  }
  if (code === "ENOSPC") return new SetUpError(`no space is left on the disk of ${home}`);
  if (code === "ENOTDIR" || code === "EEXIST") {
    return new SetUpError(`${path ?? home} is not a directory: name another one in SEXTANT_HOME`);
  }
  return error;
}
