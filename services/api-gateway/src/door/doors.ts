/** The two public listeners: what they have in common, and how they end. */
import { setTimeout as pause } from "node:timers/promises";
import type { ListenAddress } from "@sextant/config";
import type { Logger } from "@sextant/logging";
import { Counter, Gauge, type MetricsRegistry, type Route } from "@sextant/service";
import { type Budgets } from "../limit/limits.ts";
import { createRateLimiter } from "../limit/rate-limiter.ts";
import type { DoorName } from "../trust/tls.ts";
import type { TlsReload } from "../trust/tls-reload.ts";
import { createAcceptor } from "./acceptor.ts";
import type { ClientAddresses, TrustedProxies } from "./address.ts";
import { createCompression } from "./compression.ts";
import { createCors } from "./cors.ts";
import { type OpenDoor, openDoor } from "./door.ts";

/** The settings of the doors: see docs/operations/settings.md. */
export type DoorSettings = {
  readonly SEXTANT_PUBLIC_LISTEN: ListenAddress;
  readonly SEXTANT_MTLS_LISTEN: ListenAddress;
  readonly SEXTANT_PROFILE: "local" | "production";
  readonly SEXTANT_RATE_CONNECTION: Budgets;
  readonly SEXTANT_CONNECTIONS: number;
  readonly SEXTANT_CONNECTIONS_ADDRESS: number;
  readonly SEXTANT_TRUSTED_PROXIES: TrustedProxies;
  readonly SEXTANT_PROXY_PROTOCOL: "on" | "off";
  readonly SEXTANT_CORS_ORIGINS: readonly string[];
  readonly SEXTANT_COMPRESSION_THRESHOLD: number;
  readonly SEXTANT_DRAIN_DELAY: number;
};

/** Both doors, open. */
export type Doors = {
  readonly ports: Readonly<Record<DoorName, number>>;
  /** Serves on for the drain delay, while whoever sends requests here learns that it is not ready any more. */
  drain(): Promise<void>;
  close(graceMilliseconds: number): Promise<void>;
};

/** Opens both. */
export async function openDoors(options: {
  readonly settings: DoorSettings;
  readonly routes: Readonly<Record<DoorName, readonly Route[]>>;
  readonly addresses: ClientAddresses;
  readonly tls: TlsReload;
  readonly metrics: MetricsRegistry;
  readonly log: Logger;
}): Promise<Doors> {
  const { settings, routes, addresses, tls, metrics, log } = options;
  const refused = new Counter({
    name: "sextant_connections_refused_total",
    help: "Connections that were refused before TLS",
    labelNames: ["why"],
    registers: [metrics],
  });
  const rate = settings.SEXTANT_RATE_CONNECTION.address;
  const acceptor = createAcceptor({
    limits: {
      all: settings.SEXTANT_CONNECTIONS,
      perAddress: settings.SEXTANT_CONNECTIONS_ADDRESS,
    },
    rate: rate === undefined ? undefined : createRateLimiter(rate, () => performance.now()),
    proxies:
      settings.SEXTANT_PROXY_PROTOCOL === "on" ? settings.SEXTANT_TRUSTED_PROXIES : undefined,
    onRefused: (why) => refused.inc({ why }),
  });
  new Gauge({
    name: "sextant_open_connections",
    help: "Connections of both public listeners",
    registers: [metrics],
    collect() {
      this.set(acceptor.open());
    },
  });
  const compress = createCompression(settings.SEXTANT_COMPRESSION_THRESHOLD);
  const common = { acceptor, addresses, compress, log };
  const material = tls.current();
  const doors: Readonly<Record<DoorName, OpenDoor>> = {
    public: await openDoor({
      ...common,
      address: settings.SEXTANT_PUBLIC_LISTEN,
      routes: routes.public,
      tls: material.options.public,
      cors: createCors(settings.SEXTANT_CORS_ORIGINS),
      strictTransport: settings.SEXTANT_PROFILE === "production",
    }),
    mtls: await openDoor({
      ...common,
      address: settings.SEXTANT_MTLS_LISTEN,
      routes: routes.mtls,
      tls: material.options.mtls,
      cors: undefined,
      strictTransport: false,
    }),
  };
  const both = Object.entries(doors) as [DoorName, OpenDoor][];
  tls.onChange(material, ({ options: changed }) => {
    for (const [name, door] of both) door.renew(changed[name]);
  });
  return {
    ports: { public: doors.public.port, mtls: doors.mtls.port },
    async drain() {
      for (const [, door] of both) door.drain();
      await pause(settings.SEXTANT_DRAIN_DELAY * 1000);
    },
    async close(grace) {
      await Promise.all(both.map(([, door]) => door.close(grace)));
    },
  };
}
