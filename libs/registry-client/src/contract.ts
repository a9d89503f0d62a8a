/** The Registry's contract: what a service may ask of the persistent storage. */
import { ServiceAwayError } from "@sextant/service";
import { z } from "zod";
import type { SecretHolder, SecretKind } from "./secret.ts";
import { type Actor, actorSchema, type Note, noteSchema } from "./actor.ts";
import { type Kind, kinds } from "./kinds.ts";
import type { NewRecord, StoredRecord } from "./record.ts";
import type { RevokedAnswer, RevokedRequest } from "./revoked.ts";
import type { RotationVerbs } from "./rotation.ts";
import {
  type Condition,
  conditionSchema,
  MOST_LABEL_VALUES,
  type Params,
  type ReadPlan,
  readPlanSchema,
} from "./read-plan.ts";

const uuid = z.uuid();
const kind = z.enum(Object.keys(kinds) as [Kind, ...Kind[]]);
const labelled = z.enum(["application", "runtime", "runtimeContext"]);
const value = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]);
const params = z.record(z.string(), value);

/** A plan by its hash with the values of its parameters. `tenant` is null only for reads of tenant-less kinds. */
export const readRequestSchema = z.strictObject({
  tenant: uuid.nullable(),
  planHash: z.string(),
  /** Absent when the Registry is expected to know the plan already; it answers UNKNOWN_PLAN when it does not. */
  plan: readPlanSchema.optional(),
  params,
});

/** HTTP status of the answer to a request that names a plan which the Registry does not know (any more): it has to be sent. */
export const UNKNOWN_PLAN = 428;

/** Answer of a read: JSON text, and the places of the plan's requirements that are not met. */
export type ReadAnswer = { readonly text: string; readonly missing: readonly number[] };

/** One act of a commit. They are carried out in their order, in one transaction. */
export type Step =
  /** Refused (UNIQUE) when there is one with the id or another unique value, unless that is to be left as it is then (`ifAbsent`). */
  | {
      readonly op: "create";
      readonly kind: Kind;
      readonly id: string;
      readonly values: Readonly<Record<string, unknown>>;
      readonly ifAbsent?: boolean;
    }
  /**
   * Sets fields of the object; refused when it does not exist, when its revision is another than `expectedRevision`, or when
   * it does not meet `where`. `quiet` leaves its revision and `updatedAt` as they are (for what is observed, not decided).
   */
  | {
      readonly op: "update";
      readonly kind: Kind;
      readonly id: string;
      readonly values: Readonly<Record<string, unknown>>;
      readonly expectedRevision?: number;
      readonly where?: Condition;
      readonly quiet?: boolean;
    }
  | {
      readonly op: "delete";
      readonly kind: Kind;
      readonly id: string;
      readonly expectedRevision?: number;
      readonly where?: Condition;
    }
  /** Sets fields of all objects that meet the condition: none is fine. */
  | {
      readonly op: "updateAll";
      readonly kind: Kind;
      readonly where: Condition;
      readonly values: Readonly<Record<string, unknown>>;
      readonly quiet?: boolean;
    }
  /** Removes all objects that meet the condition: none is fine. */
  | { readonly op: "deleteAll"; readonly kind: Kind; readonly where: Condition }
  /**
   * Sets a label to a value (JSON text) or, when it is null, removes it: none is fine. NOT_FOUND without the object. The value is
   * kept as it was sent; one that cannot be compared (NUL, half a surrogate pair, deeper than 100, a number beyond a double) is
   * INVALID_DATA. Commits with such a step keep out those with `stale` in the same tenant, and the other way round, so that
   * neither misses what the other changes. A key without a `labelDefinition` is given one; refused with LIMIT when the tenant
   * has 1,000.
   */
  | {
      readonly op: "label";
      readonly kind: "application" | "runtime" | "runtimeContext";
      readonly id: string;
      readonly key: string;
      readonly value: string | null;
    }
  /** Removes the labels of a key from all objects of a kind. */
  | {
      readonly op: "unlabel";
      readonly kind: "application" | "runtime" | "runtimeContext";
      readonly key: string;
    }
  /**
   * Refuses the commit when an object of the tenant has a label of this key whose value is none of those with these SHA-256
   * (lower-case hex of the stored text; see `labelValues` of a read).
   */
  | { readonly op: "labelValues"; readonly key: string; readonly digests: readonly string[] }
  /**
   * Adds the groups of these assignments to the label `label` of those of the runtimes that match the assignment, or takes them
   * out; a runtime that is then in none is in the group `fallback`. The label's value is an array of texts. Put `remove` before
   * what ends a match, `add` behind what begins one. `part`: only of the runtimes that fall into one of so many equal parts, for
   * when there may be more of them than a statement has time for.
   */
  | {
      readonly op: "assign";
      readonly change: "add" | "remove";
      readonly runtimes: Condition;
      /** About objects of the kind `automaticGroupAssignment`. */
      readonly assignments: Condition;
      readonly label: string;
      readonly fallback: string;
      readonly part?: { readonly nr: number; readonly of: number };
    }
  /**
   * Stores a text under its SHA-256 (lower-case hex) unless it is there already. Put it before what refers to it: references
   * are checked step by step.
   */
  | { readonly op: "content"; readonly hash: string; readonly text: string }
  /**
   * Refuses the commit unless there is (`some`) or is not (`none`) such an object. `hold`: what is there stays until the commit is
   * done; who removes it at the same moment comes before, or waits.
   */
  | {
      readonly op: "check";
      readonly kind: Kind;
      readonly where: Condition;
      readonly expect: "some" | "none";
      readonly hold?: boolean;
    }
  /**
   * Refuses the commit when there are more than `max` objects of a kind: of the owner whose id is in the field, or of the tenant.
   * Put it behind what creates one. Commits with the same limit are carried out one after the other.
   */
  | {
      readonly op: "limit";
      readonly kind: Kind;
      readonly owner?: { readonly field: string; readonly id: string };
      readonly max: number;
    }
  /** Marks the plans of these runtimes as stale. Put it before and after a change that takes something away. */
  | { readonly op: "stale"; readonly runtimes: Condition; readonly cause: string }
  /** Writes a delivery for each of these webhooks, once a commit for the same type and body. `body` is JSON text. */
  | {
      readonly op: "deliver";
      readonly webhooks: Condition;
      readonly type: string;
      readonly body: string;
    }
  /** An event for the change feed, told when the commit is durable. `data` is small and holds no secret. */
  | {
      readonly op: "event";
      readonly type: EventType;
      readonly id: string;
      readonly data: Readonly<Record<string, string | number | boolean | null>>;
    };

