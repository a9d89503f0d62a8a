import { join } from "node:path";
import {
  createSigner,
  createVerifier,
  readServiceKeys,
  type ServiceKeys,
  type ServiceName,
  type Signer,
  type Verifier,
} from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { type FollowedFiles, followFiles } from "./follow-files.ts";
import { type InternalTLS, internalTLSFiles, readInternalTLS } from "./internal-api.ts";

/** By what a service is known to the others, and knows them. All of it may change while the service runs. */
export type ServiceTrust = {
  /** Its signing key, and whom it trusts: as they are whenever they are looked at. */
  readonly keys: ServiceKeys;
  /** Signs its calls. */
  readonly signer: Signer;
  /** Verifies calls to it. */
  readonly verifier: Verifier;
  /** For its listener and its connections to others; undefined: plain HTTP, on loopback only. */
  readonly tls: FollowedFiles<InternalTLS> | undefined;
};

/** Opens a service's key directory. */
export function openTrust(
  service: ServiceName,
  settings: { readonly SEXTANT_KEYS_DIR: string; readonly SEXTANT_INTERNAL_TLS: "on" | "off" },
  log: Logger,
): ServiceTrust {
  const directory = settings.SEXTANT_KEYS_DIR;
  const followed = followFiles({
    what: "signing keys of the services",
    paths: ["service-key.pem", "trust.json"].map((name) => join(directory, name)),
    read: () => readServiceKeys(directory, service),
    log,
  });
  const keys: ServiceKeys = {
    get kid() {
      return followed.current().kid;
    },
    get privateKey() {
      return followed.current().privateKey;
    },
    get trust() {
      return followed.current().trust;
    },
  };
  const options = Object.defineProperties(
    { service, now: Date.now },
    Object.getOwnPropertyDescriptors(keys),
  ) as ServiceKeys & { readonly service: ServiceName; readonly now: () => number };
  return {
    keys,
    signer: createSigner(options),
    verifier: createVerifier(options),
    tls:
      settings.SEXTANT_INTERNAL_TLS === "on"
        ? followFiles({
            what: "internal certificates and keys",
            paths: internalTLSFiles(directory),
            read: () => readInternalTLS(directory),
            log,
          })
        : undefined,
  };
}
