/** Director's data keys: the first seals, all open. Files of its key directory. */
import { createSecretKey, hkdfSync, type KeyObject } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One key, as what is derived from it (HKDF, RFC 5869). */
export type DataKey = {
  /** Names the key in what it has sealed, and tells nothing of it. */
  readonly id: string;
  readonly encryption: KeyObject;
};

/** All of them. */
export type DataKeys = {
  readonly sealing: DataKey;
  readonly all: readonly DataKey[];
  /** Stays the same when keys change: equal plans have equal digests. */
  readonly digesting: KeyObject;
};

const KEY_BYTES = 32;
/** Where the keys are, in the key directory. */
export const DATA_KEY_FILES = { keys: "data-key", digest: "digest-key" } as const;

const derive = (key: Buffer, use: string, bytes = KEY_BYTES): Buffer =>
  Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), `sextant ${use}`, bytes));

/** Made of keys of 32 bytes, the first of which seals. `digesting` absent: it is the last key's. */
export function dataKeysOf(keys: readonly Buffer[], digesting?: Buffer): DataKeys {
  const last = keys.at(-1);
  if (last === undefined || keys.some((key) => key.length !== KEY_BYTES))
    throw new Error(`a data key must have ${KEY_BYTES} bytes, in base64 on a line of its own`);
  const all = keys.map((key) => ({
    id: derive(key, "key id", 4).toString("hex"),
    encryption: createSecretKey(derive(key, "encryption")),
  }));
  return {
    sealing: all[0] as DataKey,
    all,
    digesting: createSecretKey(digesting ?? derive(last, "digest")),
  };
}

/** Reads the keys of a key directory. */
export function readDataKeys(directory: string): DataKeys {
  const decoded = (name: string): Buffer[] =>
    readFileSync(join(directory, name), "utf8")
      .split("\n")
      .filter((line) => line.trim() !== "")
      .map((line) => Buffer.from(line.trim(), "base64"));
  const digest = existsSync(join(directory, DATA_KEY_FILES.digest))
    ? decoded(DATA_KEY_FILES.digest)[0]
    : undefined;
  return dataKeysOf(decoded(DATA_KEY_FILES.keys), digest);
}
