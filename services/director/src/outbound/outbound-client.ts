/** Requests to servers that others have named: bounded in time and size, to allowed addresses only, redirects not followed. */
import { type Readable, pipeline } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { Agent, request } from "undici";
import { onlyPublic, type SystemLookup, targetFault } from "./target.ts";

/** One request on its way out. */
export type OutboundRequest = {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Gives the attempt up: a time limit, or the end of this process. */
  readonly signal: AbortSignal;
  /** Bytes of the answer's body that are read, after its encoding is undone. */
  readonly maxBytes: number;
};

/** The answer, whatever its status. */
export type OutboundAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Whether there was no more than `maxBytes`. */
  readonly complete: boolean;
};

/** See {@link createOutbound}. */
export type Outbound = {
  /** Throws when there was no answer. */
  exchange(request: OutboundRequest): Promise<OutboundAnswer>;
  close(): Promise<void>;
};

const CONNECT_TIME_LIMIT = 10_000;
/** What is of the connection and not of the request: whoever names additional headers has no say in these. */
const ofTheConnection: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** The body without its content coding (RFC 9110, 8.4). It is asked for none, which some servers do not heed. */
function decoded(body: Readable, coding: string): Readable {
  // Whoever reads is told of errors; when nobody does any more, they are nobody's, and must not end the process.
  body.on("error", () => {});
  const decoder =
    coding === "gzip" || coding === "x-gzip"
      ? createGunzip()
      : coding === "deflate"
        ? createInflate()
        : coding === "br"
          ? createBrotliDecompress()
          : undefined;
  if (decoder === undefined) {
    if (coding === "" || coding === "identity") return body;
    body.destroy();
    throw new Error("the answer has a content coding that was not asked for");
  }
  // Whoever reads the decoder is told of errors by it.
  pipeline(body, decoder, () => {});
  return decoder;
}

async function beginning(body: Readable, maxBytes: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > maxBytes) break;
  }
  return chunks;
}

/** Makes it. Unless private targets are allowed, an address is checked when it is connected to, not before. */
export function createOutbound(options: {
  readonly allowPrivateTargets: boolean;
  /** Asks DNS; the system's own when left out. */
  readonly lookup?: SystemLookup;
}): Outbound {
  const { allowPrivateTargets } = options;
  const lookup = onlyPublic(options.lookup);
  const agent = new Agent({
    connections: 4,
    keepAliveTimeout: 10_000,
    connect: { timeout: CONNECT_TIME_LIMIT, ...(allowPrivateTargets ? {} : { lookup }) },
  });
  return {
    async exchange({ method, url, headers, body, signal, maxBytes }) {
      const fault = allowPrivateTargets ? undefined : targetFault(url);
      if (fault !== undefined) throw new Error(`the URL ${fault}`);
      const own = Object.entries(headers).filter(
        ([name]) => !ofTheConnection.has(name.toLowerCase()),
      );
      const answer = await request(url, {
        method,
        dispatcher: agent,
        headers: {
          "user-agent": "sextant",
          "accept-encoding": "identity",
          ...Object.fromEntries(own),
        },
        ...(body === undefined ? {} : { body }),
        signal,
      });
      const coding = String(answer.headers["content-encoding"] ?? "")
        .trim()
        .toLowerCase();
      const read = Buffer.concat(await beginning(decoded(answer.body, coding), maxBytes));
      return {
        status: answer.statusCode,
        headers: answer.headers,
        body: read.subarray(0, maxBytes),
        complete: read.length <= maxBytes,
      };
    },
    close: () => agent.destroy(),
  };
}
