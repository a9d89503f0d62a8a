/** The GraphQL endpoints: the supergraph, and each service alone. What one service can answer goes straight to it. */
import {
  coerceVariables,
  createDocumentReader,
  faultReply,
  type GraphAnswer,
  graphReply,
  type GraphRequest,
  isSchemaField,
  type Limits,
  type Operation,
  readGraphRequest,
  requestError,
  requireAcceptable,
  selectOperation,
} from "@sextant/graphql";
import type { Identity } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import type { Call, InternalClient, Reply, Route } from "@sextant/service";
import {
  executeSync,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  type SelectionSetNode,
} from "graphql";
import type { ClientAddresses } from "../door/address.ts";
import type { RequestClass, RequestLimits } from "../limit/limits.ts";
import type { DoorName } from "../trust/tls.ts";
import { type Ownership, singleService } from "./ownership.ts";
import type { Supergraph } from "./supergraph.ts";

/** A specification of 10 MiB with JSON's escapes, and a few more. */
const MAX_BODY = 32 * 1024 * 1024;

/** One endpoint: its path, its schema, and where an operation goes. */
type Endpoint = {
  readonly path: string;
  readonly schema: GraphQLSchema;
  /** The service that answers alone; undefined: several have to be asked. */
  readonly service: (operation: Operation) => string | undefined;
};

/** Paths by which existing agents call one service alone. */
const servicePaths: Readonly<Record<string, string>> = {
  director: "/director/graphql",
  connector: "/connector/graphql",
  "runtime-provisioner": "/provisioner/graphql",
};

/** Fields by which trust is got: who guesses at them by aliases pays for each. */
const trustFields: ReadonlySet<string> = new Set([
  "configuration",
  "signCertificateSigningRequest",
  "revokeCertificate",
]);

/** What an operation is for. Whoever pairs can do nothing else. */
function classOf(identity: Identity, fields: readonly string[]): RequestClass {
  if (identity.consumer.type === "ONE_TIME_TOKEN") return "pairing";
  return fields.some((field) => trustFields.has(field)) ? "renewal" : "administration";
}

/** Headers of a request that its service must see: made here, never taken over from outside. */
function forwarded(call: Call, address: string): Record<string, string> {
  const headers: Record<string, string> = {
    "x-request-id": call.requestID,
    "x-client-address": address,
  };
  const key = call.headers["idempotency-key"];
  if (typeof key === "string") headers["idempotency-key"] = key;
  return headers;
}

/** The names of the fields that an operation asks of its root. */
function rootFields(operation: Operation): readonly string[] {
  const names = (set: SelectionSetNode): readonly string[] =>
    set.selections.flatMap((node) => {
      if (node.kind === "Field") return [node.name.value];
      if (node.kind === "InlineFragment") return names(node.selectionSet);
      const fragment = operation.fragments.get(node.name.value);
      return fragment === undefined ? [] : names(fragment.selectionSet);
    });
  return names(operation.node.selectionSet);
}

const refused = (message: string, code: string, number: number) =>
  requestError([new GraphQLError(message, { extensions: { code, error_code: number } })]);

/** A 401 says how to come in (RFC 6750, 3). */
function challenged(reply: Reply, call: Call): Reply {
  if (reply.status !== 401) return reply;
  const why = call.headers.authorization === undefined ? "" : ', error="invalid_token"';
  return {
    ...reply,
    headers: { ...reply.headers, "www-authenticate": `Bearer realm="sextant"${why}` },
  };
}

