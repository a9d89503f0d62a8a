import { setTimeout as pause } from "node:timers/promises";
import {
  type Commit,
  type CommitAnswer,
  type CommitFailure,
  type GroupAnswer,
  isUUID,
  kinds,
  type Params,
  RegistryUnavailableError,
  type Step,
  tableName,
} from "@sextant/registry-client";
import type { Call, Row } from "../database/batch.ts";
import { type Database, openTenant } from "../database/database.ts";
import { isConflict, isUnavailable, StatementError } from "../database/error.ts";
import type { KnownPlan } from "../read/plan-cache.ts";
import { asRequestFault, readCall, runFor } from "../read/read.repository.ts";
import { identifier } from "../read/sql-text.ts";
import { limitLock, stepCall } from "./step.ts";
import { GIVEN, type RepeatableCall } from "./step-build.ts";
import { type Alike, together } from "./together.ts";

/** The plans of a commit's reads, checked. */
export type CommitPlans = {
  readonly before: KnownPlan | undefined;
  readonly after: KnownPlan | undefined;
};

/** How often a commit is tried when others stand in its way. */
const ATTEMPTS = 6;
/** SQLSTATE of refuse_unless. */
const REFUSED = "SX001";
const REASONS: Readonly<Record<string, CommitFailure["reason"]>> = {
  "23505": "UNIQUE",
  "23503": "REFERENCE",
  "23514": "CHECK",
};

function changesLabels(step: Step): boolean {
  if (step.op === "create" || step.op === "update" || step.op === "delete")
    return step.kind === "labelDefinition" || step.kind === "automaticGroupAssignment";
  return ["label", "unlabel", "labelValues", "assign"].includes(step.op);
}

/**
 * A relabelling keeps out every commit that fans out to the runtimes of a group, and those keep out relabellings: neither can
 * decide by what the other is about to change. So do changes of what labels may be, and of the groups that come with them.
 */
function lockCalls(commit: Commit): readonly Call[] {
  const limits = commit.steps.filter((step) => step.op === "limit");
  // In one order, so that two commits do not wait for each other in a circle.
  const turns = [...new Set(limits.map((step) => limitLock(step, commit.tenant)))].toSorted();
  return [
    ...labelLock(commit),
    ...turns.map((turn) => ({
      text: "select pg_advisory_xact_lock(hashtextextended($1, 7398003))",
      values: [turn],
    })),
  ];
}

function labelLock(commit: Commit): readonly Call[] {
  const exclusive = commit.steps.some((step) => changesLabels(step));
  if (!exclusive && !commit.steps.some((step) => step.op === "stale")) return [];
  const lock = exclusive ? "pg_advisory_xact_lock" : "pg_advisory_xact_lock_shared";
  return [{ text: `select ${lock}(hashtextextended($1, 7398002))`, values: [commit.tenant] }];
}

/** What a step touched, for the audit entry: never a value. */
function touched(step: Step): readonly Readonly<Record<string, string>>[] {
  switch (step.op) {
    case "create":
    case "update":
    case "delete":
      return [{ kind: step.kind, id: step.id, change: step.op }];
    case "label":
      return [
        {
          kind: step.kind,
          id: step.id,
          change: step.value === null ? "delete label" : "set label",
          key: step.key,
        },
      ];
    case "updateAll":
      return [{ kind: step.kind, change: "update all" }];
    case "deleteAll":
      return [{ kind: step.kind, change: "delete all" }];
    case "unlabel":
      return [{ kind: step.kind, change: "delete labels", key: step.key }];
    case "assign":
      if ((step.part?.nr ?? 0) > 0) return [];
      return [{ kind: "runtime", change: `${step.change} assigned groups`, key: step.label }];
    default:
      return [];
  }
}

/** The entry, by which objects it is found, and that it waits for its place in the chain: see audit/chain.ts. */
const ENTRY = `$1::uuid, $2::uuid, ${[3, 4, 5, 6, 7, 8, 9, 10, 11].map((place) => `$${place}::text`).join(", ")}, $12::integer`;
const audit = (values: (columns: string) => string, given: string, from: string): string => `
with ${given}entry as (
  insert into audit_entry
    (tenant_id, id, actor_type, actor_id, actor_name, address, request_id, action, objects, outcome, error_code, times)
  ${values(ENTRY)}
), named as (
  insert into audit_object (tenant_id, object_id, entry_id)
  select $1::uuid, object, $2::uuid from ${from}unnest($13::text::uuid[]) object
)
insert into audit_unchained (tenant_id, entry_id) ${values("$1::uuid, $2::uuid")}`;
const AUDIT = audit((columns) => `values (${columns})`, "", "");
const AUDIT_OF_MANY = audit(
  (columns) => `select ${columns} from given order by given.nr`,
  `given as (select * from ${GIVEN}), `,
  "given, ",
);

