import { baseURL, loadConfig, wholeNumber } from "@sextant/config";
import { limitSettings } from "@sextant/graphql";
import { rolesSetting } from "@sextant/identity";
import { serviceSettings, serviceURL } from "@sextant/service";
import { z } from "zod";

const settings = serviceSettings.extend({
  ...limitSettings,
  SEXTANT_REGISTRY_URL: serviceURL,
  SEXTANT_CONNECTOR_URL: serviceURL,
  /** How the public listener is reached from outside: client credentials name it. */
  SEXTANT_PUBLIC_URL: baseURL,
  /** `local`: one machine, one owner; webhooks may go to private addresses. */
  SEXTANT_PROFILE: z.enum(["local", "production"]).default("production"),
  /** Names for sets of scopes. */
  SEXTANT_ROLES: rolesSetting,
  /** Seconds that an API token lasts at most; 0: as long as who makes it says. */
  SEXTANT_API_TOKEN_MAX_TTL: wholeNumber(0, 315_360_000).default(0),
  /** Key of the label whose values are groups. */
  SEXTANT_GROUP_LABEL: z
    .string()
    .regex(/^[a-zA-Z0-9_]+$/, "must be letters, digits and _")
    .default("group"),
  /** Seconds between two looks at an application's health, and for which its answer is waited for. */
  SEXTANT_HEALTH_CHECK_INTERVAL: wholeNumber(1, 86_400).default(30),
  SEXTANT_HEALTH_CHECK_TIMEOUT: wholeNumber(1, 60).default(5),
  /** The group of whoever is in no other. */
  SEXTANT_DEFAULT_GROUP: z.string().min(1).default("default"),
});

/** Director's settings. */
export type DirectorSettings = z.output<typeof settings>;

/** Reads them from the environment. */
export function readSettings(): DirectorSettings {
  return loadConfig(settings, process.env);
}
