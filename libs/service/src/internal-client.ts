/** Calls from one service to another: signed, pooled, with errors that come back as the typed errors they were. */
import { socketPath } from "@sextant/config";
import { fromJSON, internal } from "@sextant/errors";
import type { Identity, ServiceName, Signer } from "@sextant/identity";
import type { FollowedFiles } from "./follow-files.ts";
import type { InternalTLS } from "./internal-api.ts";
import { createLinkClient, type LinkReply } from "./link/link-client.ts";
import { ServiceAwayError } from "./service-away.ts";

/** One call. Without `identity` the service speaks for itself. */
export type InternalCall = {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string | Buffer | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly identity?: Identity | undefined;
  /** The tenant the service acts in when it speaks for itself. */
  readonly tenant?: string | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** An answer as it came. */
export type InternalReply = LinkReply;

/** A client of one service. */
export type InternalClient = {
  /** The answer whatever its status. */
  send(call: InternalCall): Promise<InternalReply>;
  /** The answer's text; throws the typed error that the other service sent, or INTERNAL. */
  text(call: InternalCall): Promise<string>;
  /** The answer's JSON; throws as `text` does. */
  json(call: InternalCall): Promise<unknown>;
  /** The typed error in an answer of `send`, or INTERNAL. */
  errorOf(reply: InternalReply, path: string): Error;
  close(): Promise<void>;
};

/** Links to one service over a network, so that several processes of it get their share. */
const LINKS = 2;

/** Makes a client of the service `audience` at `url`. */
export function createInternalClient(options: {
  readonly audience: ServiceName;
  readonly url: string;
  readonly signer: Signer;
  readonly tls?: Pick<FollowedFiles<InternalTLS>, "current"> | undefined;
}): InternalClient {
  const { audience, signer, tls } = options;
  // At a Unix socket there is one process: the fewer links, the more calls go out in one write.
  const count = socketPath(options.url) === undefined ? LINKS : 1;
  const links = createLinkClient({
    ...{ url: options.url, tls, links: count },
    failure: (error) => new ServiceAwayError(audience, `${audience} cannot be reached`, error),
  });

  const send = (call: InternalCall): Promise<InternalReply> => {
    const authorization =
      call.identity === undefined
        ? signer.ownAuthorization(audience, call.tenant)
        : signer.authorizationFor(audience, call.identity);
    const headers: Record<string, string> = { ...call.headers, authorization };
    if (call.body !== undefined) headers["content-type"] ??= "application/json";
    const head = { method: call.method, path: call.path, headers };
    return links.call(head, call.body, call.signal);
  };

  const errorOf = (reply: InternalReply, path: string): Error =>
    errorIn(reply.text, `${audience} answered ${reply.status} to ${path}`);

  const text = async (call: InternalCall): Promise<string> => {
    const reply = await send(call);
    if (reply.status >= 200 && reply.status < 300) return reply.text;
    throw errorOf(reply, call.path);
  };

  return {
    send,
    text,
    json: async (call) => JSON.parse(await text(call)) as unknown,
    errorOf,
    close: () => links.close(),
  };
}

/** The typed error in an answer's body, or an internal one that says what was seen. */
function errorIn(body: string, seen: string): Error {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    parsed = undefined;
  }
  const known = fromJSON(parsed);
  return known ?? internal(crypto.randomUUID(), new Error(seen));
}