function auditCall(commit: Commit): readonly RepeatableCall[] {
  if (commit.observed === true) return [];
  const { actor, note } = commit;
  const code = note?.code;
  const objects =
    note?.objects.map((one) => ({ ...one, change: code === undefined ? "use" : "refused" })) ??
    commit.steps.flatMap((step) => touched(step));
  const ids = new Set(objects.map(({ id }) => id).filter((id) => id !== undefined && isUUID(id)));
  const values = [
    commit.tenant,
    commit.id,
    actor.type,
    actor.id,
    actor.name ?? null,
    actor.address ?? null,
    actor.requestID ?? null,
    commit.action,
    JSON.stringify(objects),
    code === undefined ? "SUCCEEDED" : "REFUSED",
    code ?? null,
    String(note?.times ?? 1),
    `{${[...ids].join()}}`,
  ];
  return [{ text: AUDIT, values, many: () => AUDIT_OF_MANY }];
}

/** A read whose text is kept for the repeats of the request. */
function keeping(commit: Commit, read: Call): Call {
  if (commit.keepAnswer === undefined) return read;
  const [tenant, id] = [`$${read.values.length + 1}::uuid`, `$${read.values.length + 2}::uuid`];
  return {
    text:
      `with answer (text) as materialized (${read.text}), ` +
      `kept as (update idempotency_key k set answer = answer.text from answer where k.tenant_id = ${tenant} and k.id = ${id}) ` +
      `select * from answer`,
    values: [...read.values, commit.tenant, commit.keepAnswer],
  };
}

/** Statements of several tenants one behind the other; of each whose it is, and the place among theirs, -1 for what opens a tenant. */
function inTurn(
  first: string,
  each: readonly Alike[],
): {
  readonly calls: readonly Call[];
  readonly owners: readonly { readonly at: number; readonly place: number }[];
} {
  const calls: Call[] = [];
  const owners: { at: number; place: number }[] = [];
  let open = first;
  for (const [at, one] of each.entries()) {
    if (one.tenant !== open) {
      calls.push(openTenant(one.tenant));
      owners.push({ at, place: -1 });
      open = one.tenant;
    }
    calls.push(...one.calls);
    owners.push(...one.calls.map((_, place) => ({ at, place })));
  }
  return { calls, owners };
}

