import { listenAddress, loadConfig } from "@sextant/config";
import { limitSettings } from "@sextant/graphql";
import { serviceSettings, serviceURL } from "@sextant/service";
import { z } from "zod";

const settings = serviceSettings.omit({ SEXTANT_LISTEN: true }).extend({
  ...limitSettings,
  /** Where everybody comes in who has a token. */
  SEXTANT_PUBLIC_LISTEN: listenAddress.default({ host: "0.0.0.0", port: 8443 }),
  /** Where paired applications and runtimes come in, by certificate. */
  SEXTANT_MTLS_LISTEN: listenAddress.default({ host: "0.0.0.0", port: 8444 }),
  SEXTANT_REGISTRY_URL: serviceURL,
  SEXTANT_DIRECTOR_URL: serviceURL,
  SEXTANT_CONNECTOR_URL: serviceURL,
  SEXTANT_PROVISIONER_URL: serviceURL,
  /** `local`: the schema may be asked for, and the explorer is served. */
  SEXTANT_PROFILE: z.enum(["local", "production"]).default("production"),
});

/** The gateway's settings. */
export type GatewaySettings = z.output<typeof settings>;

/** Reads them from the environment. */
export function readSettings(): GatewaySettings {
  return loadConfig(settings, process.env);
}
