import { baseURL, loadConfig, wholeNumber } from "@sextant/config";
import { limitSettings } from "@sextant/graphql";
import { serviceSettings, serviceURL } from "@sextant/service";
import { z } from "zod";

const DAY = 86_400;

const settings = serviceSettings.extend({
  ...limitSettings,
  SEXTANT_REGISTRY_URL: serviceURL,
  SEXTANT_PUBLIC_URL: baseURL,
  SEXTANT_MTLS_URL: baseURL,
  SEXTANT_PROFILE: z.enum(["local", "production"]).default("production"),
  /** Lifetimes in seconds, with hard maxima. */
  SEXTANT_TOKEN_TTL_RUNTIME: wholeNumber(1, DAY).default(3_600),
  SEXTANT_TOKEN_TTL_APPLICATION: wholeNumber(1, DAY).default(300),
  SEXTANT_TOKEN_TTL_SIGNING: wholeNumber(1, 3_600).default(300),
  SEXTANT_CERTIFICATE_TTL_RUNTIME: wholeNumber(60, 90 * DAY).default(DAY),
  SEXTANT_CERTIFICATE_TTL_APPLICATION: wholeNumber(60, 365 * DAY).default(90 * DAY),
  SEXTANT_CRL_TTL: wholeNumber(60, 7 * DAY).default(DAY),
  /** Where certificates say that the revocation list is; `{issuer}` stands for the key identifier of the authority. */
  SEXTANT_CRL_URL: z
    .string()
    .regex(/^https?:\/\/[\x21-\x7e]{1,240}$/, "must be an http or https URL")
    .optional(),
});

/** The Connector's settings. */
export type ConnectorSettings = z.output<typeof settings>;

/** Reads them from the environment. */
export function readSettings(): ConnectorSettings {
  return loadConfig(settings, process.env);
}
