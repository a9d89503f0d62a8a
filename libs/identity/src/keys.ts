import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ServiceName } from "./service-name.ts";
import { type Trust, trustSchema } from "./identity.ts";

/** What every service finds in its key directory. */
export type ServiceKeys = {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly trust: Trust;
};

/** Reads a service's signing key and the public keys of all services from its key directory. */
export function readServiceKeys(directory: string, service: ServiceName): ServiceKeys {
  const trust = trustSchema.parse(JSON.parse(readFileSync(join(directory, "trust.json"), "utf8")));
  // The first key in the file signs; others wait to, or have.
  const privateKey = createPrivateKey(readFileSync(join(directory, "service-key.pem")));
  const publicKey = createPublicKey(privateKey).export({ format: "pem", type: "spki" });
  const own = trust.issuers[service]?.find(
    (key) => key.publicKey.trim() === String(publicKey).trim(),
  );
  if (own === undefined)
    throw new Error(`${directory}/trust.json does not name the key of the service ${service}`);
  return { kid: own.kid, privateKey, trust };
}
