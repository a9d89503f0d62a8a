/** The Registry's verbs, as one service may use them. */
import { forbidden, invalidData } from "@sextant/errors";
import type { ServiceName } from "@sextant/identity";
import {
  type Claimed,
  type ClaimRequest,
  claimRequestSchema,
  type Commit,
  type CommitAnswer,
  commitGroupSchema,
  commitSchema,
  type FindTenant,
  findTenantSchema,
  type GroupAnswer,
  isUUID,
  type Params,
  type Queue,
  type ReadAnswer,
  type Registry,
  type RevokedAnswer,
  type RevokedRequest,
  revokedRequestSchema,
  resealRequestSchema,
  sealedRequestSchema,
  type SealedValue,
  type SecretHolder,
  type SecretKind,
  type SettleRequest,
  settleRequestSchema,
  type Step,
  type StoredRecord,
  type TrustState,
  type WatchAnswer,
  type WatchRequest,
  watchRequestSchema,
} from "@sextant/registry-client";
import type { Logger } from "@sextant/logging";
import { z } from "zod";
import { ACCESS, demand } from "./access.ts";
import { CommitRepository } from "./commit/commit.repository.ts";
import { kindsRead, kindsWritten } from "./commit/step.ts";
import type { Database } from "./database/database.ts";
import { Feed } from "./feed/feed.ts";
import { FeedRepository } from "./feed/feed.repository.ts";
import { type KnownPlan, PlanCache } from "./read/plan-cache.ts";
import { ReadRepository } from "./read/read.repository.ts";
import { RevokedRepository } from "./secret/revoked.repository.ts";
import { SealedRepository } from "./secret/sealed.repository.ts";
import { SecretRepository } from "./secret/secret.repository.ts";
import { TrustStateRepository } from "./secret/trust-state.repository.ts";
import { TenantRepository } from "./tenant/tenant.repository.ts";
import { WorkQueue } from "./work/work-queue.ts";
import { WorkRepository } from "./work/work.repository.ts";

/** A plan by its hash, or itself. */
export type PlanReference = { readonly planHash?: string | undefined; readonly plan?: unknown };

/** No plan is known by this hash: it has to be sent. */
export class UnknownPlanError extends Error {
  constructor() {
    super("no plan is known by this hash");
    this.name = "UnknownPlanError";
  }
}

/** The Registry with answers as JSON text, as they come from the database and go over the wire. */
export type TextRegistry = {
  /** Throws at once what is wrong with the request. */
  read(tenant: string | null, plan: PlanReference, params: Params): Promise<ReadAnswer>;
  commit(commit: unknown): Promise<CommitAnswer>;
  commitGroup(group: unknown): Promise<GroupAnswer>;
  revoked(request: unknown): Promise<string>;
  watch(request: unknown, signal?: AbortSignal): Promise<WatchAnswer>;
  claim(request: unknown, signal?: AbortSignal): Promise<readonly string[]>;
  settle(request: unknown): Promise<void>;
  trustState(): Promise<TrustState>;
  countSealed(request: unknown): Promise<number>;
  listSealed(request: unknown): Promise<readonly SealedValue[]>;
  reseal(request: unknown): Promise<void>;
  findBySecret(kind: SecretKind, hash: string): Promise<string | undefined>;
  findTenant(by: unknown): Promise<string | undefined>;
};

/** The Registry of one database. */
export type RegistryCore = {
  textRegistryFor(service: ServiceName): TextRegistry;
  registryFor(service: ServiceName): Registry;
  readonly feed: Feed;
  /** Ends what is held. The database stays open. */
  close(): Promise<void>;
};

/** How a Registry is made. */
export type RegistryOptions = {
  readonly database: Database;
  readonly log: Logger;
  /** Events of the feed that are kept. */
  readonly keepEvents?: number;
};

const planCall = z
  .strictObject({
    plan: z.unknown().optional(),
    planHash: z.string().optional(),
    params: commitSchema.shape.params,
  })
  .optional();
/** Plans are checked when they are first seen, not with every commit that carries one. */
const requestedCommit = commitSchema.extend({ before: planCall, after: planCall });