/**
 * What the feed tells. `id` of the event is the id of the runtime, certificate, token or tenant; of `client.changed` that of client
 * credentials, or of whose they are: they are gone, or open other tenants.
 */
export type EventType =
  | "plan.changed"
  | "certificate.revoked"
  | "api-token.revoked"
  | "client.changed"
  | "runtime.unregistered"
  | "application.unregistered"
  | "tenant.changed";

const eventType = z.enum([
  "plan.changed",
  "certificate.revoked",
  "api-token.revoked",
  "client.changed",
  "runtime.unregistered",
  "application.unregistered",
  "tenant.changed",
]) satisfies z.ZodType<EventType>;

const values = z.record(z.string(), z.unknown());
const stepSchema = z.discriminatedUnion("op", [
  z.strictObject({
    op: z.literal("create"),
    kind,
    id: uuid,
    values,
    ifAbsent: z.boolean().optional(),
  }),
  z.strictObject({
    op: z.literal("update"),
    kind,
    id: uuid,
    values,
    expectedRevision: z.int().optional(),
    where: conditionSchema.optional(),
    quiet: z.boolean().optional(),
  }),
  z.strictObject({
    op: z.literal("delete"),
    kind,
    id: uuid,
    expectedRevision: z.int().optional(),
    where: conditionSchema.optional(),
  }),
  z.strictObject({
    op: z.literal("updateAll"),
    kind,
    where: conditionSchema,
    values,
    quiet: z.boolean().optional(),
  }),
  z.strictObject({ op: z.literal("deleteAll"), kind, where: conditionSchema }),
  z.strictObject({
    op: z.literal("label"),
    kind: labelled,
    id: uuid,
    key: z.string(),
    value: z.string().nullable(),
  }),
  z.strictObject({ op: z.literal("unlabel"), kind: labelled, key: z.string() }),
  z.strictObject({
    op: z.literal("labelValues"),
    key: z.string(),
    digests: z.array(z.string().regex(/^[0-9a-f]{64}$/)).max(MOST_LABEL_VALUES),
  }),
  z.strictObject({
    op: z.literal("assign"),
    change: z.enum(["add", "remove"]),
    runtimes: conditionSchema,
    assignments: conditionSchema,
    label: z.string(),
    fallback: z.string(),
    part: z.strictObject({ nr: z.int().min(0).max(255), of: z.int().min(1).max(256) }).optional(),
  }),
  z.strictObject({
    op: z.literal("content"),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
    text: z.string(),
  }),
  z.strictObject({
    op: z.literal("check"),
    kind,
    where: conditionSchema,
    expect: z.enum(["some", "none"]),
    hold: z.boolean().optional(),
  }),
  z.strictObject({
    op: z.literal("limit"),
    kind,
    owner: z.strictObject({ field: z.string(), id: uuid }).optional(),
    max: z.int().min(0).max(100_000),
  }),
  z.strictObject({ op: z.literal("stale"), runtimes: conditionSchema, cause: z.string() }),
  z.strictObject({
    op: z.literal("deliver"),
    webhooks: conditionSchema,
    type: z.string(),
    body: z.string(),
  }),
  z.strictObject({
    op: z.literal("event"),
    type: eventType,
    id: uuid,
    data: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  }),
]) satisfies z.ZodType<Step>;

