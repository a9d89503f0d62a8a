/** The services as one graph: operations that need several of them are planned once, asked in parts, and joined. */
import {
  answerOf,
  coerceVariables,
  collectFields,
  createCost,
  firstNode,
  type GraphAnswer,
  type GraphRequest,
  introspect,
  isSchemaField,
  limitError,
  type Limits,
  type Operation,
  refusedRequest,
  requestError,
  type Walk,
} from "@sextant/graphql";
import type { Identity } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { type InternalClient, publicError, ServiceAwayError } from "@sextant/service";
import { type GraphQLSchema, isAbstractType, isObjectType } from "graphql";
import {
  type Answered,
  carryOut,
  type Joined,
  passedOn,
  RefusedError,
  type ServiceAnswer,
} from "./join.ts";
import { createJoinPlanner, type JoinPlan } from "./join-plan.ts";
import { createShaper, type Shaper } from "./shaped.ts";

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
  /** Carries out an operation by asking several services. Throws when none of them can be asked. */
  execute(request: GraphRequest, operation: Operation, carried: Carried): Promise<GraphAnswer>;
};

/** What is kept of an operation: its plan, and a shaper for each choice of its conditions. */
type Prepared = { readonly plan: JoinPlan; readonly shapers: Map<string, Shaper> };

/** Shapers kept for one operation: at so many they are all made anew. */
const MAX_SHAPERS = 16;

async function answerIn(
  client: InternalClient,
  service: string,
  body: string,
  { identity, headers, signal }: Carried,
): Promise<ServiceAnswer> {
  const call = { method: "POST", path: "/graphql", identity, body, headers, signal } as const;
  const reply = await client.send(call);
  if (reply.status === 503) throw new ServiceAwayError(service, `${service} takes no requests`);
  let answer: unknown;
  try {
    answer = JSON.parse(reply.text);
  } catch {
    throw client.errorOf(reply, call.path);
  }
  const isAnswer =
    answer !== null && typeof answer === "object" && ("data" in answer || "errors" in answer);
  if (!isAnswer) throw client.errorOf(reply, call.path);
  const { data, errors = [] } = answer as ServiceAnswer;
  // Refused before it was read as GraphQL, such as a caller that the service does not know.
  const [error] = errors;
  if (reply.status >= 400 && data === undefined && error !== undefined)
    throw passedOn(error) ?? client.errorOf(reply, call.path);
  return answer as ServiceAnswer;
}

/** Loads the composed supergraph. `clients` has one for each service by its name. */
export function loadSupergraph(
  supergraphSdl: string,
  clients: Readonly<Record<string, InternalClient>>,
  limits: Limits,
  log: Logger,
): Supergraph {
  const planner = createJoinPlanner(supergraphSdl);
  for (const name of planner.services)
    if (clients[name] === undefined)
      throw new Error(`the supergraph names the service ${name}, which is not known`);
  const { schema } = planner;
  const objectsOf = createCost(schema);
  const prepared = new WeakMap<Operation, Prepared>();

  const prepare = (operation: Operation): Prepared => {
    let known = prepared.get(operation);
    if (known === undefined)
      prepared.set(operation, (known = { plan: planner.plan(operation), shapers: new Map() }));
    return known;
  };

  const shaperOf = (
    operation: Operation,
    { plan, shapers }: Prepared,
    variables: Walk["variables"],
  ) => {
    const choice = operation.conditionVariables.map((name) => String(variables[name])).join();
    let known = shapers.get(choice);
    if (known === undefined) {
      if (shapers.size >= MAX_SHAPERS) shapers.clear();
      shapers.set(choice, (known = createShaper(schema, operation, plan, variables)));
    }
    return known;
  };

  /** Answers what is asked about the schema itself. */
  const describe = (
    data: Answered,
    operation: Operation,
    { keyOf }: JoinPlan,
    variables: Walk["variables"],
  ): void => {
    const walk: Walk = { schema, fragments: operation.fragments, variables };
    const type = schema.getRootType(operation.node.operation);
    if (!isObjectType(type)) return;
    for (const [key, nodes] of collectFields(walk, type, [operation.node.selectionSet])) {
      const node = firstNode(nodes);
      if (isSchemaField(node.name.value))
        data[keyOf(node)] = introspect(walk, operation, nodes)[key];
    }
  };

  const isOfType = (name: string, other: string): boolean => {
    if (name === other) return true;
    const [type, around] = [schema.getType(name), schema.getType(other)];
    return isObjectType(type) && isAbstractType(around) && schema.isSubType(around, type);
  };

  return {
    schema,
    async execute(request, operation, carried) {
      const given = request.variables ?? {};
      const coerced = coerceVariables(schema, operation.node, given);
      if (!coerced.ok) return requestError(coerced.errors);
      const objects = objectsOf(operation, coerced.values);
      if (objects > limits.objects)
        return refusedRequest(limitError(limits, [{ limit: "objects", actual: objects }]));
      const known = prepare(operation);
      const { plan } = known;
      const shaper = shaperOf(operation, known, coerced.values);
      const shown = (thrown: unknown) =>
        publicError(thrown, log.child({ requestID: carried.headers["x-request-id"] }));
      let joined: Joined = { data: {}, problems: new Map() };
      try {
        if (plan.step !== undefined)
          joined = await carryOut(plan.step, {
            ask: (service, body) =>
              answerIn(clients[service] as InternalClient, service, body, carried),
            ...{ given, variables: coerced.values, required: shaper.required },
            ...{ isOfType, shown, signal: carried.signal },
          });
      } catch (thrown) {
        if (thrown instanceof RefusedError) return refusedRequest(...thrown.problems);
        throw thrown;
      }
      if (plan.describes) describe(joined.data, operation, plan, coerced.values);
      return answerOf(shaper.shape(joined, (message) => shown(new Error(message))));
    },
  };
}
