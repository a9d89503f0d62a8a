import { join } from "node:path";
import { createExecutor, createRepeats, limitsOf, loadSubgraph } from "@sextant/graphql";
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
  json,
  listenInternally,
  type ProcessContext,
  openTrust,
} from "@sextant/service";
import type { Context } from "./act/act.ts";
import type { DirectorSettings } from "./config.ts";
import { createTrust } from "./connector-client/trust.ts";
import { createContactService } from "./contact/contact.service.ts";
import { createDeliverer } from "./delivery/deliverer.ts";
import { createFetcher } from "./fetch-request/fetcher.ts";
import { createProber } from "./health-check/prober.ts";
import { createSchemas } from "./input/schemas.ts";
import { createOutbound } from "./outbound/outbound-client.ts";
import { planRuntime } from "./plan/planner.ts";
import { createPlanService } from "./plan/plan.service.ts";
import { declarations, readParameters } from "./read/declarations.ts";
import { openers } from "./read/openers.ts";
import { resolvers } from "./resolvers.ts";
import { routes } from "./routes.ts";
import { DATA_KEY_FILES, readDataKeys } from "./secret/data-keys.ts";
import { startResealer } from "./secret/resealer.ts";
import { createSealer } from "./secret/sealer.ts";
import { createSpecifications } from "./specification/checker.ts";

/** Plans computed at a time, and messages sent at a time. */
const PLANNING = 8;
const DELIVERING = 32;
/** Seconds for which work is claimed: a plan takes far less, an attempt to deliver at most two timeouts of a minute, one for its token. */
const PLAN_LEASE = 10;
const DELIVERY_LEASE = 150;
/** Specifications fetched at a time, and seconds for which one is claimed: a fetch takes at most 30, its check some more. */
const FETCHING = 8;
const FETCH_LEASE = 120;
/** Applications asked for their health at a time, and seconds for which one is claimed beyond the time limit of the answer. */
const PROBING = 32;
const PROBE_LEASE = 30;

/** Starts Director: its object graph, top to bottom. */
export async function start(settings: DirectorSettings, { log }: ProcessContext): Promise<App> {
  const { signer, verifier, tls } = openTrust("director", settings, log);
  const registry = createRegistryClient({ url: settings.SEXTANT_REGISTRY_URL, signer, tls });
  const connector = createInternalClient({
    audience: "connector",
    url: settings.SEXTANT_CONNECTOR_URL,
    signer,
    tls,
  });
  const dataKeys = followFiles({
    what: "data keys",
    paths: Object.values(DATA_KEY_FILES).map((name) => join(settings.SEXTANT_KEYS_DIR, name)),
    read: () => readDataKeys(settings.SEXTANT_KEYS_DIR),
    log,
  });
  const allowPrivateTargets = settings.SEXTANT_PROFILE === "local";
  const context: Context = {
    registry,
    newID: createIDSource(Date.now),
    now: Date.now,
    groups: { label: settings.SEXTANT_GROUP_LABEL, fallback: settings.SEXTANT_DEFAULT_GROUP },
    sealer: createSealer(() => dataKeys.current()),
    schemas: createSchemas(),
    specifications: createSpecifications(),
    roles: settings.SEXTANT_ROLES,
    longestToken: settings.SEXTANT_API_TOKEN_MAX_TTL || undefined,
    allowPrivateTargets,
  };
  const refusals = createNoteLog({
    registry,
    newID: context.newID,
    now: Date.now,
    log,
  });
  const executor = createExecutor({
    ...loadSubgraph(import.meta.dirname),
    declarations: declarations(openers(context.sealer)),
    resolvers: resolvers(context, {
      trust: createTrust(connector),
      tokenURL: new URL("/oauth2/token", settings.SEXTANT_PUBLIC_URL).href,
    }),
    registry,
    repeats: createRepeats(registry, (tenant, sealed) =>
      context.sealer.open(tenant, "answer", sealed),
    ),
    refusals,
    log,
    parameters: readParameters(context.groups),
    introspection: settings.SEXTANT_PROFILE === "local",
    limits: limitsOf(settings),
  });
  const served = routes({
    executor,
    verifier,
    plans: createPlanService(context),
    contacts: createContactService(context),
    log,
  });
  const listener = await listenInternally({
    address: settings.SEXTANT_LISTEN,
    routes: served,
    tls,
    log,
  });
  log.info({ at: listener.at }, "listening");

  const outbound = createOutbound({ allowPrivateTargets });
  const planner = startWorker({
    registry,
    queue: "staleRuntime",
    concurrency: PLANNING,
    leaseSeconds: PLAN_LEASE,
    handle: (work) => planRuntime(context, work),
    log,
  });
  const deliverer = startWorker({
    registry,
    queue: "delivery",
    concurrency: DELIVERING,
    leaseSeconds: DELIVERY_LEASE,
    handle: createDeliverer(context, outbound, Math.random),
    log,
  });

  const fetcher = startWorker({
    registry,
    queue: "fetchRequest",
    concurrency: FETCHING,
    leaseSeconds: FETCH_LEASE,
    handle: createFetcher(context, outbound, Math.random),
    log,
  });
  const prober = startWorker({
    registry,
    queue: "healthProbe",
    concurrency: PROBING,
    leaseSeconds: settings.SEXTANT_HEALTH_CHECK_TIMEOUT + PROBE_LEASE,
    handle: createProber(
      context,
      outbound,
      {
        interval: settings.SEXTANT_HEALTH_CHECK_INTERVAL,
        timeout: settings.SEXTANT_HEALTH_CHECK_TIMEOUT,
      },
      Math.random,
    ),
    log,
  });

  const resealer = startResealer(registry, context.sealer, log);

  return {
    opsRoutes: [
      {
        path: "/secrets",
        methods: {
          GET: async () =>
            json({ sealedByOthers: await registry.countSealed(context.sealer.prefix()) }),
        },
      },
    ],
    readiness: async () => ((await registry.ping()) ? undefined : "the registry cannot be reached"),
    async close() {
      await listener.close(5_000);
      await refusals.close();
      await Promise.all([
        planner.close(),
        deliverer.close(),
        fetcher.close(),
        prober.close(),
        resealer.close(),
      ]);
      await Promise.all([
        outbound.close(),
        context.schemas.close(),
        context.specifications.close(),
        connector.close(),
        registry.close(),
      ]);
    },
  };
}