/** Makes the routes. */
export function graphqlRoutes(options: {
  readonly supergraph: Supergraph;
  readonly ownership: Ownership;
  /** Each service's schema as clients see it, without the fields of federation. */
  readonly serviceSchemas: Readonly<Record<string, GraphQLSchema>>;
  readonly clients: Readonly<Record<string, InternalClient>>;
  readonly door: DoorName;
  readonly authenticate: (call: Call) => Promise<Identity>;
  readonly requestLimits: RequestLimits;
  readonly addresses: Pick<ClientAddresses, "of">;
  readonly introspection: boolean;
  readonly limits: Limits;
  /** The page of the explorer, for a browser; undefined: there is none. */
  readonly explorer: ((call: Call) => Promise<Reply>) | undefined;
  readonly log: Logger;
}): readonly Route[] {
  const { supergraph, ownership, clients, requestLimits, log } = options;
  const addressOf = ({ request }: Call): string =>
    request === undefined ? "" : options.addresses.of(request);

  /** Sends the request as it came to one service, and its answer back as it comes. */
  const straight = async (
    service: string,
    call: Call,
    request: GraphRequest,
    identity: Identity,
    address: string,
  ): Promise<Reply> => {
    const client = clients[service] as InternalClient;
    const body = call.method === "POST" ? await call.body() : JSON.stringify(request);
    const headers = forwarded(call, address);
    headers["accept"] = call.headers.accept ?? "";
    const reply = await client.send({
      method: "POST",
      path: "/graphql",
      identity,
      body,
      headers,
      signal: call.signal,
    });
    const shown: Record<string, string> = {};
    for (const name of ["content-type", "retry-after", "allow"] as const) {
      const value = reply.headers[name];
      if (typeof value === "string") shown[name] = value;
    }
    return { status: reply.status, headers: shown, body: reply.body };
  };

  /** The schema itself: it is served to everybody where it is served at all, so that the explorer can show it. */
  const describe = (
    schema: GraphQLSchema,
    operation: Operation,
    request: GraphRequest,
  ): GraphAnswer => {
    const coerced = coerceVariables(schema, operation.node, request.variables ?? {});
    if (!coerced.ok) return requestError(coerced.errors);
    const document = {
      ...operation.document,
      definitions: [operation.node, ...operation.fragments.values()],
    };
    const answer = executeSync({ schema, document, variableValues: { ...request.variables } });
    return { accepted: true, text: JSON.stringify(answer) };
  };

  const route = ({ path, schema, service }: Endpoint): Route => {
    const readDocument = createDocumentReader(schema, options.limits);
    const known = new WeakMap<
      Operation,
      { readonly service: string | undefined; readonly fields: readonly string[] }
    >();
    const routed = (operation: Operation) => {
      let target = known.get(operation);
      if (target === undefined)
        known.set(
          operation,
          (target = { service: service(operation), fields: rootFields(operation) }),
        );
      return target;
    };

    const handle = async (call: Call): Promise<Reply> => {
      try {
        const type = requireAcceptable(call);
        // Where the schema is not served, nothing is read from who is not known.
        let identity = options.introspection ? undefined : await options.authenticate(call);
        const request = await readGraphRequest(call);
        const document = readDocument(request.query);
        if (!document.ok) return graphReply(requestError(document.errors), type);
        const operation = selectOperation(document.operations, request.operationName);
        if (operation instanceof GraphQLError) return graphReply(requestError([operation]), type);
        const kind = operation.node.operation;
        if (kind === OperationTypeNode.SUBSCRIPTION) {
          return graphReply(refused("subscriptions are not served", "INVALID_OPERATION", 27), type);
        }
        if (call.method !== "POST" && kind === OperationTypeNode.MUTATION) {
          return graphReply(
            { ...refused("a mutation must be sent by POST", "INVALID_OPERATION", 27), status: 405 },
            type,
          );
        }
        const target = routed(operation);
        if (target.fields.some(isSchemaField)) {
          if (!options.introspection)
            return graphReply(refused("the schema is not served here", "FORBIDDEN", 26), type);
          if (target.fields.every(isSchemaField)) {
            return graphReply(describe(schema, operation, request), type);
          }
        }
        identity ??= await options.authenticate(call);
        const { fields, service: alone } = target;
        const address = addressOf(call);
        requestLimits.admit({
          class: classOf(identity, fields),
          identity,
          address,
          cost: fields.length,
        });
        const leave = requestLimits.enter(identity);
        try {
          if (alone !== undefined) return await straight(alone, call, request, identity, address);
          const carried = { identity, headers: forwarded(call, address), signal: call.signal };
          return graphReply(await supergraph.execute(request, operation, carried), type);
        } finally {
          leave();
        }
      } catch (thrown) {
        return faultReply(thrown, call, log);
      }
    };

    const answer = async (call: Call): Promise<Reply> => {
      const reply = await handle(call);
      return options.door === "public" ? challenged(reply, call) : reply;
    };

    const { explorer } = options;
    const get = (call: Call): Promise<Reply> => {
      const isBrowser =
        explorer !== undefined &&
        call.query.get("query") === null &&
        (call.headers.accept ?? "").includes("text/html");
      return isBrowser ? explorer(call) : answer(call);
    };
    return { path, maxBody: MAX_BODY, methods: { GET: get, POST: answer } };
  };

  const alone = Object.entries(servicePaths).map(([service, path]) =>
    route({
      path,
      schema: options.serviceSchemas[service] as GraphQLSchema,
      service: () => service,
    }),
  );
  const whole: Endpoint = {
    path: "/graphql",
    schema: supergraph.schema,
    service: (operation) => singleService(ownership, supergraph.schema, operation),
  };
  return [route(whole), ...alone];
}
