import type { ServerOptions } from "node:https";
import {
  createSigner,
  createVerifier,
  readServiceKeys,
  type ServiceName,
  type Signer,
  type Verifier,
} from "@sextant/identity";
import { type InternalTLS, readInternalTLS } from "./internal-api.ts";

/** By what a service is known to the others, and knows them. */
export type ServiceTrust = {
  /** Signs its calls. */
  readonly signer: Signer;
  /** Verifies calls to it. */
  readonly verifier: Verifier;
  /** For its connections to others; undefined: plain HTTP, on loopback only. */
  readonly tls: InternalTLS | undefined;
  /** For its own listener: nobody without a certificate of the plane gets in. */
  readonly serverTLS: ServerOptions | undefined;
};

/** Opens a service's key directory. */
export function openTrust(
  service: ServiceName,
  settings: { readonly SEXTANT_KEYS_DIR: string; readonly SEXTANT_INTERNAL_TLS: "on" | "off" },
): ServiceTrust {
  const keys = readServiceKeys(settings.SEXTANT_KEYS_DIR, service);
  const tls =
    settings.SEXTANT_INTERNAL_TLS === "on" ? readInternalTLS(settings.SEXTANT_KEYS_DIR) : undefined;
  return {
    signer: createSigner({ service, ...keys, now: Date.now }),
    verifier: createVerifier({ service, trust: keys.trust, now: Date.now }),
    tls,
    serverTLS:
      tls === undefined ? undefined : { ...tls, requestCert: true, rejectUnauthorized: true },
  };
}
