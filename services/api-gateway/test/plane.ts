/**
 * A gateway with both its TLS doors in a test's own process, and behind it the real services as processes of their own, or
 * whatever a test puts in their place.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { Agent, request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { silentLogger } from "@sextant/logging";
import { type App, createMetrics } from "@sextant/service";
import { createTestDatabase, storedRows } from "@sextant/testkit";
import { createCertificateRequest, createKeyPair, type KeyPair } from "@sextant/x509";
import { start } from "../src/app.ts";
import { readSettings } from "../src/config.ts";

const root = join(import.meta.dirname, "../../..");

/** Whatever a test has asked for. */
// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the shape that its own operation selects
export type Selected = any;

/** An answer over HTTP. */
export type Answer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Selected;
};

/** A certificate with its key, as PEM. */
export type ClientCertificate = { readonly cert: string; readonly key: string };

/** What a request is made of. */
export type Sent = {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly certificate?: ClientCertificate;
  readonly signal?: AbortSignal;
  readonly agent?: Agent;
};

type Service = "registry" | "director" | "connector" | "runtime-provisioner";

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        resolve(typeof address === "object" && address !== null ? address.port : 0),
      );
    });
  });
}

/** A process of a service that can be ended and started again, at the same address. */
class ServiceProcess {
  readonly url: string;
  output = "";
  #child: ChildProcess | undefined;
  readonly #name: Service;
  readonly #opsPort: number;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(
    name: Service,
    port: number,
    opsPort: number,
    environment: Readonly<Record<string, string>>,
  ) {
    this.#name = name;
    this.#opsPort = opsPort;
    this.url = `http://127.0.0.1:${port}`;
    this.#environment = {
      ...environment,
      SEXTANT_LISTEN: `127.0.0.1:${port}`,
      SEXTANT_OPS_LISTEN: `127.0.0.1:${opsPort}`,
    };
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [join(root, "services", this.#name, "src/main.ts")], {
      env: this.#environment,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    const until = Date.now() + 30_000;
    for (;;) {
      const status = await fetch(`http://127.0.0.1:${this.#opsPort}/readyz`).then(
        (reply) => reply.status,
        () => 0,
      );
      if (status === 200) return;
      if (Date.now() > until || child.exitCode !== null)
        throw new Error(`${this.#name} is not ready\n${this.output}`);
      await pause(30);
    }
  }

  async end(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

/** Starts a plane. `profile`: as the setting; `own`: more settings of the gateway. */
export async function startPlane(
  profile: "local" | "production" = "local",
  own: Readonly<Record<string, string>> = {},
) {
  const home = mkdtempSync(join(tmpdir(), "sextant-gateway-"));
  const setUp = spawn(process.execPath, [join(root, "deploy/set-up/src/main.ts")], {
    env: { SEXTANT_HOME: home },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [code] = (await once(setUp, "exit")) as [number];
  if (code !== 0) throw new Error("the set-up failed");
  const database = await createTestDatabase();
  const names: readonly Service[] = ["registry", "director", "connector"];
  const ports = await Promise.all(Array.from({ length: 12 }, freePort));
  const next = (): number => ports.pop() as number;
  const port = Object.fromEntries(
    [...names, "runtime-provisioner"].map((name) => [name, next()]),
  ) as Record<Service, number>;
  const [publicPort, mtlsPort] = [next(), next()];
  const urlOf = (name: Service) => `http://127.0.0.1:${port[name]}`;
  const publicURL = `https://localhost:${publicPort}`;
  const mtlsURL = `https://localhost:${mtlsPort}`;
  const environmentOf = (name: Service): Record<string, string> => ({
    SEXTANT_KEYS_DIR: join(home, "keys", name),
    SEXTANT_PROFILE: profile,
    SEXTANT_REGISTRY_URL: urlOf("registry"),
    SEXTANT_CONNECTOR_URL: urlOf("connector"),
    SEXTANT_PUBLIC_URL: publicURL,
    SEXTANT_MTLS_URL: mtlsURL,
    LOG_LEVEL: "warn",
    ...(name === "registry"
      ? {
          DATABASE_URL: database.ownerURL,
          DATABASE_SERVICE_URL: database.serviceURL,
          SEXTANT_BOOTSTRAP_FILE: join(home, "bootstrap.json"),
        }
      : {}),
    ...(name === "runtime-provisioner"
      ? { SEXTANT_DIRECTOR_URL: urlOf("director"), SEXTANT_RUNTIMES_DIR: join(home, "runtimes") }
      : {}),
  });
  const services = Object.fromEntries(
    [...names, "runtime-provisioner" as const].map((name) => [
      name,
      new ServiceProcess(name, port[name], next(), environmentOf(name)),
    ]),
  ) as Record<Service, ServiceProcess>;
  await services.registry.start();
  await Promise.all([services.director.start(), services.connector.start()]);

  const settings = {
    SEXTANT_KEYS_DIR: join(home, "keys", "api-gateway"),
    SEXTANT_PUBLIC_LISTEN: `127.0.0.1:${publicPort}`,
    SEXTANT_MTLS_LISTEN: `127.0.0.1:${mtlsPort}`,
    SEXTANT_REGISTRY_URL: urlOf("registry"),
    SEXTANT_DIRECTOR_URL: urlOf("director"),
    SEXTANT_CONNECTOR_URL: urlOf("connector"),
    SEXTANT_PROVISIONER_URL: urlOf("runtime-provisioner"),
    SEXTANT_PROFILE: profile,
    // All tests of a file come from one address, and some show many wrong credentials: limits.test.ts is about that.
    SEXTANT_RATE_REFUSED: "off",
  };
  const startGateway = (more: Readonly<Record<string, string>> = own): Promise<App> =>
    start(readSettings({ ...settings, ...more }), {
      log: silentLogger,
      metrics: createMetrics("api-gateway"),
    });
  let gateway = await startGateway();
  const ca = readFileSync(join(home, "ca.pem"), "utf8");
  const adminToken = readFileSync(join(home, "admin-token"), "utf8").trim();

  const send = (url: string, sent: Sent = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const call = request(
        url,
        {
          method: sent.method ?? (sent.body === undefined ? "GET" : "POST"),
          headers: { ...sent.headers },
          ca,
          agent: sent.agent ?? new Agent({ keepAlive: false }),
          ...sent.certificate,
          ...(sent.signal === undefined ? {} : { signal: sent.signal }),
        },
        (reply) => {
          const chunks: Buffer[] = [];
          reply.on("data", (chunk: Buffer) => chunks.push(chunk));
          reply.on("error", reject);
          reply.on("end", () => {
            const text = Buffer.concat(chunks).toString();
            let json: unknown;
            try {
              json = JSON.parse(text);
            } catch {
              json = undefined;
            }
            resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text, json });
          });
        },
      );
      call.on("error", reject);
      call.end(sent.body);
    });

  const graph = (
    query: string,
    variables: object = {},
    sent: Sent & { readonly path?: string; readonly door?: "public" | "mtls" } = {},
  ): Promise<Answer> => {
    const door = sent.door ?? (sent.certificate === undefined ? "public" : "mtls");
    const url = `${door === "public" ? publicURL : mtlsURL}${sent.path ?? "/graphql"}`;
    const headers = { "content-type": "application/json", ...sent.headers };
    return send(url, { ...sent, headers, body: JSON.stringify({ query, variables }) });
  };
  const admin = (
    query: string,
    variables: object = {},
    headers: Readonly<Record<string, string>> = {},
  ) => graph(query, variables, { headers: { authorization: `Bearer ${adminToken}`, ...headers } });
  const ask = async (query: string, variables: object = {}, headers = {}): Promise<Selected> => {
    const answer = await admin(query, variables, headers);
    if (answer.json?.errors !== undefined || answer.status !== 200) throw new Error(answer.text);
    return answer.json.data;
  };

  return {
    publicURL,
    mtlsURL,
    adminToken,
    ca,
    /** The provisioner is there when a test starts it. */
    services,
    provisionerPort: port["runtime-provisioner"],
    keysOf: (name: string) => join(home, "keys", name),
    send,
    graph,
    /** As the admin. */
    admin,
    /** As the admin; the data. */
    ask,
    /** Registers an application or runtime and pairs it as an agent would. */
    async pair(type: "Application" | "Runtime", name: string, labels: object = {}) {
      const { made } = await ask(
        `mutation($in: ${type === "Runtime" ? "RuntimeInput" : "ApplicationRegisterInput"}!) { made: register${type}(in: $in) { id } }`,
        { in: { name, labels } },
      );
      const { id } = made as { id: string };
      const { token } = (
        await ask(`mutation($id: ID!) { x: requestOneTimeTokenFor${type}(id: $id) { token } }`, {
          id,
        })
      ).x as { token: string };
      const configured = await graph(
        "query { configuration() { token { token } certificateSigningRequestInfo { subject } } }",
        {},
        { path: "/connector/graphql", headers: { "connector-token": token } },
      );
      const { configuration } = configured.json.data;
      const keyPair = createKeyPair();
      const certificate = await signedBy(keyPair, configuration, (csr, headers) =>
        graph(SIGN, { csr }, { path: "/connector/graphql", headers }),
      );
      return { id, token, certificate };
    },
    /** Ends the gateway and starts it again, at the same address; with other settings of its own when they are given. */
    async restartGateway(more?: Readonly<Record<string, string>>): Promise<void> {
      await gateway.close();
      gateway = await startGateway(more);
    },
    /** The gateway's settings, for one that is a process of its own. */
    settings,
    closeGateway: () => gateway.close(),
    /** All that is in the database. */
    stored: () => storedRows(database),
    readiness: () => gateway.readiness(),
    async close(): Promise<void> {
      await gateway.close().catch(() => undefined);
      await Promise.all(Object.values(services).map((service) => service.end()));
      await database.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** See {@link startPlane}. */
export type Plane = Awaited<ReturnType<typeof startPlane>>;

const SIGN = `mutation($csr: String!) { x: signCertificateSigningRequest(csr: $csr) { certificateChain } }`;

async function signedBy(
  keyPair: KeyPair,
  configuration: Selected,
  send: (csr: string, headers: Record<string, string>) => Promise<Answer>,
): Promise<ClientCertificate> {
  const subject = configuration.certificateSigningRequestInfo.subject as string;
  const csr = Buffer.from(createCertificateRequest({ subject, keyPair })).toString("base64");
  const answer = await send(csr, { "connector-token": configuration.token.token as string });
  if (answer.json?.data?.x === undefined) throw new Error(answer.text);
  return {
    cert: Buffer.from(answer.json.data.x.certificateChain as string, "base64").toString(),
    key: keyPair.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