const planCall = z.strictObject({ plan: readPlanSchema, params });

/** One transaction as data. */
export const commitSchema = z.strictObject({
  /** Chosen by the caller: a commit that is sent again under the same id is not carried out again. */
  id: uuid,
  tenant: uuid,
  actor: actorSchema,
  /** The operator's verb, such as `registerApplication`; for the audit entry. */
  action: z.string(),
  steps: z.array(stepSchema).max(2000),
  /**
   * True for what was seen, not decided (contacts, reports, computed plans): no audit entry is written. A repeat of such a
   * commit is then known only by the ids of what it creates; its other steps have to be harmless when they come twice.
   */
  observed: z.boolean().optional(),
  /** The commit has no steps: it records an act that was refused, or that changes nothing which is stored. */
  note: noteSchema.optional(),
  /** Parameters that the conditions of the steps name. */
  params,
  /** The id of the `idempotencyKey` that the first step creates: what `before` or `after` reads is kept in it. */
  keepAnswer: uuid.optional(),
  /** Read in the same transaction before the first step. */
  before: planCall.optional(),
  /** Read in the same transaction after the last step. */
  after: planCall.optional(),
});

/** See {@link commitSchema}. */
export type Commit = {
  readonly id: string;
  readonly tenant: string;
  readonly actor: Actor;
  readonly action: string;
  readonly observed?: boolean;
  readonly note?: Note | undefined;
  readonly steps: readonly Step[];
  readonly params: Params;
  readonly keepAnswer?: string;
  readonly before?: { readonly plan: ReadPlan; readonly params: Params };
  readonly after?: { readonly plan: ReadPlan; readonly params: Params };
};

/**
 * Why a commit was refused: the step's place and
 * - `NOT_FOUND`: the object of an update or delete does not exist;
 * - `CONCURRENT_UPDATE`: its revision is not the expected one;
 * - `PRECONDITION`: it does not meet `where`, or a `check` failed;
 * - `LIMIT`: a `limit` is exceeded, or that of label definitions;
 * - `UNIQUE`, `REFERENCE`, `CHECK`: the named constraint is broken.
 */
export type CommitFailure = {
  readonly reason:
    | "NOT_FOUND"
    | "CONCURRENT_UPDATE"
    | "PRECONDITION"
    | "LIMIT"
    | "UNIQUE"
    | "REFERENCE"
    | "CHECK";
  readonly step: number;
  readonly constraint?: string;
};

/**
 * Nothing of a refused commit is stored. `repeated`: it had been carried out before under the same id; `before` and `after` are
 * both read anew then, so that `before` shows null for what the commit removed.
 */
export type CommitAnswer =
  | {
      readonly ok: true;
      readonly before?: string;
      readonly after?: string;
      readonly repeated: boolean;
    }
  | { readonly ok: false; readonly failure: CommitFailure };

/** Several commits of several tenants as one transaction: none of them reads or keeps an answer. */
export const commitGroupSchema = z.strictObject({
  commits: z
    .array(commitSchema.omit({ keepAnswer: true, before: true, after: true }))
    .min(1)
    .max(200),
});

/** All were carried out, or none: then `at` is the place of the one that is refused. */
export type GroupAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly at: number; readonly failure: CommitFailure };

/** Asks for the events behind a position; held for `waitSeconds` when there are none. */
export const watchRequestSchema = z.strictObject({
  /** Null: from now on. */
  after: z.int().min(0).nullable(),
  types: z.array(eventType).min(1),
  waitSeconds: z.int().min(0).max(50),
});
export type WatchRequest = z.infer<typeof watchRequestSchema>;

