/** Encrypts secrets for storage: AES-256-GCM, bound to the tenant and the use, so that a sealed text is worth nothing elsewhere. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { DataKey, DataKeys } from "./data-keys.ts";

/** What a secret is for: part of what it is bound to. */
export type SecretUse = "auth" | "signing-secret" | "plan" | "answer" | "template";

/** Seals and opens secrets with Director's data keys. */
export type Sealer = {
  /** `v3.<id of the key>.<base64url of nonce, ciphertext and tag>`. */
  seal(tenant: string, use: SecretUse, text: string): string;
  /** Throws when the text was sealed for another tenant or use, by a key that is not there, or was changed. */
  open(tenant: string, use: SecretUse, sealed: string): string;
  /** The same, for who sends it on: the text's bytes in UTF-8. */
  openBytes(tenant: string, use: SecretUse, sealed: string): Buffer;
  /** What everything begins with that is sealed now: by the key in use, in the present form. */
  prefix(): string;
  /** Whether there is another key beside the one in use. */
  hasOthers(): boolean;
  /** A digest that tells nothing to who lacks the key: 32 hex digits. */
  digest(tenant: string, text: string): string;
};

const NONCE = 12;
const TAG = 16;

/** The first version named no key, the second compressed nothing. */
const sealedForm = /^(?:v1|v[23]\.(?<id>[0-9a-f]{8}))\.(?<bytes>[\w-]+)$/;

/** From so many bytes on a text is compressed before it is sealed. */
const COMPRESSED_FROM = 1024;

/** Of a plan a sixth is left; more work leaves little less. */
function pack(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  return bytes.length < COMPRESSED_FROM ? bytes : gzipSync(bytes, { level: 1 });
}

/** What is compressed begins as gzip does (RFC 1952), and as no text in UTF-8 can. */
function unpack(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  // It ends with how long it is otherwise: one piece of memory, and a byte more, which says that nothing follows.
  return gunzipSync(bytes, { chunkSize: bytes.readUInt32LE(bytes.length - 4) + 1 });
}

const boundTo = (tenant: string, use: SecretUse) => Buffer.from(`${tenant} ${use}`);

function decrypt(key: DataKey, bound: Buffer, bytes: Buffer): Buffer {
  const decipher = createDecipheriv("aes-256-gcm", key.encryption, bytes.subarray(0, NONCE))
    .setAAD(bound)
    .setAuthTag(bytes.subarray(-TAG));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]);
}

/** `keys` is asked each time: they may change. */
export function createSealer(keys: () => DataKeys): Sealer {
  const prefix = (): string => `v3.${keys().sealing.id}.`;
  const openBytes: Sealer["openBytes"] = (tenant, use, sealed) => {
    const { id, bytes } = sealedForm.exec(sealed)?.groups ?? {};
    if (bytes === undefined) throw new Error("a secret is sealed in an unknown version");
    const able = keys().all.filter((key) => id === undefined || key.id === id);
    if (able.length === 0) throw new Error(`the data key ${id} is not there: restore it`);
    const content = Buffer.from(bytes, "base64url");
    let fault: unknown;
    for (const key of able) {
      try {
        return unpack(decrypt(key, boundTo(tenant, use), content));
      } catch (error) {
        fault = error;
      }
    }
    throw fault;
  };
  return {
    prefix,
    hasOthers: () => keys().all.length > 1,
    seal(tenant, use, text) {
      const nonce = randomBytes(NONCE);
      const { encryption } = keys().sealing;
      const cipher = createCipheriv("aes-256-gcm", encryption, nonce).setAAD(boundTo(tenant, use));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(pack(text)),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return prefix() + sealed.toString("base64url");
    },
    openBytes,
    open: (tenant, use, sealed) => openBytes(tenant, use, sealed).toString("utf8"),
    digest: (tenant, text) =>
      createHmac("sha256", keys().digesting)
        .update(tenant)
        .update("\0")
        .update(text)
        .digest("hex")
        .slice(0, 32),
  };
}
