/** The agent's settings. What pairing needs is only asked for while the agent has no certificate. */
import { listenAddress, loadConfig, logFormat, logLevel, wholeNumber } from "@sextant/config";
import { z } from "zod";

const httpsUrl = z
  .url({ protocol: /^https$/, error: "must be an https URL" })
  .transform((text) => text.replace(/\/+$/, ""));

const pin = z
  .string()
  .regex(/^(?:sha256\/\/)?[A-Za-z0-9+/]{43}=$/, "must be sha256// and the base64 of a SHA-256")
  .transform((text) => text.replace(/^sha256\/\//, ""));

const schema = z.object({
  /** The agent's own directory: its key, its certificate and its plan. */
  AGENT_DIR: z.string(),
  /** The Connector's public GraphQL endpoint, to pair with. */
  CONNECTOR_URL: httpsUrl.optional(),
  /** The one-time token to pair with. */
  TOKEN: z.string().optional(),
  /** SHA-256 of the public key of the plane's root, as curl writes pins. */
  CA_PIN: pin.optional(),
  /** PEM file with the plane's root. */
  CA_FILE: z.string().optional(),
  /**
   * Host to look up in place of the host names in the plane's URLs, where those lead elsewhere, as `localhost` does in a
   * container. Certificates are still checked for the URLs' names.
   */
  PLANE_HOST: z.string().optional(),
  /** Which runtime this is; for the log, and to notice a token for another one. */
  RUNTIME_ID: z.string().optional(),
  TENANT: z.string().optional(),
  /** Seconds between two looks at whether the plan's applications can be connected to; 0: never. */
  REACH_INTERVAL: wholeNumber(0, 86_400).default(60),
  /** Where `/healthz` and `/readyz` listen; by default nowhere. */
  SEXTANT_OPS_LISTEN: listenAddress.optional(),
  LOG_LEVEL: logLevel.default("info"),
  LOG_FORMAT: logFormat.default("json"),
});

/** See the settings' own comments. */
export type Settings = z.output<typeof schema>;

/** Reads the settings. Throws ConfigError with every fault. */
export const readSettings = (
  env: Readonly<Record<string, string | undefined>> = process.env,
): Settings => loadConfig(schema, env);
