/**
 * The load generator, a process of its own: keeps so many TLS connections busy with one request each, and counts. It parses as
 * little of the answers as it can, so that it takes little of the machine from what is measured.
 */
import { readFileSync } from "node:fs";
import { connect, type TLSSocket } from "node:tls";
import { filledIn, type Spread } from "./spread.ts";

/** What is asked, sent to this process as its first message. */
export type Load = {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly caFile: string;
  readonly certificate?: { readonly cert: string; readonly key: string };
  readonly clients: number;
  /** Every request is about another tenant; left out: all are the same. */
  readonly spread?: Spread;
  readonly warmupSeconds: number;
  readonly seconds: number;
  /** The status that every answer must have. */
  readonly status: number;
};

/** What came of it. Latencies in milliseconds. */
export type LoadResult = {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly bytes: number;
  /** CPU seconds, where the generator does the work itself. */
  readonly cpu?: number;
};

const endOfHead = Buffer.from("\r\n\r\n");

/** One connection; `answered` is called with the size of each answer. */
function client(
  load: Load,
  request: () => Buffer,
  answered: (socket: TLSSocket, bytes: number) => void,
): void {
  const { hostname, port } = new URL(load.url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    servername: hostname,
    ca: readFileSync(load.caFile),
    ...load.certificate,
    ALPNProtocols: ["http/1.1"],
  });
  let pending: Buffer = Buffer.alloc(0);
  let needed = 0;
  let size = 0;
  socket.on("secureConnect", () => socket.write(request()));
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed a connection")));
  socket.on("data", (chunk: Buffer) => {
    if (needed === 0) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const end = pending.indexOf(endOfHead);
      if (end < 0) return;
      const head = pending.toString("latin1", 0, end);
      const status = Number(head.slice(9, 12));
      if (status !== load.status)
        fail(new Error(`answered ${status}: ${pending.toString("utf8").slice(0, 500)}`));
      const length =
        status === 304 || status === 204
          ? 0
          : Number(/content-length: (\d+)/i.exec(head)?.[1] ?? -1);
      if (length < 0) fail(new Error("an answer without content-length"));
      size = end + 4 + length;
      needed = size - pending.length;
      pending = Buffer.alloc(0);
    } else {
      needed -= chunk.length;
    }
    if (needed > 0) return;
    needed = 0;
    answered(socket, size);
  });
}

function fail(error: Error): void {
  process.stderr.write(`load: ${error.message}\n`);
  process.exit(1);
}

/** Gives the bytes of the next request. */
function requestsOf(load: Load): () => Buffer {
  const { pathname, search, host } = new URL(load.url);
  const { body = "", spread } = load;
  const fill = (text: string): string => (spread === undefined ? text : filledIn(text, spread));
  const length = Buffer.byteLength(fill(body));
  const headers = Object.entries({
    ...load.headers,
    host,
    ...(length > 0 ? { "content-length": String(length) } : {}),
  });
  const head = [
    `${load.method} ${pathname}${search} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ].join("\r\n");
  const template = `${head}\r\n\r\n${body}`;
  const same = Buffer.from(template);
  return spread === undefined ? () => same : () => Buffer.from(fill(template));
}

function run(load: Load): void {
  const request = requestsOf(load);
  const latencies: number[] = [];
  const sentAt = new Map<TLSSocket, number>();
  let counting = false;
  let bytes = 0;
  for (let index = 0; index < load.clients; index += 1) {
    client(load, request, (socket, size) => {
      const now = performance.now();
      if (counting) {
        latencies.push(now - (sentAt.get(socket) ?? now));
        bytes = size;
      }
      sentAt.set(socket, now);
      socket.write(request());
    });
  }
  setTimeout(() => {
    counting = true;
    process.send?.("counting");
    setTimeout(() => {
      const sorted = latencies.toSorted((a, b) => a - b);
      const at = (share: number) =>
        sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
      const result: LoadResult = {
        perSecond: latencies.length / load.seconds,
        p50: at(0.5),
        p99: at(0.99),
        bytes,
      };
      process.send?.(result, undefined, undefined, () => process.exit(0));
    }, load.seconds * 1000);
  }, load.warmupSeconds * 1000);
}

process.once("message", (load) => run(load as Load));
