/** A small plane for the agent's tests: both TLS listeners, one-time tokens, certificates, held polls. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import {
  createCertificateAuthority,
  createKeyPair,
  createSerial,
  issueCertificate,
  parseCertificateRequest,
  spkiPin,
  type CertificateAuthority,
} from "@sextant/x509";

const DAY_MS = 86_400_000;
const serial = (): Buffer => createSerial(randomBytes);

/** What happens to a request: answered, or noticed by a test first. */
export type Exchange = {
  readonly path: string;
  readonly operation: string;
  readonly phase: "received" | "answered";
};

/** A report as the agent sent it. */
export type Report = {
  readonly revision: number;
  readonly applied: boolean;
  readonly ready: boolean;
  readonly health: readonly {
    readonly applicationID?: string;
    readonly condition: string;
    readonly message?: string;
  }[];
};

type Token = {
  readonly use: "configuration" | "signing";
  answer?: { readonly key: string; readonly body: unknown };
};

/** How a test plane differs from the usual. */
export type TestPlaneOptions = {
  readonly dnsNames?: readonly string[];
  readonly certificateLifeMs?: number;
};

/** Starts one. */
export async function startTestPlane(options: TestPlaneOptions = {}) {
  const directory = mkdtempSync(join(tmpdir(), "sextant-plane-"));
  const authorities = await makeAuthorities();
  const above = bundleOf(authorities);
  const tls = await serverTls(authorities, options.dnsNames ?? ["localhost"]);
  const caFile = join(directory, "ca.pem");
  writeFileSync(caFile, authorities.root.certificate.pem);

  const plane = {
    runtimeId: "3e64ebae-38b5-46a0-b1ed-9ccee153a0ae",
    caFile,
    caPin: spkiPin(authorities.root.certificate),
    publicUrl: "",
    mtlsUrl: "",
    certificateLifeMs: options.certificateLifeMs ?? DAY_MS,
    /** What it tells of renewal; undefined: it knows nothing of it. */
    renewal: undefined as
      | { readonly start: Date; readonly end: Date; readonly retryAfterSeconds: number }
      | undefined,
    /** Base64 of the public key of each certificate that was issued, in order. */
    issuedKeys: [] as string[],
    /** False: it answers every poll at once. */
    holds: true,
    /** Serial numbers that are refused. */
    revoked: new Set<string>(),
    reports: [] as Report[],
    exchanges: [] as Exchange[],
    /** Called at each exchange; a promise holds it up. */
    onExchange: undefined as ((exchange: Exchange) => Promise<void> | void) | undefined,
    /** Answers instead of the plane's own, taken from the front. */
    failures: [] as { readonly status: number; readonly headers?: Record<string, string> }[],
    /** Client certificates' serial numbers, one a request. */
    clientSerials: [] as string[],
    /** The trust bundle that it names with each poll; undefined: none. */
    bundle: undefined as string | undefined,
    /** The hashes of bundles that the agent has named, one a poll. */
    namedBundles: [] as (string | undefined)[],
    above,
    /** Other authorities with a root of their own, as a bundle and to show a server certificate of. */
    async otherAuthorities() {
      const others = await makeAuthorities();
      const shown = await serverTls(others, ["localhost"]);
      return {
        bundle: bundleOf(others),
        show: (): void => {
          for (const server of [publicServer, mtlsServer]) {
            server.setSecureContext({ ...shown, ca: above });
            server.closeAllConnections();
          }
        },
      };
    },
    newToken: (): string => newToken("configuration"),
    removePlan(): void {
      plan = "";
    },
    setPlan(content: object): void {
      revision += 1;
      plan = JSON.stringify({ revision, ...content });
      for (const wake of waiting) wake();
      waiting.clear();
    },
    count: (operation: string): number =>
      plane.exchanges.filter(
        (exchange) => exchange.operation === operation && exchange.phase === "received",
      ).length,
    async close(): Promise<void> {
      for (const server of [publicServer, mtlsServer]) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
  const tokens = new Map<string, Token>();
  const waiting = new Set<() => void>();
  let revision = 1;
  let plan = JSON.stringify({ revision, applications: [] });

  function newToken(use: Token["use"]): string {
    const token = `${randomBytes(6).toString("hex")}.${randomBytes(32).toString("base64url")}`;
    tokens.set(token, { use });
    return token;
  }

  /** A used token gives the same answer to the same idempotency key, and nothing else to anyone. */
  async function withToken(
    request: IncomingMessage,
    use: Token["use"],
    make: () => Promise<unknown>,
  ): Promise<unknown> {
    const token = tokens.get(String(request.headers["connector-token"]));
    const key = String(request.headers["idempotency-key"]);
    if (token?.use !== use) return refusal;
    if (token.answer !== undefined) return token.answer.key === key ? token.answer.body : refusal;
    const body = await make();
    token.answer = { key, body };
    return body;
  }

  async function graphql(
    request: IncomingMessage,
    body: string,
    secured: boolean,
  ): Promise<unknown> {
    const { query, variables } = JSON.parse(body) as { query: string; variables?: { csr: string } };
    if (query.includes("signCertificateSigningRequest")) {
      const signed = () => sign(variables?.csr ?? "");
      return secured ? signed() : withToken(request, "signing", signed);
    }
    if (query.includes("renewal")) {
      if (plane.renewal !== undefined)
        return { data: { configuration: { renewal: plane.renewal } } };
      return { errors: [{ message: "no such field", extensions: { code: "INVALID_DATA" } }] };
    }
    return secured
      ? configuration(null)
      : withToken(request, "configuration", () => configuration({ token: newToken("signing") }));
  }

  const subject = `O=Test,OU=default,C=DE,CN=${plane.runtimeId}`;
  const configuration = async (token: { readonly token: string } | null) => ({
    data: {
      configuration: {
        token,
        certificateSigningRequestInfo: { subject, keyAlgorithm: "rsa2048" },
        managementPlaneInfo: {
          directorURL: `${plane.mtlsUrl}/director/graphql`,
          certificateSecuredConnectorURL: `${plane.mtlsUrl}/connector/graphql`,
        },
      },
    },
  });

  async function sign(csr: string): Promise<unknown> {
    const request = parseCertificateRequest(Buffer.from(csr, "base64").toString());
    if (request.subject !== subject)
      return { errors: [{ message: "wrong subject", extensions: { code: "INVALID_DATA" } }] };
    plane.issuedKeys.push(request.spki.toString("base64"));
    const certificate = await issueCertificate(authorities.intermediate, {
      profile: "client",
      subject,
      spki: request.spki,
      serial: serial(),
      notBefore: new Date(Date.now() - 3_600_000),
      notAfter: new Date(Date.now() + plane.certificateLifeMs),
      names: { uri: [`sextant://default/runtime/${plane.runtimeId}`] },
    });
    const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
    return {
      data: {
        signCertificateSigningRequest: {
          certificateChain: base64(certificate.pem + authorities.intermediate.certificate.pem),
          caCertificate: base64(authorities.root.certificate.pem),
          clientCertificate: base64(certificate.pem),
        },
      },
    };
  }

  async function respond(
    request: IncomingMessage,
    response: ServerResponse,
    secured: boolean,
  ): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const path = request.url ?? "";
    const operation = path.endsWith("/graphql")
      ? body.includes("mutation")
        ? "sign"
        : body.includes("renewal")
          ? "renewal"
          : "configuration"
      : path;
    plane.exchanges.push({ path, operation, phase: "received" });
    await plane.onExchange?.({ path, operation, phase: "received" });
    await answer(request, response, { body, path, secured });
    plane.exchanges.push({ path, operation, phase: "answered" });
    await plane.onExchange?.({ path, operation, phase: "answered" });
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { body, path, secured }: { body: string; path: string; secured: boolean },
  ): Promise<void> {
    const clientSerial = secured
      ? ((request.socket as TLSSocket).getPeerCertificate().serialNumber?.toLowerCase() ?? "")
      : "";
    if (secured) plane.clientSerials.push(clientSerial);
    const failure = plane.failures.shift();
    if (failure !== undefined)
      return void response.writeHead(failure.status, failure.headers).end();
    if (plane.revoked.has(clientSerial)) return void response.writeHead(401).end();
    if (path === "/connector/graphql") {
      const answered = JSON.stringify(await graphql(request, body, secured));
      return void response.writeHead(200, { "content-type": "application/json" }).end(answered);
    }
    if (secured && path === "/v1/runtime/status") {
      plane.reports.push(JSON.parse(body) as Report);
      return void response.writeHead(204).end();
    }
    if (path === "/v1/ca/bundle") return void response.writeHead(200).end(plane.bundle);
    if (!secured || path !== "/v1/runtime/plan") return void response.writeHead(404).end();
    return servePlan(request, response);
  }

  const etag = (): string => `"${revision}-${Buffer.from(plan).toString("base64url").slice(-12)}"`;

  async function servePlan(request: IncomingMessage, response: ServerResponse): Promise<void> {
    plane.namedBundles.push(request.headers["sextant-trust-bundle"] as string | undefined);
    const seconds = Number(/wait=(\d+)/.exec(String(request.headers["prefer"]))?.[1] ?? 0);
    const isNews = (): boolean => plan !== "" && request.headers["if-none-match"] !== etag();
    if (plane.holds && !isNews() && seconds > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1_000);
        waiting.add(() => (clearTimeout(timer), resolve()));
        response.once("close", () => (clearTimeout(timer), resolve()));
      });
    }
    if (plane.bundle !== undefined)
      response.setHeader("sextant-trust-bundle", sha256(plane.bundle));
    if (plan === "") response.writeHead(204).end();
    else if (!isNews()) response.writeHead(304, { etag: etag() }).end();
    else response.writeHead(200, { etag: etag(), "content-type": "application/json" }).end(plan);
  }

  const handler = (secured: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    respond(request, response, secured).catch(() => response.destroy());
  };
  const publicServer = createServer(tls, handler(false));
  const mtlsServer = createServer(
    { ...tls, ca: above, requestCert: true, rejectUnauthorized: false },
    handler(true),
  );
  plane.publicUrl = await listening(publicServer);
  plane.mtlsUrl = await listening(mtlsServer);
  return plane;
}

