/**
 * The load generator, a process of its own: keeps so many TLS connections busy with one request each, and counts. It parses as
 * little of the answers as it can, so that it takes little of the machine from what is measured.
 */
import { readFileSync } from "node:fs";
import { connect } from "node:tls";
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
/** The end of `content-length: `, without the letter that servers write in either case. */
const lengthName = Buffer.from("ength: ");
const [ZERO, NINE] = [0x30, 0x39];

/** The number whose digits begin at a place; undefined: there are none. */
function numberAt(bytes: Buffer, start: number): number | undefined {
  let [at, number] = [start, 0];
  for (; ; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return at === start ? undefined : number;
    number = number * 10 + byte - ZERO;
  }
}

const NOTHING = Buffer.alloc(0);
/** Where answers are read into, of all connections: what is left of one when another comes is copied. */
const received = Buffer.alloc(64 * 1024);

/** One connection; `answered` is called with the milliseconds and the size of each answer. */
function client(
  load: Load,
  request: () => Buffer,
  answered: (milliseconds: number, bytes: number) => void,
): void {
  const { hostname, port } = new URL(load.url);
  const options = {
    host: hostname,
    port: Number(port),
    servername: hostname,
    ca: readFileSync(load.caFile),
    ...load.certificate,
    ALPNProtocols: ["http/1.1"],
    // Node passes it on to the socket, as `net.connect` does: no stream and no buffer for each answer.
    onread: { buffer: received, callback: receive },
  };
  const socket = connect(options);
  let pending: Buffer = NOTHING;
  let needed = 0;
  let size = 0;
  let sentAt = 0;
  const send = (): void => {
    sentAt = performance.now();
    socket.write(request());
  };
  socket.on("secureConnect", send);
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed a connection")));
  function receive(count: number): boolean {
    const chunk = received.subarray(0, count);
    if (needed === 0) {
      const answer = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const end = answer.indexOf(endOfHead);
      if (end < 0) {
        pending = Buffer.from(answer);
        return true;
      }
      pending = NOTHING;
      const status = numberAt(answer, 9);
      if (status !== load.status)
        fail(new Error(`answered ${status}: ${answer.toString("utf8").slice(0, 500)}`));
      const length = status === 304 || status === 204 ? 0 : lengthIn(answer, end);
      size = end + 4 + length;
      needed = size - answer.length;
    } else {
      needed -= count;
    }
    if (needed > 0) return true;
    needed = 0;
    answered(performance.now() - sentAt, size);
    send();
    return true;
  }
}

/** What the head of an answer, which ends at `end`, says of its body's length. */
function lengthIn(answer: Buffer, end: number): number {
  const at = answer.indexOf(lengthName);
  const length = at < 0 || at > end ? undefined : numberAt(answer, at + lengthName.length);
  return length ?? fail(new Error("an answer without content-length"));
}

function fail(error: Error): never {
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
  let counting = false;
  let bytes = 0;
  for (let index = 0; index < load.clients; index += 1) {
    client(load, request, (milliseconds, size) => {
      if (!counting) return;
      latencies.push(milliseconds);
      bytes = size;
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
