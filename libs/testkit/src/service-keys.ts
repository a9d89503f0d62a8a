/** Signing keys of the services of a plane that exists in a test alone. */
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createSigner,
  createVerifier,
  type ServiceName,
  serviceNames,
  type Signer,
  type Trust,
  type Verifier,
} from "@sextant/identity";

/** The keys of all services, and what is made of them. */
export type TestKeys = {
  readonly trust: Trust;
  signerOf(service: ServiceName): Signer;
  verifierOf(service: ServiceName): Verifier;
  /** Writes a service's key directory as far as signing needs it. */
  write(directory: string, service: ServiceName): void;
};

/** Makes keys. `now` is in milliseconds. */
export function createTestKeys(now: () => number = Date.now): TestKeys {
  const privateKeys = new Map<ServiceName, KeyObject>();
  const issuers: Record<string, { kid: string; publicKey: string }[]> = {};
  for (const service of serviceNames) {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    privateKeys.set(service, privateKey);
    issuers[service] = [
      {
        kid: `${service}-1`,
        publicKey: publicKey.export({ type: "spki", format: "pem" }) as string,
      },
    ];
  }
  const trust: Trust = { issuers };
  const keyOf = (service: ServiceName): KeyObject => privateKeys.get(service) as KeyObject;
  return {
    trust,
    signerOf: (service) =>
      createSigner({ service, kid: `${service}-1`, privateKey: keyOf(service), now }),
    verifierOf: (service) => createVerifier({ service, trust, now }),
    write: (directory, service) => {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const file = (name: string, content: string) =>
        writeFileSync(join(directory, name), content, { mode: 0o600 });
      file("trust.json", JSON.stringify(trust));
      file("service-key.pem", keyOf(service).export({ type: "pkcs8", format: "pem" }) as string);
    },
  };
}
