import { readFileSync } from "node:fs";
import { listenAddress, loadConfig, wholeNumber } from "@sextant/config";
import { limitSettings } from "@sextant/graphql";
import { rolesSetting } from "@sextant/identity";
import { serviceSettings, serviceURL } from "@sextant/service";
import { z } from "zod";
import { isOrigin } from "./door/cors.ts";
import { trustedProxies } from "./door/address.ts";
import { requestLimitSettings } from "./limit/settings.ts";
import { readIssuers } from "./oidc/issuer.ts";
import { certificateHeaders } from "./trust/forwarded-certificate.ts";

/** The text of the setting, or of the file that it names. */
function textOf(setting: string): string {
  return setting.trimStart().startsWith("[") ? setting : readFileSync(setting, "utf8");
}

const list = z.string().transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== ""));

const origins = list.superRefine((entries, context) => {
  for (const entry of entries) {
    if (entry !== "*" && !isOrigin(entry))
      context.addIssue({
        code: "custom",
        message: `must be origins such as https://admin.example.com, or *, got "${entry}"`,
      });
  }
});

const proxies = list.transform((networks, context) => {
  const message = (network: string) =>
    `must be addresses or networks such as 10.0.0.0/8, got "${network}"`;
  const read = trustedProxies(networks, (network) =>
    context.addIssue({ code: "custom", message: message(network) }),
  );
  return read === undefined ? z.NEVER : { networks, ...read };
});

const settings = serviceSettings
  .omit({ SEXTANT_LISTEN: true })
  .extend({
    ...limitSettings,
    /** Where everybody comes in who has a token. */
    SEXTANT_PUBLIC_LISTEN: listenAddress.default({ host: "0.0.0.0", port: 8443 }),
    /** Where paired applications and runtimes come in, by certificate. */
    SEXTANT_MTLS_LISTEN: listenAddress.default({ host: "0.0.0.0", port: 8444 }),
    /** Names for sets of scopes. */
    SEXTANT_ROLES: rolesSetting,
    /** Who vouches for users: JSON, or the path of a file with it. */
    SEXTANT_OIDC_ISSUERS: z.string().default("[]"),
    /** Seconds for which an access token is good. */
    SEXTANT_ACCESS_TOKEN_TTL: wholeNumber(60, 86_400).default(3600),
    SEXTANT_REGISTRY_URL: serviceURL,
    SEXTANT_DIRECTOR_URL: serviceURL,
    SEXTANT_CONNECTOR_URL: serviceURL,
    SEXTANT_PROVISIONER_URL: serviceURL,
    /** `local`: the schema may be asked for, and the explorer is served. */
    SEXTANT_PROFILE: z.enum(["local", "production"]).default("production"),
    ...requestLimitSettings,
    /** Connections of both listeners together, and of one address. */
    SEXTANT_CONNECTIONS: wholeNumber(1, 1_000_000).default(25_000),
    SEXTANT_CONNECTIONS_ADDRESS: wholeNumber(1, 1_000_000).default(5_000),
    /** The operator's own server certificate with what leads to its root, and its key: PEM files. */
    SEXTANT_TLS_CERT_FILE: z.string().optional(),
    SEXTANT_TLS_KEY_FILE: z.string().optional(),
    /** Addresses and networks of proxies that are believed. */
    SEXTANT_TRUSTED_PROXIES: z.string().default("").pipe(proxies),
    /** `on`: connections come from those proxies, each behind a header of the PROXY protocol. */
    SEXTANT_PROXY_PROTOCOL: z.enum(["on", "off"]).default("off"),
    /** The header in which those proxies pass on the client certificate. */
    SEXTANT_CLIENT_CERT_HEADER: z.enum(["off", ...certificateHeaders]).default("off"),
    /** Origins whose pages may call the public listener from a browser. */
    SEXTANT_CORS_ORIGINS: z.string().default("").pipe(origins),
    /** Bytes from which on answers are compressed. */
    SEXTANT_COMPRESSION_THRESHOLD: wholeNumber(0, 1_000_000_000).default(4_096),
    /** Seconds for which the gateway serves on after it has said that it is not ready. */
    SEXTANT_DRAIN_DELAY: wholeNumber(0, 300).default(0),
  })
  .superRefine((given, context) => {
    const fault = (setting: string, message: string) =>
      context.addIssue({ code: "custom", path: [setting], message });
    if ((given.SEXTANT_TLS_CERT_FILE === undefined) !== (given.SEXTANT_TLS_KEY_FILE === undefined))
      fault("SEXTANT_TLS_KEY_FILE", "goes with SEXTANT_TLS_CERT_FILE: give both or none");
    const believes = given.SEXTANT_TRUSTED_PROXIES.networks.length > 0;
    if (given.SEXTANT_PROXY_PROTOCOL === "on" && !believes)
      fault(
        "SEXTANT_TRUSTED_PROXIES",
        "is required with SEXTANT_PROXY_PROTOCOL: whose word is taken",
      );
    if (given.SEXTANT_CLIENT_CERT_HEADER !== "off" && !believes)
      fault(
        "SEXTANT_TRUSTED_PROXIES",
        "is required with SEXTANT_CLIENT_CERT_HEADER: whose word is taken",
      );
    if (given.SEXTANT_CLIENT_CERT_HEADER !== "off" && given.SEXTANT_PROXY_PROTOCOL === "on")
      fault(
        "SEXTANT_CLIENT_CERT_HEADER",
        "is for proxies that end TLS; with the PROXY protocol it ends here",
      );
  })
  .transform((given, context) => {
    const fault = (message: string) =>
      context.addIssue({ code: "custom", path: ["SEXTANT_OIDC_ISSUERS"], message });
    try {
      const allowHTTP = given.SEXTANT_PROFILE === "local";
      const text = textOf(given.SEXTANT_OIDC_ISSUERS);
      const { issuers, faults } = readIssuers(text, given.SEXTANT_ROLES, allowHTTP);
      for (const message of faults) fault(message);
      for (const { caFile } of issuers) if (caFile !== undefined) readFileSync(caFile);
      return { ...given, SEXTANT_OIDC_ISSUERS: issuers };
    } catch (error) {
      fault(error instanceof Error ? error.message : "cannot be read");
      return z.NEVER;
    }
  });

/** The gateway's settings. */
export type GatewaySettings = z.output<typeof settings>;

/** Reads them from the environment. */
export function readSettings(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): GatewaySettings {
  return loadConfig(settings, environment);
}
