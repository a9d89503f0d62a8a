import { readFileSync } from "node:fs";
import { join } from "node:path";
import { limitsOf, publicSchema } from "@sextant/graphql";
import { createRegistryClient } from "@sextant/registry-client";
import {
  type App,
  type Call,
  createInternalClient,
  Gauge,
  listen,
  type ProcessContext,
  openTrust,
  requestListener,
  type Route,
} from "@sextant/service";
import { parse } from "graphql";
import { createAuthenticator } from "./authentication/authenticator.ts";
import type { Door } from "./authentication/credential.ts";
import { createKnown } from "./authentication/known.ts";
import type { GatewaySettings } from "./config.ts";
import { createContacts } from "./contact/contacts.ts";
import { createExplorer } from "./explorer/explorer.ts";
import { type Feed, followFeed } from "./feed/feed.ts";
import { createPlanPolls } from "./runtime-plan/plan-polls.ts";
import { runtimePlanRoutes } from "./runtime-plan/runtime-plan.routes.ts";
import { graphqlRoutes } from "./supergraph/graphql.routes.ts";
import { readOwnership } from "./supergraph/ownership.ts";
import { loadSupergraph } from "./supergraph/supergraph.ts";
import { tlsOptions } from "./trust/tls.ts";

const DRAIN = 5_000;
const schemaFolder = join(import.meta.dirname, "../../../schema");

/** Starts the gateway: its object graph, top to bottom. */
export async function start(
  settings: GatewaySettings,
  { log, metrics }: ProcessContext,
): Promise<App> {
  const { signer, tls } = openTrust("api-gateway", settings);
  const isLocal = settings.SEXTANT_PROFILE === "local";
  const registry = createRegistryClient({ url: settings.SEXTANT_REGISTRY_URL, signer, tls });
  const watched = createRegistryClient({
    url: settings.SEXTANT_REGISTRY_URL,
    signer,
    tls,
    deadline: 0,
  });
  const clients = {
    director: createInternalClient({
      audience: "director",
      url: settings.SEXTANT_DIRECTOR_URL,
      signer,
      tls,
    }),
    connector: createInternalClient({
      audience: "connector",
      url: settings.SEXTANT_CONNECTOR_URL,
      signer,
      tls,
    }),
    "runtime-provisioner": createInternalClient({
      audience: "runtime-provisioner",
      url: settings.SEXTANT_PROVISIONER_URL,
      signer,
      tls,
    }),
  };

  let feed: Feed = {
    isLive: () => false,
    started: Promise.resolve(),
    close: async () => undefined,
  };
  const currentFeed = () => feed;
  const known = createKnown(registry, currentFeed, Date.now);
  const polls = createPlanPolls(currentFeed);
  feed = followFeed(watched, [known, polls], log);
  const contacts = createContacts(clients.director, log, Date.now);
  const authenticator = createAuthenticator(known, Date.now);
  const authenticate = (door: Door) => async (call: Call) => {
    const { identity } = await authenticator(door, call);
    contacts.heard(identity);
    return identity;
  };

  const limits = limitsOf(settings);
  const schema = (name: string) => readFileSync(join(schemaFolder, `${name}.graphql`), "utf8");
  const supergraphSDL = schema("supergraph");
  const supergraph = await loadSupergraph(supergraphSDL, clients, limits, log);
  const graph = {
    supergraph,
    ownership: readOwnership(parse(supergraphSDL, { noLocation: true })),
    serviceSchemas: Object.fromEntries(
      Object.keys(clients).map((name) => [name, publicSchema(schema(name))]),
    ),
    clients,
    introspection: isLocal,
    limits,
    log,
  };
  const keysFile = (name: string) => readFileSync(join(settings.SEXTANT_KEYS_DIR, name), "utf8");
  const trustBundle = keysFile("client-ca.pem");
  const trust: Route = {
    path: "/v1/ca/bundle",
    methods: {
      GET: () => ({
        status: 200,
        headers: { "content-type": "application/x-pem-file" },
        body: trustBundle,
      }),
    },
  };
  const explorer = isLocal ? createExplorer() : undefined;
  const publicRoutes = [
    ...graphqlRoutes({ ...graph, authenticate: authenticate("public"), explorer }),
    trust,
  ];
  const mtlsRoutes = [
    ...graphqlRoutes({ ...graph, authenticate: authenticate("mtls"), explorer: undefined }),
    ...runtimePlanRoutes({ authenticate: authenticate("mtls"), director: clients.director, polls }),
    trust,
  ];
  new Gauge({
    name: "sextant_held_polls",
    help: "Agents' polls that are held now",
    registers: [metrics],
    collect() {
      this.set(polls.held());
    },
  });

  await feed.started;
  const options = tlsOptions(settings.SEXTANT_KEYS_DIR);
  const listeners = await Promise.all([
    listen({
      address: settings.SEXTANT_PUBLIC_LISTEN,
      listener: requestListener(publicRoutes, log),
      tls: options.public,
    }),
    listen({
      address: settings.SEXTANT_MTLS_LISTEN,
      listener: requestListener(mtlsRoutes, log),
      tls: options.mtls,
    }),
  ]);
  log.info({ public: listeners[0].port, mtls: listeners[1].port }, "listening");

  return {
    readiness: () => (feed.isLive() ? undefined : "the registry cannot be reached"),
    async close() {
      const closing = listeners.map((listener) => listener.close(DRAIN));
      polls.close();
      await Promise.all(closing);
      await contacts.close();
      await feed.close();
      await Promise.all([
        supergraph.close(),
        registry.close(),
        watched.close(),
        ...Object.values(clients).map((client) => client.close()),
      ]);
    },
  };
}
