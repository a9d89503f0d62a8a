/** Files that are there whole or not at all, whenever the process or the machine stops. */
import { access, constants, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Puts `content` in place of the file in one step, readable by its owner alone. */
export async function writeDurably(path: string, content: string | Buffer): Promise<void> {
  const directory = dirname(path);
  // One name is enough, for one agent owns the directory; what a killed one left is overwritten.
  const temporary = join(directory, `.${basename(path)}.tmp`);
  await rm(temporary, { force: true });
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
  await syncDirectory(directory);
}

/** Removes a file for good; no fault when there is none. */
export async function removeDurably(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncDirectory(dirname(path));
}

/** The content of a file, or undefined when there is none. */
export async function readIfPresent(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Makes the agent's directory, for its owner alone. */
export async function makeDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await access(path, constants.W_OK | constants.X_OK);
}

// Without it a power cut may undo the rename, although the file's content is safe.
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
