/** The keys by which services sign what they say to each other, and the public halves that all of them know. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { serviceNames, type ServiceName } from "@sextant/identity";
import { readKey } from "./authorities.ts";
import { ensureFile, ensurePublic, type Owner } from "./key-files.ts";

/** Each service's key directory. */
export type ServiceDirectories = Readonly<Record<ServiceName, string>>;

/** Makes each service's signing key, and `trust.json` in each directory. */
export async function ensureIdentityKeys(
  directories: ServiceDirectories,
  owner?: Owner,
): Promise<void> {
  const issuers: Record<string, { kid: string; publicKey: string }> = {};
  for (const service of serviceNames) {
    const path = join(directories[service], "service-key.pem");
    const pem = await ensureFile(path, newIdentityKey, { owner });
    const { publicKey } = readKey(pem, path);
    const spki = publicKey.export({ format: "der", type: "spki" });
    issuers[service] = {
      kid: createHash("sha256").update(spki).digest("base64url").slice(0, 16),
      publicKey: publicKey.export({ format: "pem", type: "spki" }).toString(),
    };
  }
  const trust = `${JSON.stringify({ issuers }, undefined, 2)}\n`;
  for (const service of serviceNames) {
    const path = join(directories[service], "trust.json");
    await ensurePublic(path, trust, owner);
  }
}

const newIdentityKey = (): string =>
  generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString();
