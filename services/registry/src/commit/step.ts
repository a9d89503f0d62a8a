/** The steps of a commit as statements. */
import { type Fault, invalidData } from "@sextant/errors";
import {
  columnName,
  type Condition,
  type Field,
  type Kind,
  kinds,
  type Params,
  type Step,
  tableName,
} from "@sextant/registry-client";
import type { Call } from "../database/batch.ts";
import { elementsOf, isComparable } from "../label/label-element.ts";
import { conditionSQL } from "../read/condition.ts";
import { arrayText, bind, probeForm, type ProbeForm } from "../read/parameters.ts";
import { Build, Scope } from "../read/scope.ts";
import { identifier } from "../read/sql-text.ts";
import { COLUMN_TYPES, storedValue } from "./stored-value.ts";

/** What the steps of one commit have in common. */
export type StepContext = { readonly tenant: string; readonly params: Params };

/** Kinds that no step may change: the Registry writes them itself, or by a step of their own. */
const CLOSED: ReadonlySet<Kind> = new Set<Kind>(["auditEntry", "content"]);

function refuse(place: number, faults: readonly Fault[]): never {
  throw invalidData(
    "Commit",
    faults.map(({ field, message }) => ({ field: `steps.${place}.${field}`, message })),
  );
}

/** Collects the parts of one statement. */
class StepBuild {
  readonly build: Build;
  readonly #context: StepContext;
  readonly #place: number;
  readonly #faults: Fault[] = [];

  constructor(context: StepContext, place: number, conditions: readonly (Condition | undefined)[]) {
    this.#context = context;
    this.#place = place;
    const forms: Record<string, ProbeForm> = {};
    for (const condition of conditions) if (condition !== undefined) this.#probes(condition, forms);
    this.build = new Build(forms);
  }

  fault(field: string, message: string): void {
    this.#faults.push({ field, message });
  }

  /** A place for a field's value. */
  value(name: string, field: Field, value: unknown): string {
    const faults: Fault[] = [];
    const text = storedValue(`values.${name}`, field, value, faults);
    this.#faults.push(...faults);
    return this.build.slots.known(text, COLUMN_TYPES[field.type]);
  }

  text(text: string): string {
    if (text.includes("\0")) this.fault("text", "must not hold the character NUL");
    return this.build.slots.known(text, "text");
  }

  /** The conditions for the object with this id; all of the tenant without one. */
  where(
    scope: Scope,
    id: string | undefined,
    more: readonly string[],
    condition: Condition | undefined,
  ): string {
    const { kind, alias } = scope;
    const all = kind !== null && kinds[kind].tenantless ? [] : [this.build.wall(alias)];
    if (id !== undefined) all.push(`${alias}.id = ${this.build.slots.known(id, "uuid")}`);
    all.push(...more);
    if (condition !== undefined) all.push(`(${conditionSQL(this.build, scope, condition)})`);
    return all.join(" and ");
  }

  call(text: string): Call {
    if (this.#faults.length > 0) refuse(this.#place, this.#faults);
    return {
      text,
      values: bind(this.build.slots.list, this.#context.params, this.#context.tenant),
    };
  }

  #probes(condition: Condition, forms: Record<string, ProbeForm>): void {
    if (condition.op === "all" || condition.op === "any")
      for (const one of condition.of) this.#probes(one, forms);
    if (condition.op === "not") this.#probes(condition.condition, forms);
    if (condition.op === "exists") this.#probes(condition.where, forms);
    if (condition.op === "labelContains" && "param" in condition.json) {
      forms[condition.json.param] = probeForm(
        condition.json.param,
        this.#context.params[condition.json.param],
      );
    }
  }
}

/** `field = value` for each of the values, and what every change does. */
function assignments(
  step: StepBuild,
  kind: Kind,
  alias: string,
  values: Readonly<Record<string, unknown>>,
  quiet: boolean,
): string {
  const fields: Readonly<Record<string, Field>> = kinds[kind].fields;
  const set = Object.entries(values).flatMap(([name, value]) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field !== undefined)
      return [`${identifier(columnName(name))} = ${step.value(name, field, value)}`];
    step.fault(`values.${name}`, `is no field of ${kind}`);
    return [];
  });
  if (!quiet) set.push(`revision = ${alias}.revision + 1`, "updated_at = now()");
  if (set.length === 0) set.push(`revision = ${alias}.revision`);
  return set.join(", ");
}

function open(step: Step & { readonly kind: Kind }, place: number): Kind {
  if (CLOSED.has(step.kind))
    refuse(place, [{ field: "kind", message: `${step.kind} is not changed by ${step.op}` }]);
  return step.kind;
}

