/** Carries out GraphQL operations: queries as one read, mutations by the services' use cases. */
import {
  insufficientScopes,
  isSextantError,
  notFound,
  type SextantError,
  tenantRequired,
} from "@sextant/errors";
import type { Identity } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { isUUID, type Params, type NoteLog, type Registry } from "@sextant/registry-client";
import { publicError } from "@sextant/service";
import {
  type FieldNode,
  getNamedType,
  GraphQLError,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  isNonNullType,
  isObjectType,
  OperationTypeNode,
} from "graphql";
import { argumentsOf, coerceVariables } from "./coerce.ts";
import { collectFields, type Walk } from "./collect.ts";
import { type Binder, Compiler, declarationFaults, type Opening } from "./compile.ts";
import { createCost } from "./cost.ts";
import type { Declarations } from "./declaration.ts";
import {
  createDocumentReader,
  firstNode,
  isSchemaField,
  type Operation,
  selectOperation,
} from "./document.ts";
import type { GraphAnswer } from "./answer.ts";
import {
  answerOf,
  type FieldError,
  fieldError,
  type Outcome,
  refusedRequest,
  requestError,
} from "./field-error.ts";
import { introspect } from "./introspect.ts";
import { defaultLimits, limitError, type Limits } from "./limits.ts";
import { openAnswer } from "./open.ts";
import { project } from "./project.ts";
import { compileQuery, NIL_UUID, planOf, type QueryPlan, type Root } from "./query-plan.ts";
import {
  findRepeated,
  type Repeat,
  type Repeated,
  RepeatedError,
  type Repeats,
  repeatOf,
  requireRepeated,
} from "./repeat.ts";
import { type ShapedField, shapedFields } from "./shape.ts";
import {
  actorOf,
  Answer,
  type GraphCall,
  type Resolver,
  type Resolvers,
  type Returning,
} from "./resolver.ts";

/** A GraphQL request as it comes over HTTP. */
export type GraphRequest = {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
};

/** Carries out operations of one schema. */
export type Executor = {
  readonly schema: GraphQLSchema;
  /** `queriesOnly` refuses mutations, as a GET must. */
  execute(
    request: GraphRequest,
    call: Omit<GraphCall, "returning">,
    queriesOnly: boolean,
  ): Promise<GraphAnswer> | GraphAnswer;
};

/** What an executor is made of. */
export type ExecutorOptions = {
  readonly schema: GraphQLSchema;
  readonly sdl: string;
  readonly declarations: Declarations;
  readonly resolvers: Resolvers;
  readonly registry: Pick<Registry, "read">;
  /** Where the answers of repeated mutations are kept; without, an idempotency key is left to the use cases. */
  readonly repeats?: Repeats;
  /** Where mutations that the caller may not carry out are recorded. */
  readonly refusals?: Pick<NoteLog, "record">;
  readonly log: Logger;
  /** Parameters that conditions of declarations name, beside `me`. */
  readonly parameters: Params;
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
  /** How much one operation may ask. */
  readonly limits?: Limits;
};

type Variants = Map<string, QueryPlan>;

/** Stands for all tenants among those that a caller may act in. */
const EVERY_TENANT = "*";

/** Plans kept for one operation: at so many they are all made anew. Of a long document only a few are. */
const MAX_VARIANTS = 200;
const VARIANTS_LENGTH = 400_000;
const variantsOf = ({ document }: Operation): number =>
  Math.max(4, Math.min(MAX_VARIANTS, VARIANTS_LENGTH / (document.loc?.end ?? 1)));