function checked<Schema extends z.ZodType>(
  name: string,
  schema: Schema,
  value: unknown,
): z.output<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => ({
    field: path.join(".") || "request",
    message,
  }));
  throw invalidData(name, faults);
}

/** Makes the Registry of a database that is prepared. Its feed has to be started. */
export function createRegistry(options: RegistryOptions): RegistryCore {
  const { database, log } = options;
  const plans = new PlanCache();
  const reads = new ReadRepository(database);
  const commits = new CommitRepository(database);
  const secrets = new SecretRepository(database);
  const revoked = new RevokedRepository(database);
  const sealed = new SealedRepository(database);
  const trustState = new TrustStateRepository(database);
  const tenants = new TenantRepository(database);
  const work = new WorkRepository(database);
  const feed = new Feed({
    repository: new FeedRepository(database),
    log,
    ...(options.keepEvents === undefined ? {} : { keep: options.keepEvents }),
  });
  const queues: Readonly<Record<Queue, WorkQueue>> = {
    staleRuntime: new WorkQueue("staleRuntime", work),
    fetchRequest: new WorkQueue("fetchRequest", work),
    healthProbe: new WorkQueue("healthProbe", work),
    delivery: new WorkQueue("delivery", work),
    operation: new WorkQueue("operation", work),
  };
  const isQueue = (name: string): name is Queue => Object.hasOwn(queues, name);

  const known = ({ planHash, plan }: PlanReference): KnownPlan => {
    if (plan !== undefined) return plans.add(plan);
    const found = planHash === undefined ? undefined : plans.byHash(planHash);
    if (found === undefined) throw new UnknownPlanError();
    return found;
  };

  const run = (
    service: ServiceName,
    plan: KnownPlan,
    tenant: string | null,
    params: Params,
  ): Promise<ReadAnswer> => {
    demand(service, "read", ACCESS[service].reads, plan.base.kinds);
    if (tenant === null ? plan.base.tenant : !isUUID(tenant)) {
      throw invalidData("ReadRequest", [
        { field: "tenant", message: "must be the id of a tenant" },
      ]);
    }
    return reads.read(plan, params, tenant);
  };

  const demandSteps = (service: ServiceName, steps: readonly Step[]): void => {
    const access = ACCESS[service];
    for (const step of steps) {
      demand(service, "write", access.writes, kindsWritten(step));
      const isAbsence = step.op === "check" && step.expect === "none";
      const readable = isAbsence ? [...access.reads, ...access.checks] : access.reads;
      demand(service, "read", readable, kindsRead(step));
      if (step.op === "event") demand(service, "cause", access.causes, [step.type]);
    }
  };

  const demandCommit = (service: ServiceName, request: Commit): void => {
    const { note, steps } = request;
    const { writes, notes } = ACCESS[service];
    if (!(note === undefined ? writes.length > 0 : notes))
      throw forbidden(`the service ${service} may not commit`);
    if (note !== undefined && (steps.length > 0 || request.observed === true)) {
      const message = "must be empty: a note changes nothing";
      throw invalidData("Commit", [{ field: "steps", message }]);
    }
    demandSteps(service, steps);
  };

  const wake = (steps: readonly Step[]): void => {
    if (steps.some((step) => step.op === "event")) feed.wake();
    for (const kind of new Set(steps.flatMap((step) => kindsWritten(step)))) {
      if (isQueue(kind)) queues[kind].wake();
    }
  };

  const commit = async (service: ServiceName, value: unknown): Promise<CommitAnswer> => {
    const request = checked("Commit", requestedCommit, value);
    demandCommit(service, request as Commit);
    const before = request.before && known(request.before);
    const after = request.after && known(request.after);
    demand(service, "read", ACCESS[service].reads, [
      ...(before?.base.kinds ?? []),
      ...(after?.base.kinds ?? []),
    ]);
    const answer = await commits.commit(request as Commit, { before, after });
    if (answer.ok) wake(request.steps);
    return answer;
  };

  const commitGroup = async (service: ServiceName, value: unknown): Promise<GroupAnswer> => {
    const group = checked("CommitGroup", commitGroupSchema, value).commits as readonly Commit[];
    for (const one of group) demandCommit(service, one);
    const answer = await commits.commitGroup(group);
    if (answer.ok) wake(group.flatMap(({ steps }) => steps));
    return answer;
  };

  const demandReseal = (service: ServiceName): void => {
    if (!ACCESS[service].reseals)
      throw forbidden(`the service ${service} may not look for what is sealed`);
  };

  const textRegistryFor = (service: ServiceName): TextRegistry => {
    const access = ACCESS[service];
    return {
      read: (tenant, plan, params) => run(service, known(plan), tenant, params),
      commit: (value) => commit(service, value),
      commitGroup: (value) => commitGroup(service, value),
      revoked: async (value) => {
        if (!access.listsRevoked)
          throw forbidden(`the service ${service} may not list what was revoked`);
        return revoked.page(checked("RevokedRequest", revokedRequestSchema, value));
      },
      watch: async (value, signal) => {
        const request = checked("WatchRequest", watchRequestSchema, value);
        demand(service, "watch", access.watches, request.types);
        return feed.watch(request, signal);
      },
      claim: async (value, signal) => {
        const request = checked("ClaimRequest", claimRequestSchema, value);
        demand(service, "claim", access.claims, [request.queue]);
        return queues[request.queue].claim(request, signal);
      },
      settle: async (value) => {
        const request = checked("SettleRequest", settleRequestSchema, value);
        demand(service, "settle", access.claims, [request.queue]);
        await work.settle(request);
        queues[request.queue].wake();
      },
      findBySecret: async (kind, hash) => {
        demand(service, "find by secret", access.finds, [kind]);
        return secrets.byHash(kind, hash);
      },
      trustState: async () => {
        if (!access.asksTrustState) throw forbidden(`the service ${service} may not ask for that`);
        return trustState.read();
      },
      countSealed: async (value) => {
        demandReseal(service);
        return sealed.count(
          checked("SealedRequest", sealedRequestSchema.pick({ prefix: true }), value).prefix,
        );
      },
      listSealed: async (value) => {
        demandReseal(service);
        return sealed.page(checked("SealedRequest", sealedRequestSchema, value));
      },
      reseal: async (value) => {
        demandReseal(service);
        await sealed.replace(checked("ResealRequest", resealRequestSchema, value).values);
      },
      findTenant: async (value) => {
        if (!access.findsTenants) throw forbidden(`the service ${service} may not find tenants`);
        return tenants.find(checked("FindTenant", findTenantSchema, value));
      },
    };
  };

  const registryFor = (service: ServiceName): Registry => {
    const texts = textRegistryFor(service);
    const parsed = async <Result>(
      text: Promise<string | undefined>,
    ): Promise<Result | undefined> => {
      const found = await text;
      return found === undefined ? undefined : (JSON.parse(found) as Result);
    };
    return {
      read: async ({ tenant, plan, params }) => texts.read(tenant, { plan }, params),
      commit: (value: Commit) => texts.commit(value),
      commitGroup: (group: readonly Commit[]) => texts.commitGroup({ commits: group }),
      revoked: async (request: RevokedRequest) =>
        JSON.parse(await texts.revoked(request)) as RevokedAnswer,
      watch: (request: WatchRequest, signal) => texts.watch(request, signal),
      claim: async <Q extends Queue>(request: ClaimRequest & { queue: Q }, signal?: AbortSignal) =>
        (await texts.claim(request, signal)).map((text) => JSON.parse(text) as Claimed<Q>),
      settle: (request: SettleRequest) => texts.settle(request),
      findBySecret: <K extends SecretKind>(kind: K, hash: string) =>
        parsed<SecretHolder<K>>(texts.findBySecret(kind, hash)),
      trustState: () => texts.trustState(),
      countSealed: (prefix) => texts.countSealed({ prefix }),
      listSealed: (request) => texts.listSealed(request),
      reseal: (request) => texts.reseal(request),
      findTenant: (by: FindTenant) => parsed<StoredRecord<"tenant">>(texts.findTenant(by)),
    };
  };

  return {
    textRegistryFor,
    registryFor,
    feed,
    close: async () => {
      for (const queue of Object.values(queues)) queue.close();
      await feed.close();
    },
  };
}
