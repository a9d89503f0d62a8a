/** The keys by which services sign what they say to each other, and the public halves that all of them know. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { serviceNames, type ServiceName } from "@sextant/identity";
import { readKey } from "./authorities.ts";
import { ensureFile, ensurePublic, type Owner } from "./key-files.ts";
import { keyBlocks } from "./rotating-keys.ts";

/** Each service's key directory. */
export type ServiceDirectories = Readonly<Record<ServiceName, string>>;

/** The file of a service's signing keys: the first signs, all are trusted. */
export const SERVICE_KEY = "service-key.pem";

/** Makes each service's signing key, and `trust.json` in each directory. */
export async function ensureIdentityKeys(
  directories: ServiceDirectories,
  owner?: Owner,
): Promise<void> {
  const issuers: Record<string, readonly { kid: string; publicKey: string }[]> = {};
  for (const service of serviceNames) {
    const path = join(directories[service], SERVICE_KEY);
    const pem = await ensureFile(path, newIdentityKey, { owner });
    const blocks = keyBlocks(pem.toString());
    // A text that has none is refused by name.
    issuers[service] = (blocks.length === 0 ? [pem.toString()] : blocks).map((block) => {
      const { publicKey } = readKey(Buffer.from(block), path);
      const spki = publicKey.export({ format: "der", type: "spki" });
      return {
        kid: createHash("sha256").update(spki).digest("base64url").slice(0, 16),
        publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
      };
    });
  }
  const trust = `${JSON.stringify({ issuers }, undefined, 2)}\n`;
  for (const service of serviceNames) {
    const path = join(directories[service], "trust.json");
    await ensurePublic(path, trust, owner);
  }
}

/** A new private key as PEM. */
export const newIdentityKey = (): string =>
  generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
