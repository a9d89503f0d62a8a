/** GraphQL over HTTP (the GraphQL foundation's specification, with its `application/graphql-response+json`). */
import { graphqlExtensions, httpStatus, type SextantError } from "@sextant/errors";
import type { Caller } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { type Call, publicError, type Reply, type Route } from "@sextant/service";
import type { GraphAnswer } from "./answer.ts";
import type { Executor, GraphRequest } from "./executor.ts";
import type { GraphCall } from "./resolver.ts";

const RESPONSE = "application/graphql-response+json";
const JSON_TYPE = "application/json";

/** What a media type of an answer decides. */
type MediaType = typeof RESPONSE | typeof JSON_TYPE;

const typeHeaders: Readonly<Record<MediaType, Readonly<Record<string, string>>>> = {
  [RESPONSE]: { "content-type": `${RESPONSE}; charset=utf-8` },
  [JSON_TYPE]: { "content-type": `${JSON_TYPE}; charset=utf-8` },
};

/** A fault of the HTTP request: nothing of GraphQL was looked at. */
class RequestFault extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The media type of the answer, by the header `Accept`; undefined when we have none that is accepted. */
export function acceptedType(accept: string | undefined): MediaType | undefined {
  if (accept === undefined || accept.trim() === "") return JSON_TYPE;
  // As most clients write it.
  if (accept === JSON_TYPE || accept === "*/*") return JSON_TYPE;
  const ranges = accept.split(",").map((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const quality = Number(
      parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1,
    );
    return { type, quality };
  });
  const best = ranges
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  for (const { type } of best) {
    if (type === RESPONSE) return RESPONSE;
    if (type === JSON_TYPE || type === "application/*" || type === "*/*") return JSON_TYPE;
  }
  return undefined;
}

/** Throws for what is neither absent nor a map. */
function requireMap(name: string, value: unknown): void {
  const isMap = typeof value === "object" && !Array.isArray(value);
  if (value !== undefined && !isMap)
    throw new RequestFault(400, `\`${name}\` must be a JSON object`);
}

function checkedRequest(body: unknown): GraphRequest {
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw new RequestFault(
      400,
      "the body must be one JSON object with `query`; batches are not served",
    );
  }
  const { query, operationName, variables, extensions } = body as Record<string, unknown>;
  if (typeof query !== "string") throw new RequestFault(400, "`query` must be a string");
  if (operationName !== undefined && operationName !== null && typeof operationName !== "string") {
    throw new RequestFault(400, "`operationName` must be a string");
  }
  requireMap("variables", variables);
  requireMap("extensions", extensions);
  return {
    query,
    operationName: operationName ?? undefined,
    variables: (variables as Record<string, unknown> | null | undefined) ?? undefined,
  };
}

function parsedJSON(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RequestFault(400, `${what} is not valid JSON`);
  }
}

/** Throws for a body of another type than JSON in UTF-8. */
function requireJSON(contentType: string): void {
  // As nearly everybody writes it.
  if (contentType === JSON_TYPE) return;
  const [type, ...parameters] = contentType.split(";").map((part) => part.trim().toLowerCase());
  if (type !== JSON_TYPE) throw new RequestFault(415, "the content type must be application/json");
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8") {
    throw new RequestFault(415, "the charset must be utf-8");
  }
}

/** The GraphQL request in the query of a URL. */
function requestInQuery(query: URLSearchParams): GraphRequest {
  const parameter = (name: string) => query.get(name) ?? undefined;
  const map = (name: string) => {
    const text = parameter(name);
    return text === undefined || text === "" ? undefined : parsedJSON(text, `\`${name}\``);
  };
  return checkedRequest({
    query: parameter("query"),
    operationName: parameter("operationName"),
    variables: map("variables"),
    extensions: map("extensions"),
  });
}

const requestInBody = (body: Buffer): GraphRequest =>
  checkedRequest(parsedJSON(body.toString("utf8"), "the body"));

