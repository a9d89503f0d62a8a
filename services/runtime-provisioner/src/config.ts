import { loadConfig } from "@sextant/config";
import { limitSettings } from "@sextant/graphql";
import { serviceSettings, serviceURL } from "@sextant/service";
import { z } from "zod";

const settings = serviceSettings.extend({
  ...limitSettings,
  SEXTANT_REGISTRY_URL: serviceURL,
  SEXTANT_DIRECTOR_URL: serviceURL,
  SEXTANT_PROFILE: z.enum(["local", "production"]).default("production"),
  /** Where the driver `local` keeps a directory for each runtime. */
  SEXTANT_RUNTIMES_DIR: z.string(),
  /** Host at which those runtimes reach the gateway, where the plane's public host name leads elsewhere from here. */
  SEXTANT_PLANE_HOST: z.string().optional(),
  /** PEM file with the certificate whose pin they get, where the gateway shows another server certificate than the plane's own. */
  SEXTANT_SERVER_CA_FILE: z.string().optional(),
});

/** The provisioner's settings. */
export type ProvisionerSettings = z.output<typeof settings>;

/** Reads them from the environment. */
export function readSettings(): ProvisionerSettings {
  return loadConfig(settings, process.env);
}