/** All columns are written, so that one prepared statement serves every object of the kind. */
function createCall(
  step: Extract<Step, { op: "create" }>,
  place: number,
  context: StepContext,
): Call {
  const kind = open(step, place);
  const parts = new StepBuild(context, place, []);
  const fields: Readonly<Record<string, Field>> = kinds[kind].fields;
  for (const name of Object.keys(step.values)) {
    if (!Object.hasOwn(fields, name)) parts.fault(`values.${name}`, `is no field of ${kind}`);
  }
  const columns = kinds[kind].tenantless ? [] : ["tenant_id"];
  const values = kinds[kind].tenantless ? [] : [parts.build.slots.tenant()];
  columns.push("id");
  values.push(parts.build.slots.known(step.id, "uuid"));
  for (const [name, field] of Object.entries(fields)) {
    columns.push(identifier(columnName(name)));
    values.push(parts.value(name, field, step.values[name]));
  }
  return parts.call(
    `insert into ${identifier(tableName(kind))} (${columns.join(", ")}) values (${values.join(", ")})`,
  );
}

function changeCall(
  step: Extract<Step, { op: "update" | "delete" }>,
  place: number,
  context: StepContext,
): Call {
  const kind = open(step, place);
  const parts = new StepBuild(context, place, [step.where]);
  const scope = new Scope(kind, parts.build.alias(), undefined);
  const { alias } = scope;
  const set =
    step.op === "update" ? assignments(parts, kind, alias, step.values, step.quiet === true) : "";
  const revision =
    step.expectedRevision === undefined
      ? []
      : [
          `${alias}.revision = ${parts.build.slots.known(String(step.expectedRevision), "integer")}`,
        ];
  const where = parts.where(scope, step.id, revision, step.where);
  const table = `${identifier(tableName(kind))} ${alias}`;
  const change = step.op === "update" ? `update ${table} set ${set}` : `delete from ${table}`;
  return parts.call(
    `with changed as (${change} where ${where} returning 1) select refuse_unless(count(*) = 1) from changed`,
  );
}

function updateAllCall(
  step: Extract<Step, { op: "updateAll" }>,
  place: number,
  context: StepContext,
): Call {
  const kind = open(step, place);
  const parts = new StepBuild(context, place, [step.where]);
  const scope = new Scope(kind, parts.build.alias(), undefined);
  const set = assignments(parts, kind, scope.alias, step.values, step.quiet === true);
  const where = parts.where(scope, undefined, [], step.where);
  return parts.call(
    `update ${identifier(tableName(kind))} ${scope.alias} set ${set} where ${where}`,
  );
}

/** The object is locked against its removal, so that no label outlives it. */
function labelCall(
  step: Extract<Step, { op: "label" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, []);
  const { slots } = parts.build;
  const tenant = slots.tenant();
  const id = slots.known(step.id, "uuid");
  const key = parts.text(step.key);
  const table = tableName(step.kind);
  const kind = `'${table}'`;
  const about = `tenant_id = ${tenant} and kind = ${kind} and object_id = ${id} and key = ${key}`;
  if (step.value === null) return parts.call(`delete from label where ${about}`);
  let elements: readonly string[] = [];
  try {
    const parsed: unknown = JSON.parse(step.value);
    if (isComparable(parsed)) elements = elementsOf(parsed);
    else
      parts.fault(
        "value",
        "holds a character or number that cannot be compared, or is nested too deep",
      );
  } catch {
    parts.fault("value", "is not JSON");
  }
  const value = parts.text(step.value);
  const stored = slots.known(arrayText(elements), "text[]");
  return parts.call(
    `with target as (select id from ${table} where tenant_id = ${tenant} and id = ${id} for key share), ` +
      `written as (insert into label (tenant_id, kind, object_id, key, value) select ${tenant}, ${kind}, id, ${key}, ${value} from target ` +
      `on conflict (tenant_id, kind, object_id, key) do update set value = excluded.value returning 1), ` +
      `gone as (delete from label_element where ${about} and element <> all(${stored})), ` +
      `added as (insert into label_element (tenant_id, kind, object_id, key, element) ` +
      `select ${tenant}, ${kind}, target.id, ${key}, element from target, unnest(${stored}) as element on conflict do nothing) ` +
      `select refuse_unless(count(*) = 1) from written`,
  );
}

/** Counts no further than it has to. Its turn was taken before (see {@link limitLock}), so that two commits cannot both be the last. */
function limitCall(
  step: Extract<Step, { op: "limit" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, []);
  const scope = new Scope(step.kind, parts.build.alias(), undefined);
  const { owner } = step;
  if (owner !== undefined && scope.field(owner.field).type !== "uuid")
    parts.fault("owner.field", "is not the id of an owner");
  const ofOwner =
    owner === undefined
      ? []
      : [`${scope.column(owner.field)} = ${parts.build.slots.known(owner.id, "uuid")}`];
  const where = parts.where(scope, undefined, ofOwner, undefined);
  const some = `select from ${identifier(tableName(step.kind))} ${scope.alias} where ${where} limit ${step.max + 1}`;
  return parts.call(`select refuse_unless(count(*) <= ${step.max}) from (${some}) counted`);
}

