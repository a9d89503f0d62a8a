/** Certificates and keys that change on disk are in use seconds later; a file that cannot be used changes nothing but the log. */
import type { Logger } from "@sextant/logging";
import { readTlsMaterial, type TlsFiles, tlsFilesVersion, type TlsMaterial } from "./tls.ts";

/** Milliseconds between two looks. Looking needs no notifications, which volumes of a cluster do not give. */
const EVERY = 1_000;

/** What is in use, kept up to date. */
export type TlsReload = {
  current(): TlsMaterial;
  /** Calls `use` with what is new, each time. */
  onChange(use: (material: TlsMaterial) => void): void;
  /** Whether what is on disk is in use. */
  isCurrent(): boolean;
  close(): void;
};

/** Looks after the files. `now` is in milliseconds. Throws when they cannot be used from the first. */
export function followTlsFiles(files: TlsFiles, log: Logger, now: () => number): TlsReload {
  const users: ((material: TlsMaterial) => void)[] = [];
  // Asked first: a file that changes while it is read is read again.
  let version = tlsFilesVersion(files);
  let material = readTlsMaterial(files, new Date(now()));
  let isCurrent = true;

  const look = (): void => {
    const found = tlsFilesVersion(files);
    if (found === version) return;
    version = found;
    try {
      material = readTlsMaterial(files, new Date(now()));
      for (const use of users) use(material);
      isCurrent = true;
      log.info({ serverNotAfter: material.serverNotAfter }, "certificates and keys were read anew");
    } catch (error) {
      isCurrent = false;
      log.error(
        { reason: (error as Error).message },
        "changed certificates or keys cannot be used: the last good ones stay in use",
      );
    }
  };
  const timer = setInterval(look, EVERY).unref();
  return {
    current: () => material,
    onChange: (use) => void users.push(use),
    isCurrent: () => isCurrent,
    close: () => clearInterval(timer),
  };
}
