import {
  internalListenAddress,
  internalURL,
  listenAddress,
  logFormat,
  logLevel,
} from "@sextant/config";
import { z } from "zod";

/** The settings that every service has. Keys are names of environment variables. */
export const serviceSettings = z.object({
  /** Where the internal API listens. */
  SEXTANT_LISTEN: internalListenAddress.default({ host: "127.0.0.1", port: 0 }),
  /** Where `/healthz`, `/readyz` and `/metrics` listen, as plain HTTP. */
  SEXTANT_OPS_LISTEN: listenAddress.default({ host: "127.0.0.1", port: 0 }),
  /** Directory with this service's own keys. */
  SEXTANT_KEYS_DIR: z.string(),
  /** `on`: internal calls are mutual TLS with the plane's internal CA, as they must be over a network. */
  SEXTANT_INTERNAL_TLS: z.enum(["on", "off"]).default("off"),
  LOG_LEVEL: logLevel.default("info"),
  LOG_FORMAT: logFormat.default("json"),
});

/** See {@link serviceSettings}. */
export type ServiceSettings = z.output<typeof serviceSettings>;

/** Where another service is, as a setting. */
export const serviceURL = internalURL;