/** Carries out commits. */
export class CommitRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** One transaction in one round trip. */
  async commit(commit: Commit, plans: CommitPlans): Promise<CommitAnswer> {
    const opening = [...lockCalls(commit), ...auditCall(commit)];
    const before =
      plans.before && commit.before
        ? [keeping(commit, readCall(plans.before, commit.before.params, commit.tenant))]
        : [];
    const steps = commit.steps.map((step, place) => stepCall(step, place, commit));
    const after =
      plans.after && commit.after
        ? [keeping(commit, readCall(plans.after, commit.after.params, commit.tenant))]
        : [];
    // The step that makes a place for the answer goes before the first read that is kept in it.
    const lead = commit.keepAnswer === undefined ? 0 : 1;
    const calls = [...opening, ...steps.slice(0, lead), ...before, ...steps.slice(lead), ...after];
    const beforeAt = opening.length + Math.min(lead, steps.length);
    const placeOf = (statement: number): number =>
      statement - opening.length - (statement < beforeAt ? 0 : before.length);
    const results = await this.#carryOut(commit.tenant, calls);
    if (results instanceof StatementError)
      return this.#refusal(results, placeOf(results.statement), commit, plans);
    return {
      ok: true,
      ...(before.length === 0 ? {} : { before: String(results[beforeAt]?.[0]?.[0]) }),
      ...(after.length === 0 ? {} : { after: String(results.at(-1)?.[0]?.[0]) }),
      repeated: false,
    };
  }

  /** Several commits as one transaction in one round trip. */
  async commitGroup(commits: readonly Commit[]): Promise<GroupAnswer> {
    const group = commits.map((commit) => ({
      commit,
      calls: [
        ...lockCalls(commit),
        ...auditCall(commit),
        ...commit.steps.map((step, place) => stepCall(step, place, commit)),
      ],
    }));
    const first = commits[0]?.tenant ?? "";
    const alike = together(group);
    if (alike !== undefined) {
      const results = await this.#carryOut(first, inTurn(first, alike).calls);
      if (!(results instanceof StatementError)) return { ok: true };
      // One by one it is seen which of them was refused.
    }
    const { calls, owners } = inTurn(
      first,
      group.map((one) => ({ tenant: one.commit.tenant, calls: one.calls })),
    );
    const results = await this.#carryOut(first, calls);
    if (!(results instanceof StatementError)) return { ok: true };
    const { at, place } = owners[results.statement] ?? { at: 0, place: -1 };
    const { commit, calls: own } = group[at] as (typeof group)[number];
    const step = place - (own.length - commit.steps.length);
    const refusal = await this.#refusal(results, step, commit, {
      before: undefined,
      after: undefined,
    });
    // All of them were carried out before, when one was.
    return refusal.ok ? { ok: true } : { ok: false, at, failure: refusal.failure };
  }

  /** Runs the statements as one transaction, again while others stand in the way: their rows, or which of them was refused. */
  async #carryOut(
    tenant: string,
    calls: readonly Call[],
  ): Promise<readonly (readonly Row[])[] | StatementError> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#database.run({ tenant }, calls);
      } catch (error) {
        if (isUnavailable(error))
          throw new RegistryUnavailableError("the database cannot be reached now", error);
        if (isConflict(error) && attempt < ATTEMPTS) {
          await pause(2 ** attempt * (0.5 + Math.random()));
          continue;
        }
        if (!(error instanceof StatementError)) throw error;
        return error;
      }
    }
  }

  async #refusal(
    error: StatementError,
    place: number,
    commit: Commit,
    plans: CommitPlans,
  ): Promise<CommitAnswer> {
    const step = commit.steps[place];
    if (isRepetition(error, step, commit)) return this.#repeated(commit, plans);
    if (step === undefined || place < 0) throw asRequestFault(error);
    if (error.sqlState === REFUSED)
      return { ok: false, failure: { reason: await this.#reason(step, commit), step: place } };
    const reason = REASONS[error.sqlState];
    if (reason !== undefined) {
      const { constraint } = error;
      return {
        ok: false,
        failure: { reason, step: place, ...(constraint === undefined ? {} : { constraint }) },
      };
    }
    throw asRequestFault(error);
  }

  /** Why an object was not changed, as far as it can still be told. */
  async #reason(step: Step, commit: Commit): Promise<CommitFailure["reason"]> {
    if (step.op === "limit") return "LIMIT";
    if (step.op === "check" || !("id" in step) || !("kind" in step)) return "PRECONDITION";
    const wall = kinds[step.kind].tenantless ? "$2::uuid is not null" : "tenant_id = $2::uuid";
    const text = `select revision from ${identifier(tableName(step.kind))} where id = $1::uuid and ${wall}`;
    const call = { text, values: [step.id, commit.tenant] };
    const [rows] = await runFor(this.#database, { tenant: commit.tenant }, [call]);
    const revision = rows?.[0]?.[0];
    if (revision === undefined) {
      // A label of what the same commit has made is refused for its definition alone.
      const isMadeHere = commit.steps.some((one) => one.op === "create" && one.id === step.id);
      return step.op === "label" && isMadeHere ? "LIMIT" : "NOT_FOUND";
    }
    const expected = "expectedRevision" in step ? step.expectedRevision : undefined;
    return expected !== undefined && Number(revision) !== expected
      ? "CONCURRENT_UPDATE"
      : step.op === "label"
        ? "LIMIT"
        : "PRECONDITION";
  }

  /** What was before can no longer be told: what is now is read in its place, which is null for what was removed. */
  async #repeated(commit: Commit, plans: CommitPlans): Promise<CommitAnswer> {
    const read = async (
      plan: KnownPlan | undefined,
      params: Params | undefined,
    ): Promise<string | undefined> => {
      if (plan === undefined || params === undefined) return undefined;
      const call = readCall(plan, params, commit.tenant);
      const [rows] = await runFor(this.#database, { tenant: commit.tenant }, [call]);
      return String(rows?.[0]?.[0]);
    };
    const before = await read(plans.before, commit.before?.params);
    const after = await read(plans.after, commit.after?.params);
    return {
      ok: true,
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      repeated: true,
    };
  }
}

/**
 * Whether the commit had been carried out before: its audit entry is there. A commit without one is known by what it creates,
 * when that has an id of its own.
 */
function isRepetition(error: StatementError, step: Step | undefined, commit: Commit): boolean {
  if (error.sqlState !== "23505") return false;
  // Which of the two comes first is PostgreSQL's to choose.
  if (error.constraint === "audit_entry_pkey" || error.constraint === "audit_object_pkey")
    return true;
  if (commit.observed !== true || step?.op !== "create") return false;
  const namedAfterRuntime = ["syncState", "staleRuntime", "provisionedRuntime"].includes(step.kind);
  return !namedAfterRuntime && error.constraint === `${tableName(step.kind)}_pkey`;
}