/** The GraphQL request in an HTTP request. Throws, or fails with, what {@link faultReply} can answer. */
export function readGraphRequest(
  call: Pick<Call, "method" | "headers" | "query" | "body">,
): Promise<GraphRequest> | GraphRequest {
  if (call.method === "GET" || call.method === "HEAD") return requestInQuery(call.query);
  requireJSON(call.headers["content-type"] ?? "");
  return call.body().then(requestInBody);
}

/** An answer with one error and no data. */
export function errorReply(
  error: SextantError,
  type: MediaType = JSON_TYPE,
  status = httpStatus(error),
): Reply {
  const body = JSON.stringify({
    errors: [{ message: error.message, extensions: graphqlExtensions(error) }],
  });
  const retry: Record<string, string> =
    error.retryAfter === undefined ? {} : { "retry-after": String(error.retryAfter) };
  return { status, headers: { "content-type": `${type}; charset=utf-8`, ...retry }, body };
}

/** The answer to a request that failed before GraphQL: wrong HTTP, an unknown caller, a fault of ours. */
export function faultReply(thrown: unknown, call: Call, log: Logger): Reply {
  // Who has gone is answered nothing, and that is no fault of ours.
  if (call.signal.aborted) return { status: 499 };
  const type = acceptedType(call.headers.accept) ?? JSON_TYPE;
  if (thrown instanceof RequestFault) {
    const error = { message: thrown.message, extensions: { code: "INVALID_DATA", error_code: 22 } };
    return {
      status: thrown.status,
      headers: { "content-type": `${type}; charset=utf-8` },
      body: JSON.stringify({ errors: [error] }),
    };
  }
  return errorReply(publicError(thrown, log.child({ requestID: call.requestID })), type);
}

/** The reply to an answer of the executor. A request that was wrong in itself is a 400, but 200 for `application/json`. */
export function graphReply(answer: GraphAnswer, type: MediaType): Reply {
  const status = answer.status ?? (answer.accepted || type === JSON_TYPE ? 200 : 400);
  const headers = status === 405 ? { ...typeHeaders[type], allow: "POST" } : typeHeaders[type];
  return { status, headers, body: answer.text };
}

/** Throws when the media type of the answer is none that the client accepts. */
export function requireAcceptable(call: Call): MediaType {
  const type = acceptedType(call.headers.accept);
  if (type === undefined) throw new RequestFault(406, `the answer is ${RESPONSE} or ${JSON_TYPE}`);
  return type;
}

/** A call as the executor sees it. */
class CarriedCall implements Omit<GraphCall, "returning"> {
  readonly caller: Caller;
  readonly #call: Call;

  constructor(caller: Caller, call: Call) {
    this.caller = caller;
    this.#call = call;
  }

  get requestID(): string {
    return this.#call.requestID;
  }

  get clientAddress(): string | undefined {
    const address = this.#call.headers["x-client-address"];
    return typeof address === "string" ? address : undefined;
  }

  get idempotencyKey(): string | undefined {
    const key = this.#call.headers["idempotency-key"];
    return typeof key === "string" ? key : undefined;
  }

  /** Made when somebody listens. */
  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** The route of a GraphQL endpoint. `authenticate` throws UNAUTHENTICATED for a caller that is not known. */
export function graphqlRoute(options: {
  readonly path: string;
  readonly executor: Executor;
  readonly authenticate: (call: Call) => Caller;
  readonly maxBody: number;
  readonly log: Logger;
}): Route {
  const handle = async (call: Call): Promise<Reply> => {
    try {
      const type = requireAcceptable(call);
      const caller = options.authenticate(call);
      const request = await readGraphRequest(call);
      const carried = new CarriedCall(caller, call);
      const answer = await options.executor.execute(request, carried, call.method !== "POST");
      return graphReply(answer, type);
    } catch (thrown) {
      return faultReply(thrown, call, options.log);
    }
  };
  return { path: options.path, maxBody: options.maxBody, methods: { GET: handle, POST: handle } };
}
