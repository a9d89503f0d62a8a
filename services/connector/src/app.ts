import { createSecretKey, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createExecutor, limitsOf, loadSubgraph } from "@sextant/graphql";
import {
  createCommitGroups,
  createIDSource,
  createNoteLog,
  createRegistryClient,
} from "@sextant/registry-client";
import { type App, json, listenInternally, type ProcessContext, openTrust } from "@sextant/service";
import { followAuthorities } from "./authority/authorities.ts";
import { declarations, parameters } from "./certificate/certificate.read.ts";
import type { ConnectorSettings } from "./config.ts";
import type { Context } from "./context.ts";
import { routes } from "./routes.ts";
import { createSubgraph } from "./subgraph.ts";

/** Starts the Connector: its object graph, top to bottom. */
export async function start(settings: ConnectorSettings, { log }: ProcessContext): Promise<App> {
  const { signer, verifier, tls } = openTrust("connector", settings, log);
  const read = (name: string) => readFileSync(join(settings.SEXTANT_KEYS_DIR, name), "utf8");
  const registry = createRegistryClient({ url: settings.SEXTANT_REGISTRY_URL, signer, tls });
  const context: Context = {
    registry,
    newID: createIDSource(Date.now),
    now: Date.now,
    randomBytes,
    commits: createCommitGroups(registry),
    authorities: followAuthorities(settings.SEXTANT_KEYS_DIR, log),
    tokenKey: createSecretKey(read("token-key").trim(), "base64"),
    lifetimes: {
      pairingToken: {
        RUNTIME: settings.SEXTANT_TOKEN_TTL_RUNTIME,
        APPLICATION: settings.SEXTANT_TOKEN_TTL_APPLICATION,
      },
      signingToken: settings.SEXTANT_TOKEN_TTL_SIGNING,
      certificate: {
        RUNTIME: settings.SEXTANT_CERTIFICATE_TTL_RUNTIME,
        APPLICATION: settings.SEXTANT_CERTIFICATE_TTL_APPLICATION,
      },
      revocationList: settings.SEXTANT_CRL_TTL,
    },
    addresses: {
      publicURL: settings.SEXTANT_PUBLIC_URL,
      mtlsURL: settings.SEXTANT_MTLS_URL,
      revocationListURL:
        settings.SEXTANT_CRL_URL ?? `${settings.SEXTANT_PUBLIC_URL}/v1/ca/crl?issuer={issuer}`,
    },
  };
  const { resolvers, ...services } = createSubgraph(context);
  const refusals = createNoteLog({ registry, newID: context.newID, now: Date.now, log });
  const executor = createExecutor({
    ...loadSubgraph(import.meta.dirname),
    declarations,
    resolvers,
    registry,
    refusals,
    log,
    parameters,
    introspection: settings.SEXTANT_PROFILE === "local",
    limits: limitsOf(settings),
  });
  const listener = await listenInternally({
    address: settings.SEXTANT_LISTEN,
    routes: routes({ executor, verifier, ...services, log }),
    tls,
    log,
  });
  log.info({ at: listener.at }, "listening");

  return {
    // For who changes the authority: how many trust whom.
    opsRoutes: [
      { path: "/trust", methods: { GET: async () => json(await registry.trustState()) } },
    ],
    readiness: async () => ((await registry.ping()) ? undefined : "the registry cannot be reached"),
    async close() {
      await listener.close(5_000);
      await refusals.close();
      await registry.close();
    },
  };
}
