/** Speaks HTTPS and GraphQL with a plane as anyone outside would, and tells the report of each exchange. */
import { readFileSync } from "node:fs";
import { Pool } from "undici";
import type { Report } from "./report.ts";

/** An answer of the plane. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly milliseconds: number;
}

/** A request that was not carried out. */
export interface Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** The body of a GraphQL answer. */
export interface GraphAnswer<Data = unknown> {
  readonly data?: Data | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: { readonly code?: string; readonly error_code?: number };
  }[];
}

/** How a request differs from the plain one. */
export interface Extra {
  readonly headers?: Readonly<Record<string, string>>;
  /** The endpoint; left out: the supergraph. */
  readonly path?: string;
  /** True: the report is not told. For what is asked over and over. */
  readonly quiet?: boolean;
  /** What is special about this request, for the report. */
  readonly note?: string;
}

/** Someone who talks to the plane. */
export interface Caller {
  readonly name: string;
  send(
    request: { method: "GET" | "POST"; path: string; body?: string; signal?: AbortSignal } & Extra,
  ): Promise<Answer>;
  /** Carries out an operation. Throws when the answer has an error. */
  ask<Data>(document: string, variables?: object, extra?: Extra): Promise<Data>;
  /** Sends an operation that must fail. Throws when it does not. */
  refused(document: string, variables?: object, extra?: Extra): Promise<Refusal>;
  /** Sends an operation, whatever comes of it. */
  post(document: string, variables?: object, extra?: Extra): Promise<Answer>;
  /** Connections that were opened so far. */
  connections(): number;
  close(): Promise<void>;
}

/** What a caller is made of. */
export interface CallerOptions {
  readonly name: string;
  readonly origin: string;
  readonly caFile: string;
  /** PEM files of a client certificate, for the mTLS listener. */
  readonly certificate?: { readonly chainFile: string; readonly keyFile: string };
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly report: Report;
  /** Most connections at once. */
  readonly connectionLimit?: number;
}

/** Longer than any poll is held. */
const PATIENCE = 75_000;

/** What the error of an answer says. */
export function refusalOf({ status, text }: Answer): Refusal | undefined {
  const [error] = (JSON.parse(text) as GraphAnswer).errors ?? [];
  if (error === undefined) return undefined;
  return { status, code: error.extensions?.code ?? "", message: error.message };
}

/** Makes a caller. */
export function createCaller(options: CallerOptions): Caller {
  const { name, origin, certificate, report } = options;
  const pool = new Pool(origin, {
    connections: options.connectionLimit ?? 8,
    headersTimeout: PATIENCE,
    bodyTimeout: PATIENCE,
    connect: {
      ca: readFileSync(options.caFile),
      ...(certificate === undefined
        ? {}
        : { cert: readFileSync(certificate.chainFile), key: readFileSync(certificate.keyFile) }),
    },
  });
  let connections = 0;
  pool.on("connect", () => void (connections += 1));

  const exchange = async (
    request: { method: "GET" | "POST"; path: string; body?: string; signal?: AbortSignal } & Extra,
    shown: { document: string; variables: unknown } | string | undefined,
  ): Promise<Answer> => {
    const { method, path, body, signal } = request;
    const headers = { ...options.headers, ...request.headers };
    const sent = performance.now();
    const reply = await pool.request({
      method,
      path,
      body: body ?? null,
      headers: body === undefined ? headers : { "content-type": "application/json", ...headers },
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await reply.body.text();
    const milliseconds = performance.now() - sent;
    const answer = { status: reply.statusCode, headers: reply.headers, text, milliseconds };
    if (request.quiet !== true) {
      const { status } = answer;
      const told = { caller: name, method, url: `${origin}${path}`, headers, request: shown };
      report.exchange({ ...told, note: request.note, status, answer: text, milliseconds });
    }
    return answer;
  };

  const post = (document: string, variables: object = {}, extra: Extra = {}): Promise<Answer> => {
    const body = JSON.stringify({ query: document, variables });
    return exchange(
      { ...extra, method: "POST", path: extra.path ?? "/graphql", body },
      { document, variables },
    );
  };

  return {
    name,
    send: (request) => exchange(request, request.body),
    post,
    async ask<Data>(document: string, variables?: object, extra?: Extra) {
      const answer = await post(document, variables, extra);
      const refusal = refusalOf(answer);
      if (refusal !== undefined) {
        throw new Error(
          `${name} was refused (${refusal.status} ${refusal.code}): ${refusal.message}`,
        );
      }
      return (JSON.parse(answer.text) as { data: Data }).data;
    },
    async refused(document, variables, extra) {
      const answer = await post(document, variables, extra);
      const refusal = refusalOf(answer);
      if (refusal === undefined) throw new Error(`${name} was not refused: ${answer.text}`);
      return refusal;
    },
    connections: () => connections,
    close: () => pool.destroy(),
  };
}