/** Makes an executor. Fails when a field that can be asked has neither a declaration nor a resolver. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { schema, declarations, resolvers, registry, log } = options;
  const queryType = schema.getQueryType() as GraphQLObjectType;
  const resolved = new Set(Object.keys(resolvers.Query ?? {}));
  const faults = declarationFaults(queryType, declarations, resolved);
  for (const field of Object.keys(schema.getMutationType()?.getFields() ?? {})) {
    if (resolvers.Mutation?.[field] === undefined) faults.push(`Mutation.${field} has no resolver`);
  }
  if (faults.length > 0) throw new Error(`the schema is not covered:\n${faults.join("\n")}`);
  const limits = options.limits ?? defaultLimits;
  const readDocument = createDocumentReader(schema, limits);
  const objectsOf = createCost(schema, (type, field) => {
    const read =
      type === queryType.name
        ? declarations.queries[field]
        : declarations.types[type]?.fields[field];
    return read?.read === "list" ? read.max : undefined;
  });
  const variants = new WeakMap<Operation, Variants>();
  const shaped = new WeakMap<Operation, readonly ShapedField[]>();

  /** What of the values changes the plan: included fields, shapes of arguments, types of entities. */
  const signature = (operation: Operation, walk: Walk, viewer: string): string => {
    let fields = shaped.get(operation);
    if (fields === undefined)
      shaped.set(operation, (fields = shapedFields(schema, declarations, operation)));
    let text = viewer;
    for (const name of operation.conditionVariables) text += `|${String(walk.variables[name])}`;
    for (const { args, shape } of fields) text += `|${shape(args(walk.variables))}`;
    return text;
  };

  const plan = (operation: Operation, walk: Walk, identity: Identity): QueryPlan => {
    const viewer = identity.consumer.type;
    const key = signature(operation, walk, viewer);
    let known = variants.get(operation);
    if (known === undefined) variants.set(operation, (known = new Map()));
    let compiled = known.get(key);
    if (compiled === undefined) {
      const context = { declarations, resolved, viewer, sdl: options.sdl };
      compiled = compileQuery(walk, queryType, operation.node.selectionSet, context);
      if (known.size >= variantsOf(operation)) known.clear();
      known.set(key, compiled);
    }
    return compiled;
  };

  const contextParameters = (identity: Identity): Record<string, Params[string]> => ({
    ...options.parameters,
    me: identity.consumer.id,
    ...tenantParameters(identity),
  });

  const requireScopes = (required: readonly string[], { scopes }: Identity): void => {
    for (const scope of required)
      if (!scopes.includes(scope)) throw insufficientScopes([...new Set(required)], scopes);
  };

  /** Carries out a use case, unless it was under the same key: then it gives what was answered. */
  const once = async (
    identity: Identity,
    repeat: Repeat | undefined,
    returning: Returning,
    carryOut: () => Promise<unknown>,
  ): Promise<unknown> => {
    const { repeats } = options;
    if (repeat === undefined || repeats === undefined) return carryOut();
    const told = (found: Repeated): unknown => {
      if (!("answer" in found)) return found.value;
      returning(NIL_UUID);
      return new Answer(found.answer, found.reveal);
    };
    const known = await findRepeated(repeats, identity, repeat);
    if (known !== undefined) return told(known);
    try {
      return await carryOut();
    } catch (problem) {
      if (!(problem instanceof RepeatedError)) throw problem;
      return told(await requireRepeated(repeats, identity, repeat));
    }
  };

  /** Carries out the fields of a query that a service resolves, or the only one of a mutation. */
  const resolve = async (
    root: Root,
    resolver: Resolver,
    walk: Walk,
    call: Omit<GraphCall, "returning">,
    repeat?: Repeat,
  ) => {
    const field = root.field as GraphQLField<unknown, unknown>;
    const args = argumentsOf(field, firstNode(root.nodes), walk.variables);
    const openings: Opening[] = [];
    const returning: Returning = (id) => {
      const type = getNamedType(field.type);
      if (!isObjectType(type)) throw new Error(`${field.name} does not answer with an object`);
      const compiler = new Compiler(walk, declarations, call.caller.identity.consumer.type);
      const read = compiler.byID(type, root.nodes, [root.key]);
      requireScopes([...compiler.scopes], call.caller.identity);
      const params = { ...contextParameters(call.caller.identity), id };
      for (const binder of compiler.binders) binder.bind(walk.variables, params);
      openings.splice(0, openings.length, ...compiler.openings);
      return { plan: { select: [{ as: root.key, read }] }, params };
    };
    const value = await once(call.caller.identity, repeat, returning, () =>
      resolver(args as never, {
        caller: call.caller,
        requestID: call.requestID,
        clientAddress: call.clientAddress,
        idempotencyKey: call.idempotencyKey,
        signal: call.signal,
        returning,
        repeat,
      }),
    );
    if (!(value instanceof Answer)) return project(walk, field.type, root.nodes, value);
    const data = JSON.parse(value.text) as Record<string, unknown>;
    openAnswer(data, openings, walk, call.caller.identity, value.reveal);
    return data[root.key];
  };

  const outcomeOf = async (
    roots: readonly Root[],
    values: ReadonlyMap<string, unknown>,
    problems: ReadonlyMap<string, unknown>,
  ): Promise<Outcome> => {
    const errors: FieldError[] = [];
    // Without a prototype: a client may call a field `__proto__`.
    let data: Record<string, unknown> | null = Object.create(null) as Record<string, unknown>;
    for (const root of roots) {
      const problem = problems.get(root.key);
      const value = problem === undefined ? (values.get(root.key) ?? null) : null;
      if (problem !== undefined) {
        errors.push(fieldError(publicError(problem, log), [root.key], firstNode(root.nodes)));
      } else if (value === null && !root.nullable) {
        const missing = publicError(new Error(`${root.key} has no value and must have one`), log);
        errors.push(fieldError(missing, [root.key], firstNode(root.nodes)));
      }
      if (value === null && !root.nullable) data = null;
      else if (data !== null) data[root.key] = value;
    }
    return { data, errors };
  };

  /** Binds the parameters of what is read. Where that fails is a problem of its root. */
  const bindRoots = (
    roots: readonly Root[],
    walk: Walk,
    identity: Identity,
    params: Record<string, Params[string]>,
    problems: Map<string, unknown>,
  ): void => {
    for (const root of roots) {
      if (root.by !== "read") continue;
      try {
        requireScopes(root.scopes, identity);
        if (!root.tenantless && identity.tenant === undefined) throw tenantRequired();
        for (const binder of root.binders) binder.bind(walk.variables, params);
      } catch (problem) {
        problems.set(root.key, problem);
      }
    }
  };

  const query = async (
    operation: Operation,
    walk: Walk,
    call: Omit<GraphCall, "returning">,
  ): Promise<GraphAnswer> => {
    const { identity } = call.caller;
    let compiled: QueryPlan;
    try {
      compiled = plan(operation, walk, identity);
    } catch (problem) {
      if (isSextantError(problem, "INVALID_DATA")) return refusedRequest(problem);
      throw problem;
    }
    const problems = new Map<string, unknown>();
    const params = compiled.usesContext ? contextParameters(identity) : {};
    bindRoots(compiled.roots, walk, identity, params, problems);
    const good = withoutProblems(compiled, problems);
    let read: string | undefined;
    try {
      if (good.plan !== undefined) {
        const tenant = identity.tenant ?? null;
        const answer = await registry.read({ tenant, plan: good.plan, params });
        if (answer.missing.length > 0) noteMissing(answer.missing, good.roots, params, problems);
        read = answer.text;
      }
    } catch (problem) {
      noteFailure(good.roots, problem, problems);
    }
    return compiled.isAnswer && problems.size === 0 && read !== undefined
      ? { accepted: true, text: `{"data":${read}}` }
      : assemble(operation, walk, call, compiled.roots, problems, read);
  };

  /** The answer to a query of which more has to be done than to read, or that failed in part. */
  const assemble = async (
    operation: Operation,
    walk: Walk,
    call: Omit<GraphCall, "returning">,
    roots: readonly Root[],
    problems: Map<string, unknown>,
    read: string | undefined,
  ): Promise<GraphAnswer> => {
    const { identity } = call.caller;
    const values = new Map<string, unknown>();
    const data = read === undefined ? {} : (JSON.parse(read) as Record<string, unknown>);
    const tasks = roots.map(async (root) => {
      if (problems.has(root.key)) return;
      if (root.by === "constant") values.set(root.key, root.value);
      if (root.by === "introspection")
        values.set(root.key, introspect(walk, operation, root.nodes)[root.key]);
      if (root.by === "read") {
        const openings = root.openings as Opening[];
        openAnswer(data, openings, walk, identity, false);
        values.set(
          root.key,
          root.entityTypes === undefined ? data[root.key] : mergeEntities(root, data, walk),
        );
      }
      if (root.by === "resolver") {
        const resolver = resolvers.Query?.[root.field?.name ?? ""] as Resolver;
        values.set(root.key, await resolve(root, resolver, walk, call));
      }
    });
    const settled = await Promise.allSettled(tasks);
    for (const [index, result] of settled.entries()) {
      if (result.status === "rejected") problems.set((roots[index] as Root).key, result.reason);
    }
    return answerOf(await outcomeOf(roots, values, problems));
  };

  /** What a caller has no right to do is for the audit log; what is wrong otherwise is between it and us. */
  const noteRefusal = (call: Omit<GraphCall, "returning">, action: string, problem: unknown) => {
    for (const code of ["INSUFFICIENT_SCOPES", "FORBIDDEN"] as const) {
      if (!isSextantError(problem, code)) continue;
      const { tenant } = call.caller.identity;
      void options.refusals?.record({ tenant, actor: actorOf(call), action, code });
    }
  };

  const mutation = async (
    operation: Operation,
    walk: Walk,
    call: Omit<GraphCall, "returning">,
    request: GraphRequest,
  ): Promise<GraphAnswer> => {
    const type = schema.getMutationType() as GraphQLObjectType;
    const roots: Root[] = [];
    const values = new Map<string, unknown>();
    const problems = new Map<string, unknown>();
    for (const [key, nodes] of collectFields(walk, type, [operation.node.selectionSet])) {
      const field = type.getFields()[firstNode(nodes).name.value];
      const nullable = field === undefined || !isNonNullType(field.type);
      const root: Root = { key, nodes, field, nullable, by: "resolver" };
      roots.push(root);
      // A failed field that must not be null ends the operation: the fields behind it are not carried out.
      if (roots.some((before) => problems.has(before.key) && !before.nullable)) continue;
      if (field === undefined) {
        values.set(key, type.name);
        continue;
      }
      try {
        const repeat =
          call.idempotencyKey === undefined || options.repeats === undefined
            ? undefined
            : repeatOf(call.caller.identity, call.idempotencyKey, request, key);
        const resolver = resolvers.Mutation?.[field.name] as Resolver;
        values.set(key, await resolve(root, resolver, walk, call, repeat));
      } catch (problem) {
        problems.set(key, problem);
        noteRefusal(call, field.name, problem);
      }
    }
    const carriedOut = roots.filter((root) => problems.has(root.key) || values.has(root.key));
    return answerOf(await outcomeOf(carriedOut, values, problems));
  };

  return {
    schema,
    execute(request, call, queriesOnly) {
      const document = readDocument(request.query);
      if (!document.ok) return requestError(document.errors);
      const operation = selectOperation(document.operations, request.operationName);
      if (operation instanceof GraphQLError) return requestError([operation]);
      const kind = operation.node.operation;
      const refused = (message: string) =>
        requestError([
          new GraphQLError(message, { extensions: { code: "INVALID_OPERATION", error_code: 27 } }),
        ]);
      if (kind === OperationTypeNode.SUBSCRIPTION) return refused("subscriptions are not served");
      if (queriesOnly && kind === OperationTypeNode.MUTATION) {
        return { ...refused("a mutation must be sent by POST"), status: 405 };
      }
      const coerced = coerceVariables(schema, operation.node, request.variables ?? {});
      if (!coerced.ok) return requestError(coerced.errors);
      const objects = objectsOf(operation, coerced.values);
      if (objects > limits.objects)
        return refusedRequest(limitError(limits, [{ limit: "objects", actual: objects }]));
      const walk: Walk = { schema, fragments: operation.fragments, variables: coerced.values };
      if (!options.introspection && asksForSchema(walk, queryType, operation)) {
        return requestError([
          new GraphQLError("the schema is not served here", {
            extensions: { code: "FORBIDDEN", error_code: 26 },
          }),
        ]);
      }
      return kind === OperationTypeNode.QUERY
        ? query(operation, walk, call)
        : mutation(operation, walk, call, request);
    },
  };
}

