/** Encrypts secrets for storage: AES-256-GCM, bound to the tenant and the use, so that a sealed text is worth nothing elsewhere. */
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** What a secret is for: part of what it is bound to. */
export type SecretUse = "auth" | "signing-secret" | "plan" | "answer" | "template";

/** Seals and opens secrets with Director's data key. */
export type Sealer = {
  /** `v1.<base64url of nonce, ciphertext and tag>`. */
  seal(tenant: string, use: SecretUse, text: string): string;
  /** Throws when the text was sealed for another tenant or use, or was changed. */
  open(tenant: string, use: SecretUse, sealed: string): string;
  /** A digest that tells nothing to who lacks the key: 32 hex digits. */
  digest(tenant: string, text: string): string;
};

const NONCE = 12;
const TAG = 16;
const VERSION = "v1.";

/** `dataKey`: 32 bytes. Encryption and digests use keys derived from it (HKDF, RFC 5869). */
export function createSealer(dataKey: Buffer): Sealer {
  if (dataKey.length !== 32) throw new Error("the data key must have 32 bytes");
  const derive = (use: string) =>
    Buffer.from(hkdfSync("sha256", dataKey, Buffer.alloc(0), `sextant ${use}`, 32));
  const encryption = derive("encryption");
  const digesting = derive("digest");
  const boundTo = (tenant: string, use: SecretUse) => Buffer.from(`${tenant} ${use}`);

  return {
    seal(tenant, use, text) {
      const nonce = randomBytes(NONCE);
      const cipher = createCipheriv("aes-256-gcm", encryption, nonce).setAAD(boundTo(tenant, use));
      const sealed = Buffer.concat([
        nonce,
        cipher.update(text, "utf8"),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return VERSION + sealed.toString("base64url");
    },
    open(tenant, use, sealed) {
      if (!sealed.startsWith(VERSION)) throw new Error("a secret is sealed in an unknown version");
      const bytes = Buffer.from(sealed.slice(VERSION.length), "base64url");
      const decipher = createDecipheriv("aes-256-gcm", encryption, bytes.subarray(0, NONCE))
        .setAAD(boundTo(tenant, use))
        .setAuthTag(bytes.subarray(-TAG));
      return Buffer.concat([
        decipher.update(bytes.subarray(NONCE, -TAG)),
        decipher.final(),
      ]).toString("utf8");
    },
    digest: (tenant, text) =>
      createHmac("sha256", digesting)
        .update(tenant)
        .update("\0")
        .update(text)
        .digest("hex")
        .slice(0, 32),
  };
}
