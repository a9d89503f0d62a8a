import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createExecutor,
  createRepeats,
  graphqlRoute,
  limitsOf,
  loadSubgraph,
} from "@sextant/graphql";
import {
  createIDSource,
  createNoteLog,
  createRegistryClient,
  startWorker,
} from "@sextant/registry-client";
import {
  type App,
  createInternalClient,
  followFiles,
  listenInternally,
  type ProcessContext,
  openTrust,
} from "@sextant/service";
import { readCertificateChain, spkiPin } from "@sextant/x509";
import type { ProvisionerSettings } from "./config.ts";
import type { Context } from "./context.ts";
import { declarations, parameters } from "./declarations.ts";
import { createDirector } from "./director-client/director.ts";
import { createLocalDriver } from "./driver/local-driver.ts";
import { operationResolvers } from "./operation/operation.resolvers.ts";
import { createOperationService } from "./operation/operation.service.ts";
import { createStageHandler } from "./operation/stage.ts";

const MAX_BODY = 1024 * 1024;
/** Operations that are carried out at a time. */
const OPERATIONS = 16;
/** Seconds for which an operation is claimed: a stage that takes long is looked at again and again. */
const STAGE_LEASE = 20;

/** Starts the provisioner: its object graph, top to bottom. */
export async function start(settings: ProvisionerSettings, { log }: ProcessContext): Promise<App> {
  const { signer, verifier, tls } = openTrust("runtime-provisioner", settings, log);
  const registry = createRegistryClient({ url: settings.SEXTANT_REGISTRY_URL, signer, tls });
  const director = createInternalClient({
    audience: "director",
    url: settings.SEXTANT_DIRECTOR_URL,
    signer,
    tls,
  });
  const serverCA =
    settings.SEXTANT_SERVER_CA_FILE ?? join(settings.SEXTANT_KEYS_DIR, "root-cert.pem");
  const caPin = followFiles({
    what: "certificate whose pin runtimes get",
    paths: [serverCA],
    read: () => {
      const [certificate] = readCertificateChain(readFileSync(serverCA, "utf8"));
      if (certificate === undefined) throw new Error(`${serverCA} holds no certificate`);
      return `sha256//${spkiPin(certificate)}`;
    },
    log,
  });
  const local = createLocalDriver({
    folder: settings.SEXTANT_RUNTIMES_DIR,
    agent: fileURLToPath(import.meta.resolve("@sextant/runtime-agent")),
    planeHost: settings.SEXTANT_PLANE_HOST,
    log,
  });
  const context: Context = {
    registry,
    director: createDirector(director),
    drivers: { local },
    caPin: () => caPin.current(),
    newID: createIDSource(Date.now),
    now: Date.now,
    log,
  };
  const refusals = createNoteLog({
    registry,
    newID: context.newID,
    now: Date.now,
    log,
  });
  const executor = createExecutor({
    ...loadSubgraph(import.meta.dirname),
    declarations,
    resolvers: operationResolvers(createOperationService(context)),
    registry,
    repeats: createRepeats(registry),
    refusals,
    log,
    parameters,
    introspection: settings.SEXTANT_PROFILE === "local",
    limits: limitsOf(settings),
  });
  const route = graphqlRoute({
    path: "/graphql",
    executor,
    authenticate: (call) => verifier.verify(call.headers.authorization),
    maxBody: MAX_BODY,
    log,
  });
  const listener = await listenInternally({
    address: settings.SEXTANT_LISTEN,
    routes: [route],
    tls,
    log,
  });
  await local.resume();
  const worker = startWorker({
    registry,
    queue: "operation",
    concurrency: OPERATIONS,
    leaseSeconds: STAGE_LEASE,
    handle: createStageHandler(context),
    log,
  });
  log.info({ at: listener.at }, "listening");

  return {
    readiness: async () => ((await registry.ping()) ? undefined : "the registry cannot be reached"),
    async close() {
      await listener.close(5_000);
      await refusals.close();
      await worker.close();
      await local.close();
      await Promise.all([director.close(), registry.close()]);
    },
  };
}
