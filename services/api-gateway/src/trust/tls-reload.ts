import type { Logger } from "@sextant/logging";
import { type FollowedFiles, followFiles } from "@sextant/service";
import { readTlsMaterial, type TlsFiles, type TlsMaterial } from "./tls.ts";

/** Certificates and keys of the two listeners, as they are on disk. */
export type TlsReload = FollowedFiles<TlsMaterial>;

/** Looks after the files. `now` is in milliseconds. Throws when they cannot be used from the first. */
export function followTlsFiles(files: TlsFiles, log: Logger, now: () => number): TlsReload {
  return followFiles({
    what: "certificates and keys of the listeners",
    paths: Object.values(files),
    read: () => readTlsMaterial(files, new Date(now())),
    log,
  });
}