/** See {@link startTestPlane}. */
export type TestPlane = Awaited<ReturnType<typeof startTestPlane>>;

const refusal = {
  errors: [
    { message: "the token is used, expired or unknown", extensions: { code: "UNAUTHENTICATED" } },
  ],
};

type Authorities = {
  readonly root: CertificateAuthority;
  readonly intermediate: CertificateAuthority;
  readonly notBefore: Date;
};

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

const bundleOf = ({ intermediate, root }: Authorities): string =>
  intermediate.certificate.pem + root.certificate.pem;

/** Key and certificate of a server, with what leads to its root. */
async function serverTls(authorities: Authorities, dns: readonly string[]) {
  const keys = createKeyPair();
  const certificate = await issueCertificate(authorities.intermediate, {
    profile: "server",
    subject: "CN=test plane",
    spki: keys.publicKey.export({ format: "der", type: "spki" }),
    serial: serial(),
    notBefore: authorities.notBefore,
    notAfter: new Date(Date.now() + 30 * DAY_MS),
    names: { dns },
  });
  return {
    key: keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString(),
    cert: certificate.pem + bundleOf(authorities),
    minVersion: "TLSv1.2" as const,
  };
}

async function makeAuthorities(): Promise<Authorities> {
  const notBefore = new Date(Date.now() - 2 * 3_600_000);
  const notAfter = new Date(Date.now() + 365 * DAY_MS);
  const root = await createCertificateAuthority({
    keyPair: createKeyPair(),
    subject: "CN=test root",
    serial: serial(),
    notBefore,
    notAfter,
  });
  const intermediate = await createCertificateAuthority({
    keyPair: createKeyPair(),
    parent: root,
    subject: "CN=test intermediate",
    serial: serial(),
    notBefore,
    notAfter,
  });
  return { root, intermediate, notBefore };
}

function listening(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, "localhost", () =>
      resolve(`https://localhost:${(server.address() as AddressInfo).port}`),
    );
  });
}
