import { chmodSync, lchownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../fault.ts";
import type { Confinement } from "./confinement.ts";

/** Lets other users pass through a directory, though not list it. */
export function openForPassage(directory: string): void {
  chmodSync(directory, 0o711);
}

/** Gives a directory and everything in it to the user that a confinement runs as. */
export function giveTo({ owner }: Confinement, directory: string): void {
  const { uid } = lstatSync(directory);
  const wanted = owner ?? { uid: process.getuid?.() ?? uid, gid: process.getgid?.() ?? 0 };
  if (uid === wanted.uid) return;
  if (process.getuid?.() !== 0) {
    throw new Fault(
      `${directory} belongs to another user (uid ${uid}).`,
      "Start as that user, or choose another SEXTANT_HOME.",
    );
  }
  giveAll(directory, wanted);
}

function giveAll(path: string, owner: { uid: number; gid: number }): void {
  // Inside first: a directory that still belongs to the old owner shows that the work was interrupted.
  if (lstatSync(path).isDirectory()) {
    for (const name of readdirSync(path)) giveAll(join(path, name), owner);
  }
  lchownSync(path, owner.uid, owner.gid);
}
