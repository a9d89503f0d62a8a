/** What every service process has: settings, an HTTP server, health and metrics, signed calls to the others, an orderly end. */
export { serviceSettings, type ServiceSettings, serviceURL } from "./settings.ts";
export {
  type Call,
  createDispatcher,
  type Dispatcher,
  type Handler,
  json,
  publicError,
  type Reply,
  type Route,
} from "./dispatcher.ts";
export { type FollowedFiles, followFiles } from "./follow-files.ts";
export { listen, type Listener, listenerOf, requestListener } from "./http-server.ts";
export { internalHandler, type InternalTLS, listenInternally } from "./internal-api.ts";
export {
  createInternalClient,
  type InternalCall,
  type InternalClient,
  type InternalReply,
} from "./internal-client.ts";
export { ServiceAwayError } from "./service-away.ts";
export { Counter, createMetrics, Gauge, Histogram, type MetricsRegistry } from "./metrics.ts";
export { type App, type ProcessContext, runService } from "./process.ts";
export { openTrust, type ServiceTrust } from "./trust.ts";
