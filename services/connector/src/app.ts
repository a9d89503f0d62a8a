import { createPrivateKey, hkdfSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createExecutor, limitsOf, loadSubgraph } from "@sextant/graphql";
import { createIDSource, createRegistryClient } from "@sextant/registry-client";
import { type App, listenInternally, type ProcessContext, openTrust } from "@sextant/service";
import { openCertificateAuthority } from "@sextant/x509";
import { declarations, parameters } from "./certificate/certificate.read.ts";
import { certificateResolvers } from "./certificate/certificate.resolvers.ts";
import { createRevocationService } from "./certificate/revocation.service.ts";
import type { ConnectorSettings } from "./config.ts";
import type { Context } from "./context.ts";
import { createOneTimeTokenService } from "./one-time-token/one-time-token.service.ts";
import { routes } from "./routes.ts";
import { signingResolvers } from "./signing/signing.resolvers.ts";
import { createSigningService } from "./signing/signing.service.ts";

/** Starts the Connector: its object graph, top to bottom. */
export async function start(settings: ConnectorSettings, { log }: ProcessContext): Promise<App> {
  const { signer, verifier, tls, serverTLS } = openTrust("connector", settings);
  const read = (name: string) => readFileSync(join(settings.SEXTANT_KEYS_DIR, name), "utf8");
  const registry = createRegistryClient({ url: settings.SEXTANT_REGISTRY_URL, signer, tls });
  const authorityKey = createPrivateKey(read("ca-key.pem"));
  const keyBytes = authorityKey.export({ format: "der", type: "pkcs8" });
  const context: Context = {
    registry,
    newID: createIDSource(Date.now),
    now: Date.now,
    randomBytes,
    authority: openCertificateAuthority({
      certificate: read("ca-cert.pem"),
      privateKey: authorityKey,
    }),
    root: read("root-cert.pem"),
    tokenKey: Buffer.from(
      hkdfSync("sha256", keyBytes, Buffer.alloc(0), "sextant signing tokens", 32),
    ),
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
    },
    addresses: { publicURL: settings.SEXTANT_PUBLIC_URL, mtlsURL: settings.SEXTANT_MTLS_URL },
  };
  const tokens = createOneTimeTokenService(context);
  const revocations = createRevocationService(context);
  const signing = signingResolvers(createSigningService(context, tokens));
  const executor = createExecutor({
    ...loadSubgraph(import.meta.dirname),
    declarations,
    resolvers: {
      ...signing,
      Mutation: { ...signing.Mutation, ...certificateResolvers(revocations).Mutation },
    },
    registry,
    log,
    parameters,
    introspection: settings.SEXTANT_PROFILE === "local",
    limits: limitsOf(settings),
  });
  const listener = await listenInternally({
    address: settings.SEXTANT_LISTEN,
    routes: routes({ executor, verifier, tokens, revocations, log }),
    tls: serverTLS,
    log,
  });
  log.info({ port: listener.port }, "listening");

  return {
    readiness: async () => ((await registry.ping()) ? undefined : "the registry cannot be reached"),
    async close() {
      await listener.close(5_000);
      await registry.close();
    },
  };
}
