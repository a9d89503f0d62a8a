import { readFileSync } from "node:fs";
import { join } from "node:path";
import { limitsOf, publicSchema } from "@sextant/graphql";
import { createAccessTokens } from "@sextant/identity";
import { createIDSource, createNoteLog, createRegistryClient } from "@sextant/registry-client";
import {
  type App,
  type Call,
  Counter,
  createInternalClient,
  Gauge,
  type ProcessContext,
  openTrust,
  type Route,
} from "@sextant/service";
import { parse } from "graphql";
import { createAuthenticator } from "./authentication/authenticator.ts";
import { createKnown } from "./authentication/known.ts";
import type { GatewaySettings } from "./config.ts";
import { createContacts } from "./contact/contacts.ts";
import { createClientAddresses, nobody } from "./door/address.ts";
import { openDoors } from "./door/doors.ts";
import { createExplorer } from "./explorer/explorer.ts";
import { type Feed, followFeed } from "./feed/feed.ts";
import { createRequestLimits } from "./limit/limits.ts";
import { tokenRoute } from "./oauth2/token.routes.ts";
import { fetchJSON } from "./oidc/fetch-json.ts";
import { createUserTokens } from "./oidc/user-tokens.ts";
import { createPlanPolls } from "./runtime-plan/plan-polls.ts";
import { runtimePlanRoutes } from "./runtime-plan/runtime-plan.routes.ts";
import { graphqlRoutes } from "./supergraph/graphql.routes.ts";
import { readOwnership } from "./supergraph/ownership.ts";
import { loadSupergraph } from "./supergraph/supergraph.ts";
import { createConnections } from "./trust/connections.ts";
import { createShownCertificate } from "./trust/shown-certificate.ts";
import { createRevocationLists } from "./trust/revocation-lists.ts";
import { type DoorName, tlsFiles } from "./trust/tls.ts";
import { followTlsFiles } from "./trust/tls-reload.ts";

const DRAIN = 5_000;
const schemaFolder = join(import.meta.dirname, "../../../schema");