/** One event of the feed. */
export type FeedEvent = {
  readonly position: number;
  readonly tenant: string;
  readonly type: EventType;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** `startOver`: the reader fell behind what is kept; it must forget what it derived from the feed and go on at `position`. */
export type WatchAnswer = {
  readonly position: number;
  readonly events: readonly FeedEvent[];
  readonly startOver: boolean;
};

/** Leased work. */
export type Queue = "staleRuntime" | "delivery" | "operation" | "fetchRequest" | "healthProbe";

/** Claims up to `max` pieces of work that are due; held for `waitSeconds` when there are none. */
export const claimRequestSchema = z.strictObject({
  queue: z.enum(["staleRuntime", "delivery", "operation", "fetchRequest", "healthProbe"]),
  max: z.int().min(1).max(500),
  leaseSeconds: z.int().min(1).max(3600),
  waitSeconds: z.int().min(0).max(50),
});
export type ClaimRequest = z.infer<typeof claimRequestSchema>;

/** A claimed piece of work with the tenant it belongs to. Its `leaseToken` proves the claim. */
export type Claimed<Q extends Queue> = StoredRecord<Q> & { readonly tenant: string };

/**
 * The end of a claim: `done` removes a stale mark (unless it was marked again) or closes the work with `values`; otherwise it
 * is tried again at `nextAttemptAt`. A claim whose lease has passed to another is left alone.
 */
export const settleRequestSchema = z.strictObject({
  queue: z.enum(["staleRuntime", "delivery", "operation", "fetchRequest", "healthProbe"]),
  items: z
    .array(
      z.strictObject({
        tenant: uuid,
        id: uuid,
        leaseToken: uuid,
        done: z.boolean(),
        values,
        nextAttemptAt: z.string().optional(),
        /** Of a stale mark: the version that was claimed. */
        version: z.int().optional(),
      }),
    )
    .min(1)
    .max(500),
});
export type SettleRequest = z.infer<typeof settleRequestSchema>;

export const findTenantSchema = z.union([
  z.strictObject({ id: uuid }),
  z.strictObject({ externalID: z.string() }),
]);
export type FindTenant = z.infer<typeof findTenantSchema>;

/**
 * The Registry or its database cannot be reached now. Whether a commit was carried out is not known: it is sent again, under the
 * same id.
 */
export class RegistryUnavailableError extends ServiceAwayError {
  constructor(message: string, cause?: unknown) {
    super("registry", message, cause);
    this.name = "RegistryUnavailableError";
  }
}

/** The Registry as one service sees it. Every method fails with FORBIDDEN for what that service may not touch. */
export interface Registry extends RotationVerbs {
  /**
   * Runs a plan in one round trip and one SQL statement. What is wrong with a plan or a parameter is INVALID_DATA; but a text
   * that is no UUID, where an id is compared, is the id of nothing.
   */
  read(request: { tenant: string | null; plan: ReadPlan; params: Params }): Promise<ReadAnswer>;
  /** Carries out one transaction: all or nothing, durable when answered. */
  commit(commit: Commit): Promise<CommitAnswer>;
  /** Carries out several commits of several tenants as one transaction, which saves what each would cost alone. */
  commitGroup(commits: readonly Commit[]): Promise<GroupAnswer>;
  /** What of an authority's certificates was revoked and is not over for more than eight days. */
  revoked(request: RevokedRequest): Promise<RevokedAnswer>;
  /** The change feed: never skips a change that commits late. */
  watch(request: WatchRequest, signal?: AbortSignal): Promise<WatchAnswer>;
  claim<Q extends Queue>(
    request: ClaimRequest & { queue: Q },
    signal?: AbortSignal,
  ): Promise<readonly Claimed<Q>[]>;
  settle(request: SettleRequest): Promise<void>;
  findBySecret<K extends SecretKind>(kind: K, hash: string): Promise<SecretHolder<K> | undefined>;
  findTenant(by: FindTenant): Promise<StoredRecord<"tenant"> | undefined>;
}

/** A step that creates an object, with its values checked by the compiler. */
export function create<K extends Kind>(kindName: K, id: string, record: NewRecord<K>): Step {
  return { op: "create", kind: kindName, id, values: record };
}

/** A step that updates an object, with its values checked by the compiler. */
export function update<K extends Kind>(
  kindName: K,
  id: string,
  record: Partial<NewRecord<K>>,
  options: { expectedRevision?: number; where?: Condition; quiet?: boolean } = {},
): Step {
  return { op: "update", kind: kindName, id, values: record, ...options };
}
