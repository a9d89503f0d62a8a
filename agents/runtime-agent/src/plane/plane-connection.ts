/** HTTPS to the plane, with or without a client certificate. */
import type { LookupFunction } from "node:net";
import { Agent, request } from "undici";
import { readRetryAfter } from "../agent/backoff.ts";
import { connectionFault, statusFault } from "./plane-error.ts";

/** What a connection is made with. */
export type ConnectionOptions = {
  /** PEM of the authority that the server's certificate must lead to. */
  readonly ca: string;
  readonly client?: { readonly privateKey: string; readonly chain: string };
  /** Finds the addresses of a host name; by default as the system does. */
  readonly lookup?: LookupFunction | undefined;
  readonly now: () => Date;
};

/** One request. */
export type PlaneRequest = {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
};

/** An answer with a status below 400, or one that `accept` lets through. */
export type PlaneResponse = {
  readonly status: number;
  readonly etag: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** Hash of the plane's trust bundle. */
  readonly trustBundle: string | undefined;
  readonly text: string;
};

/** A kept-alive connection. */
export type PlaneConnection = {
  /** Sends a request. Throws PlaneError for anything but a success, unless `accept` takes the status. */
  send(request: PlaneRequest, accept?: (status: number) => boolean): Promise<PlaneResponse>;
  close(): Promise<void>;
};

/** Above the longest hold that the plane allows (55 s). */
const HEADERS_TIMEOUT_MS = 75_000;
const BODY_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 15_000;
const LARGEST_ANSWER_BYTES = 64 * 1_024 * 1_024;

/** Opens a connection; nothing is sent yet. */
export function createPlaneConnection({
  ca,
  client,
  lookup,
  now,
}: ConnectionOptions): PlaneConnection {
  const agent = new Agent({
    connections: 1,
    pipelining: 1,
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
    maxResponseSize: LARGEST_ANSWER_BYTES,
    connect: {
      ca,
      // The authority that is trusted need not be a root: a pin may name an intermediate.
      allowPartialTrustChain: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2",
      timeout: CONNECT_TIMEOUT_MS,
      ...(lookup === undefined ? {} : { lookup }),
      ...(client === undefined ? {} : { key: client.privateKey, cert: client.chain }),
    },
  });
  return {
    async send({ method, url, headers = {}, body, signal }, accept = () => false) {
      let answer: PlaneResponse;
      try {
        const response = await request(url, {
          method,
          dispatcher: agent,
          signal,
          headers: {
            ...headers,
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body }),
        });
        answer = {
          status: response.statusCode,
          etag: single(response.headers["etag"]),
          retryAfterMs: readRetryAfter(single(response.headers["retry-after"]), now()),
          trustBundle: single(response.headers["sextant-trust-bundle"]),
          text: await response.body.text(),
        };
      } catch (error) {
        throw connectionFault(error);
      }
      if (answer.status >= 400 && !accept(answer.status)) {
        throw statusFault(
          answer.status,
          `${method} ${new URL(url).pathname}: ${answer.status}`,
          answer.retryAfterMs,
        );
      }
      return answer;
    },
    close: () => agent.destroy(),
  };
}

const single = (header: string | string[] | undefined): string | undefined =>
  Array.isArray(header) ? header[0] : header;
