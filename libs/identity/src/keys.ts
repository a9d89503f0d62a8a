import { createPrivateKey, type KeyObject } from "node:crypto";
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
  const kid = trust.issuers[service]?.kid;
  if (kid === undefined)
    throw new Error(`${directory}/trust.json does not name the service ${service}`);
  return {
    kid,
    privateKey: createPrivateKey(readFileSync(join(directory, "service-key.pem"))),
    trust,
  };
}
