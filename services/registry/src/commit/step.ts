/** The steps of a commit as statements. */
import {
  columnName,
  type Condition,
  type Field,
  type Kind,
  kinds,
  type Step,
  tableName,
} from "@sextant/registry-client";
import { conditionSQL } from "../read/condition.ts";
import { Scope } from "../read/scope.ts";
import { identifier } from "../read/sql-text.ts";
import { assignCall, labelCall, labelValuesCall, unlabelCall } from "./label-step.ts";
import {
  COUNT,
  GIVEN,
  refuse,
  type RepeatableCall,
  StepBuild,
  type StepContext,
} from "./step-build.ts";

/** Kinds that no step may change: the Registry writes them itself, or by a step of their own. */
const CLOSED: ReadonlySet<Kind> = new Set<Kind>(["auditEntry", "content"]);

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
): RepeatableCall {
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
  // Without a key: of two that come at once, the second is else refused for whichever unique key it meets first.
  const otherwise = step.ifAbsent === true ? " on conflict do nothing" : "";
  const into = `insert into ${identifier(tableName(kind))} (${columns.join(", ")})`;
  return parts.call(
    `${into} values (${values.join(", ")})${otherwise}`,
    () => `${into} select ${values.join(", ")} from ${GIVEN}${otherwise}`,
  );
}

function changeCall(
  step: Extract<Step, { op: "update" | "delete" }>,
  place: number,
  context: StepContext,
): RepeatableCall {
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
  const counted = (count: string): string =>
    `with changed as (${change} where ${where} returning 1) select refuse_unless(count(*) = ${count}) from changed`;
  return step.op === "delete"
    ? parts.call(counted("1"))
    : parts.call(counted("1"), () => counted(COUNT));
}

function changeAllCall(
  step: Extract<Step, { op: "updateAll" | "deleteAll" }>,
  place: number,
  context: StepContext,
): RepeatableCall {
  const kind = open(step, place);
  const parts = new StepBuild(context, place, [step.where]);
  const scope = new Scope(kind, parts.build.alias(), undefined);
  const { alias } = scope;
  const set =
    step.op === "updateAll"
      ? assignments(parts, kind, alias, step.values, step.quiet === true)
      : "";
  const where = parts.where(scope, undefined, [], step.where);
  const table = `${identifier(tableName(kind))} ${alias}`;
  const change = step.op === "updateAll" ? `update ${table} set ${set}` : `delete from ${table}`;
  return parts.call(`${change} where ${where}`);
}

/** Counts no further than it has to. Its turn was taken before (see {@link limitLock}), so that two commits cannot both be the last. */
function limitCall(
  step: Extract<Step, { op: "limit" }>,
  place: number,
  context: StepContext,
): RepeatableCall {
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
): RepeatableCall {
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
): RepeatableCall {
  const parts = new StepBuild(context, place, [step.webhooks]);
  const scope = new Scope("webhook", parts.build.alias(), undefined);
  const [type, body] = [parts.text(step.type), parts.text(step.body)];
  const { alias } = scope;
  const where = parts.where(scope, undefined, [], step.webhooks);
  const isRepeated = context.steps
    .slice(0, place)
    .some((one) => one.op === "deliver" && one.type === step.type && one.body === step.body);
  // Rows of this transaction have its time; the id keeps the search to what is new.
  const told =
    `select from delivery d where ${parts.build.wall("d")} and d.webhook_id = ${alias}.id and d.id > uuidv7(interval '-1 hour') ` +
    `and d.created_at = now() and d.type = ${type} and d.body = ${body}`;
  return parts.call(
    `insert into delivery (tenant_id, id, webhook_id, type, body, state, attempts, next_attempt_at) ` +
      `select ${alias}.tenant_id, uuidv7(), ${alias}.id, ${type}, ${body}, 'PENDING', 0, now() ` +
      `from webhook ${alias} where ${where}${isRepeated ? ` and not exists (${told})` : ""} order by ${alias}.id`,
  );
}

/** One step as a statement. Throws INVALID_DATA for what cannot be carried out at all. */
export function stepCall(step: Step, place: number, context: StepContext): RepeatableCall {
  switch (step.op) {
    case "create":
      return createCall(step, place, context);
    case "update":
    case "delete":
      return changeCall(step, place, context);
    case "updateAll":
    case "deleteAll":
      return changeAllCall(step, place, context);
    case "label":
      return labelCall(step, place, context);
    case "unlabel":
      return unlabelCall(step, place, context);
    case "labelValues":
      return labelValuesCall(step, place, context);
    case "assign":
      return assignCall(step, place, context);
    case "content": {
      const parts = new StepBuild(context, place, []);
      const values = [parts.build.slots.tenant(), parts.text(step.hash), parts.text(step.text)];
      // A text that is there already is touched, unless it was of late: so the clean-up leaves it to who is about to refer to it.
      return parts.call(
        `insert into content (tenant_id, hash, text) values (${values.join(", ")}) on conflict (tenant_id, hash) ` +
          `do update set created_at = now() where content.created_at < now() - interval '10 minutes'`,
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
      if (step.hold === true) {
        if (step.expect === "none")
          refuse(place, [{ field: "hold", message: "needs something to be there" }]);
        const found = `select from ${source.from} where ${source.where} for key share of ${scope.alias}`;
        return parts.call(
          `with held as (${found}) select refuse_unless(count(*) > 0) from held`,
          () =>
            `with held as (select given.nr from ${GIVEN}, lateral (${found}) found) ` +
            `select refuse_unless(count(distinct nr) = ${COUNT}) from held`,
        );
      }
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
  if (step.op === "stale" || step.op === "assign") walk(step.runtimes);
  if (step.op === "assign") walk(step.assignments);
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
    case "deleteAll":
    case "label":
    case "unlabel":
      return [step.kind];
    case "content":
      return ["content"];
    case "assign":
      return ["runtime"];
    case "labelValues":
      return ["labelDefinition"];
    case "stale":
      return ["staleRuntime"];
    case "deliver":
      return ["delivery"];
    default:
      return [];
  }
}