/** The tenants that a caller may act in; `everyTenant` is one that exists when it may act in all. */
function tenantParameters({ tenant = NIL_UUID, tenants = [] }: Identity): Params {
  return {
    openTenants: [tenant, ...tenants].filter((id) => isUUID(id)),
    everyTenant: tenants.includes(EVERY_TENANT) ? tenant : NIL_UUID,
  };
}

function asksForSchema(walk: Walk, queryType: GraphQLObjectType, operation: Operation): boolean {
  if (!operation.namesSchema || operation.node.operation !== OperationTypeNode.QUERY) return false;
  const names = [...collectFields(walk, queryType, [operation.node.selectionSet]).values()].map(
    (nodes) => firstNode(nodes).name.value,
  );
  return names.some(isSchemaField);
}

/** The roots that can be read, and their plan. */
function withoutProblems(
  compiled: QueryPlan,
  problems: ReadonlyMap<string, unknown>,
): Pick<QueryPlan, "roots" | "plan"> {
  if (problems.size === 0) return compiled;
  const { roots } = compiled;
  const good = roots.filter((root) => !problems.has(root.key));
  return { roots: good, plan: planOf(good) };
}

/** What a read fails for is a problem of all roots that were read. */
function noteFailure(
  roots: readonly Root[],
  problem: unknown,
  problems: Map<string, unknown>,
): void {
  for (const root of roots) if (root.by === "read") problems.set(root.key, problem);
}

/** Requirements that were not met are problems of their roots. */
function noteMissing(
  missing: readonly number[],
  roots: readonly Root[],
  params: Params,
  problems: Map<string, unknown>,
): void {
  const required = roots.filter((root) => root.by === "read" && root.requirement !== undefined);
  for (const index of missing) {
    const root = required[index] as Extract<Root, { by: "read" }>;
    const { noun } = root.requirement as { noun: string };
    const id = params[(root.binders.at(-1) as Binder).prefix + "require"];
    problems.set(root.key, notFound(noun, String(id)) satisfies SextantError);
  }
}

/** Entities of several types, back in the order of their representations. */
function mergeEntities(root: Root, data: Record<string, unknown>, walk: Walk): unknown {
  if (root.by !== "read" || root.entityTypes === undefined || root.field === undefined) return null;
  if (root.entityTypes.length === 1) return data[root.key];
  const node: FieldNode = firstNode(root.nodes);
  const args = argumentsOf(root.field, node, walk.variables);
  const lists = new Map(
    root.entityTypes.map((type) => [type, [...(data[`${root.key}#${type}`] as unknown[])]]),
  );
  return (args["representations"] as { __typename: string }[]).map(
    (one) => lists.get(one.__typename)?.shift() ?? null,
  );
}
