/** The services as one graph: operations that need several of them are planned and joined by Apollo's gateway. */
import { createHash } from "node:crypto";
import { ApolloGateway, type GraphQLDataSource } from "@apollo/gateway";
import { graphqlExtensions } from "@sextant/errors";
import {
  coerceVariables,
  createCost,
  type GraphAnswer,
  type GraphRequest,
  limitError,
  type Limits,
  type Operation,
  refusedRequest,
  requestError,
} from "@sextant/graphql";
import type { Identity } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { type InternalClient, publicError } from "@sextant/service";
import {
  type DocumentNode,
  type GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  print,
} from "graphql";

/** What a joined operation carries to every service. */
type Carried = {
  readonly identity: Identity;
  /** Headers of the request that every service must see. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
};

/** The joined graph. */
export type Supergraph = {
  /** The schema as clients see it. */
  readonly schema: GraphQLSchema;
  /** Carries out an operation by asking several services. */
  execute(request: GraphRequest, operation: Operation, carried: Carried): Promise<GraphAnswer>;
  close(): Promise<void>;
};

/** Asks one service for its part of an operation, on its pool of connections. */
function dataSource(client: InternalClient): GraphQLDataSource<Carried> {
  return {
    async process({ request, context }) {
      const { identity, headers, signal } = context as Carried;
      const body = JSON.stringify({ query: request.query, variables: request.variables });
      const text = await client.text({
        method: "POST",
        path: "/graphql",
        identity,
        body,
        headers,
        signal,
      });
      return JSON.parse(text) as never;
    },
  };
}

/** Extensions that a client may see: those of our own errors. */
function shownError(error: GraphQLError | GraphQLFormattedError, log: Logger): object {
  const {
    code,
    error_code: number,
    errorId,
    retryAfter,
  } = (error.extensions ?? {}) as Record<string, unknown>;
  const place = {
    ...(error.locations === undefined ? {} : { locations: error.locations }),
    ...(error.path === undefined ? {} : { path: error.path }),
  };
  if (typeof number === "number") {
    const rest = {
      ...(errorId === undefined ? {} : { errorId }),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
    return { message: error.message, ...place, extensions: { code, error_code: number, ...rest } };
  }
  const fault = publicError((error as GraphQLError).originalError ?? error, log);
  return { message: fault.message, ...place, extensions: graphqlExtensions(fault) };
}

/** Loads the composed supergraph. `clients` has one for each service by its name. */
export async function loadSupergraph(
  supergraphSdl: string,
  clients: Readonly<Record<string, InternalClient>>,
  limits: Limits,
  log: Logger,
): Promise<Supergraph> {
  const silent = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  };
  const gateway = new ApolloGateway({
    supergraphSdl,
    logger: silent,
    buildService({ name }) {
      const client = clients[name];
      if (client === undefined)
        throw new Error(`the supergraph names the service ${name}, which is not known`);
      return dataSource(client) as GraphQLDataSource;
    },
  });
  const { executor } = await gateway.load({ apollo: {}, engine: {} } as never);
  const { schema } = gateway as unknown as { schema: GraphQLSchema };
  const objectsOf = createCost(schema);
  const prepared = new WeakMap<
    Operation,
    { readonly source: string; readonly queryHash: string; readonly document: DocumentNode }
  >();

  const prepare = (operation: Operation) => {
    let known = prepared.get(operation);
    if (known === undefined) {
      const document = {
        ...operation.document,
        definitions: [operation.node, ...operation.fragments.values()],
      };
      const source = print(document);
      known = { source, document, queryHash: createHash("sha256").update(source).digest("hex") };
      prepared.set(operation, known);
    }
    return known;
  };

  return {
    schema,
    async execute(request, operation, carried) {
      const coerced = coerceVariables(schema, operation.node, request.variables ?? {});
      if (!coerced.ok) return requestError(coerced.errors);
      const objects = objectsOf(operation, coerced.values);
      if (objects > limits.objects)
        return refusedRequest(limitError(limits, [{ limit: "objects", actual: objects }]));
      const { source, queryHash, document } = prepare(operation);
      const result = await executor({
        request: { query: source, variables: { ...request.variables } },
        document,
        source,
        queryHash,
        schema,
        operation: operation.node,
        operationName: operation.node.name?.value ?? null,
        context: carried,
        logger: silent,
        metrics: {},
        cache: undefined,
        overallCachePolicy: undefined,
      } as never);
      const errors = (result.errors ?? []).map((error) => shownError(error, log));
      const data = result.data ?? null;
      return {
        accepted: true,
        text: JSON.stringify(errors.length === 0 ? { data } : { errors, data }),
      };
    },
    close: () => gateway.stop(),
  };
}