/** What the turn of a limit is taken by. */
export function limitLock(step: Extract<Step, { op: "limit" }>, tenant: string): string {
  return `${tenant} ${step.kind} ${step.owner?.id ?? ""}`;
}

/** In order of id, so that two commits which mark the same runtimes do not wait for each other in a circle. */
function staleCall(
  step: Extract<Step, { op: "stale" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, [step.runtimes]);
  const scope = new Scope("runtime", parts.build.alias(), undefined);
  const cause = parts.text(step.cause);
  const where = parts.where(scope, undefined, [], step.runtimes);
  const { alias } = scope;
  return parts.call(
    `insert into stale_runtime (tenant_id, id, version, cause, attempts, next_attempt_at) ` +
      `select ${alias}.tenant_id, ${alias}.id, 1, ${cause}, 0, now() from runtime ${alias} where ${where} order by ${alias}.id ` +
      `on conflict (tenant_id, id) do update set version = stale_runtime.version + 1, cause = excluded.cause, attempts = 0, ` +
      `updated_at = now(), next_attempt_at = ` +
      `case when stale_runtime.lease_until > now() then stale_runtime.next_attempt_at else now() end`,
  );
}

function deliverCall(
  step: Extract<Step, { op: "deliver" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, [step.webhooks]);
  const scope = new Scope("webhook", parts.build.alias(), undefined);
  const [type, body] = [parts.text(step.type), parts.text(step.body)];
  const where = parts.where(scope, undefined, [], step.webhooks);
  const { alias } = scope;
  return parts.call(
    `insert into delivery (tenant_id, id, webhook_id, type, body, state, attempts, next_attempt_at) ` +
      `select ${alias}.tenant_id, uuidv7(), ${alias}.id, ${type}, ${body}, 'PENDING', 0, now() ` +
      `from webhook ${alias} where ${where} order by ${alias}.id`,
  );
}

/** One step as a statement. Throws INVALID_DATA for what cannot be carried out at all. */
export function stepCall(step: Step, place: number, context: StepContext): Call {
  switch (step.op) {
    case "create":
      return createCall(step, place, context);
    case "update":
    case "delete":
      return changeCall(step, place, context);
    case "updateAll":
      return updateAllCall(step, place, context);
    case "label":
      return labelCall(step, place, context);
    case "content": {
      const parts = new StepBuild(context, place, []);
      const values = [parts.build.slots.tenant(), parts.text(step.hash), parts.text(step.text)];
      return parts.call(
        `insert into content (tenant_id, hash, text) values (${values.join(", ")}) on conflict do nothing`,
      );
    }
    case "check": {
      const parts = new StepBuild(context, place, [step.where]);
      const scope = new Scope(step.kind, parts.build.alias(), undefined);
      const source = parts.build.source(
        step.kind,
        scope.alias,
        `(${conditionSQL(parts.build, scope, step.where)})`,
      );
      const not = step.expect === "none" ? "not " : "";
      return parts.call(
        `select refuse_unless(${not}exists (select from ${source.from} where ${source.where}))`,
      );
    }
    case "limit":
      return limitCall(step, place, context);
    case "stale":
      return staleCall(step, place, context);
    case "deliver":
      return deliverCall(step, place, context);
    case "event": {
      const parts = new StepBuild(context, place, []);
      const values = [
        parts.build.slots.tenant(),
        parts.text(step.type),
        parts.build.slots.known(step.id, "uuid"),
        parts.text(JSON.stringify(step.data)),
      ];
      return parts.call(
        `insert into event (tenant_id, type, object_id, data) values (${values.join(", ")})`,
      );
    }
  }
}

/** Every kind that the conditions of a step look at. */
export function kindsRead(step: Step): ReadonlySet<Kind> {
  const found = new Set<Kind>();
  const walk = (condition: Condition | undefined): void => {
    if (condition === undefined) return;
    if (condition.op === "all" || condition.op === "any") for (const one of condition.of) walk(one);
    if (condition.op === "not") walk(condition.condition);
    if (condition.op === "sharesLabel") found.add(condition.kind);
    if (condition.op === "exists") {
      found.add(condition.kind);
      walk(condition.where);
    }
  };
  if (step.op === "check" || step.op === "limit") found.add(step.kind);
  if (step.op === "stale") walk(step.runtimes);
  if (step.op === "deliver") walk(step.webhooks);
  if ("where" in step) walk(step.where);
  return found;
}

/** The kinds that a step changes. */
export function kindsWritten(step: Step): readonly Kind[] {
  switch (step.op) {
    case "create":
    case "update":
    case "delete":
    case "updateAll":
    case "label":
      return [step.kind];
    case "content":
      return ["content"];
    case "stale":
      return ["staleRuntime"];
    case "deliver":
      return ["delivery"];
    default:
      return [];
  }
}