/** Starts the gateway: its object graph, top to bottom. */
export async function start(
  settings: GatewaySettings,
  { log, metrics }: ProcessContext,
): Promise<App> {
  const { keys, signer, tls } = openTrust("api-gateway", settings, log);
  const accessTokens = createAccessTokens(keys, Date.now);
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
  const connections = createConnections();
  const revocationLists = createRevocationLists(
    clients.connector,
    () => feed.isLive(),
    Date.now,
    log,
  );
  feed = followFeed(watched, [known, polls, connections, revocationLists], log);
  const contacts = createContacts(clients.director, log, Date.now);
  // A proxy that passes TLS on sees no HTTP: what it says is said before.
  const addresses = createClientAddresses(
    settings.SEXTANT_PROXY_PROTOCOL === "on" ? nobody : settings.SEXTANT_TRUSTED_PROXIES,
  );
  const turnedAway = new Counter({
    name: "sextant_requests_limited_total",
    help: "Requests that were answered RATE_LIMITED",
    labelNames: ["class"],
    registers: [metrics],
  });
  const requestLimits = createRequestLimits(
    {
      pairing: settings.SEXTANT_RATE_PAIRING,
      renewal: settings.SEXTANT_RATE_RENEWAL,
      polling: settings.SEXTANT_RATE_POLLING,
      administration: settings.SEXTANT_RATE_ADMINISTRATION,
      refused: settings.SEXTANT_RATE_REFUSED,
    },
    {
      client: settings.SEXTANT_OPERATIONS_CLIENT,
      tenant: settings.SEXTANT_OPERATIONS_TENANT,
    },
    () => performance.now(),
    (what) => turnedAway.inc({ class: what }),
  );
  const { SEXTANT_CLIENT_CERT_HEADER: header } = settings;
  const shownCertificate = createShownCertificate(
    addresses,
    connections,
    header === "off" ? undefined : header,
  );
  const newID = createIDSource(Date.now);
  const notes = createNoteLog({ registry, newID, now: Date.now, log });
  const users = createUserTokens({
    issuers: settings.SEXTANT_OIDC_ISSUERS,
    roles: settings.SEXTANT_ROLES,
    fetchJSON,
    allowHTTP: isLocal,
    now: Date.now,
    log,
  });
  const authenticator = createAuthenticator({
    known,
    certificateOf: shownCertificate,
    accessTokens,
    users,
    guesses: requestLimits,
    addresses,
    refusals: notes,
    now: Date.now,
  });
  const authenticate = (door: DoorName) => async (call: Call) => {
    const { identity } = await authenticator(door, call);
    contacts.heard(identity);
    return identity;
  };

  const limits = limitsOf(settings);
  const schema = (name: string) => readFileSync(join(schemaFolder, `${name}.graphql`), "utf8");
  const supergraphSDL = schema("supergraph");
  const supergraph = loadSupergraph(supergraphSDL, clients, limits, log);
  const graph = {
    supergraph,
    ownership: readOwnership(parse(supergraphSDL, { noLocation: true })),
    serviceSchemas: Object.fromEntries(
      Object.keys(clients).map((name) => [name, publicSchema(schema(name))]),
    ),
    clients,
    requestLimits,
    addresses,
    introspection: isLocal,
    limits,
    log,
  };
  const tlsReload = followTlsFiles(
    tlsFiles(settings.SEXTANT_KEYS_DIR, {
      certificate: settings.SEXTANT_TLS_CERT_FILE,
      key: settings.SEXTANT_TLS_KEY_FILE,
    }),
    log,
    Date.now,
  );
  const bundle: Route = {
    path: "/v1/ca/bundle",
    methods: {
      GET: () => ({
        status: 200,
        headers: { "content-type": "application/x-pem-file" },
        body: tlsReload.current().trustBundle,
      }),
    },
  };
  const trust = [bundle, revocationLists.route];
  const explorer = isLocal ? createExplorer() : undefined;
  const routes = {
    public: [
      ...graphqlRoutes({
        ...graph,
        door: "public",
        authenticate: authenticate("public"),
        explorer,
      }),
      tokenRoute({
        findClient: (hash) => registry.findBySecret("systemAuth", hash),
        accessTokens,
        lifetime: settings.SEXTANT_ACCESS_TOKEN_TTL,
        requestLimits,
        addresses,
        notes,
        now: Date.now,
        log,
      }),
      ...trust,
    ],
    mtls: [
      ...graphqlRoutes({
        ...graph,
        door: "mtls",
        authenticate: authenticate("mtls"),
        explorer: undefined,
      }),
      ...runtimePlanRoutes({
        authenticate: authenticate("mtls"),
        requestLimits,
        addresses,
        director: clients.director,
        polls,
        trustBundle: () => tlsReload.current().trustBundleHash,
        acknowledged: (identity, known) => contacts.heard(identity, known),
      }),
      ...trust,
    ],
  };
  new Gauge({
    name: "sextant_tls_files_current",
    help: "1 when the certificates and keys on disk are in use, 0 when they cannot be used",
    registers: [metrics],
    collect() {
      this.set(tlsReload.isCurrent() ? 1 : 0);
    },
  });
  new Gauge({
    name: "sextant_tls_certificate_end_seconds",
    help: "When the server certificate ends, in seconds since 1970",
    registers: [metrics],
    collect() {
      this.set(tlsReload.current().serverNotAfter.getTime() / 1000);
    },
  });
  new Gauge({
    name: "sextant_held_polls",
    help: "Agents' polls that are held now",
    registers: [metrics],
    collect() {
      this.set(polls.held());
    },
  });

  await feed.started;
  const doors = await openDoors({ settings, routes, addresses, tls: tlsReload, metrics, log });
  log.info(doors.ports, "listening");

  return {
    readiness: () => (feed.isLive() ? undefined : "the registry cannot be reached"),
    drain: () => doors.drain(),
    async close() {
      tlsReload.close();
      const closing = doors.close(DRAIN);
      polls.close();
      await closing;
      await Promise.all([contacts.close(), notes.close()]);
      await feed.close();
      await Promise.all([
        registry.close(),
        watched.close(),
        ...Object.values(clients).map((client) => client.close()),
      ]);
    },
  };
}
