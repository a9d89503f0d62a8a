/** What changes labels, as statements. */
import { type Step, tableName } from "@sextant/registry-client";
import type { Call } from "../database/batch.ts";
import { canonicalElement, elementsOf, isComparable } from "../label/label-element.ts";
import { conditionSQL } from "../read/condition.ts";
import { LABELLED } from "../read/label-values.ts";
import { arrayText } from "../database/array-text.ts";
import { Scope } from "../read/scope.ts";
import { StepBuild, type StepContext } from "./step-build.ts";

/** Keys of labels that a tenant may have. */
const MAX_DEFINITIONS = 1_000;

/**
 * The object is locked against its removal, so that no label outlives it. A key that is not defined becomes so, unless the tenant
 * has too many: the lock of labels keeps others from counting at the same time.
 */
export function labelCall(
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
  const definitions = `select from label_definition where tenant_id = ${tenant}`;
  return parts.call(
    `with target as (select id from ${table} where tenant_id = ${tenant} and id = ${id} for key share), ` +
      `defined as (insert into label_definition (tenant_id, id, key) select ${tenant}, uuidv7(), ${key} from target ` +
      `where not exists (${definitions} and key = ${key}) on conflict do nothing returning 1), ` +
      `written as (insert into label (tenant_id, kind, object_id, key, value) select ${tenant}, ${kind}, id, ${key}, ${value} from target ` +
      `on conflict (tenant_id, kind, object_id, key) do update set value = excluded.value returning 1), ` +
      `gone as (delete from label_element where ${about} and element <> all(${stored})), ` +
      `added as (insert into label_element (tenant_id, kind, object_id, key, element) ` +
      `select ${tenant}, ${kind}, target.id, ${key}, element from target, unnest(${stored}) as element on conflict do nothing) ` +
      `select refuse_unless((select count(*) from written) = 1 and case when exists (select from defined) ` +
      `then (select count(*) from (${definitions} limit ${MAX_DEFINITIONS}) counted) < ${MAX_DEFINITIONS} else true end)`,
  );
}

/** Removes the labels of a key. Their elements go first and together, not one label's after the other's. */
export function unlabelCall(
  step: Extract<Step, { op: "unlabel" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, []);
  const tenant = parts.build.slots.tenant();
  const key = parts.text(step.key);
  const about = `tenant_id = ${tenant} and kind = '${tableName(step.kind)}' and key = ${key}`;
  return parts.call(
    `with gone as (delete from label_element where ${about}) delete from label where ${about}`,
  );
}

/** The digests are joined, not compared one by one: there may be as many as labels. */
export function labelValuesCall(
  step: Extract<Step, { op: "labelValues" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, []);
  const tenant = parts.build.slots.tenant();
  const key = parts.text(step.key);
  const digests = parts.build.slots.known(arrayText(step.digests), "text[]");
  const known = `select from unnest(${digests}) known (digest) where known.digest = encode(sha256(convert_to(l.value, 'UTF8')), 'hex')`;
  return parts.call(
    `select refuse_unless(not exists (select from label l ` +
      `where l.tenant_id = ${tenant} and l.kind = ${LABELLED} and l.key = ${key} and not exists (${known})))`,
  );
}

/**
 * Adds groups to the label, or takes them out, of the runtimes that match an assignment: rows of label_element and the text of the
 * value together. A group's name and a selector's value are short: their JSON text is their element (see label-element.ts).
 */
export function assignCall(
  step: Extract<Step, { op: "assign" }>,
  place: number,
  context: StepContext,
): Call {
  const parts = new StepBuild(context, place, [step.runtimes, step.assignments]);
  const { build } = parts;
  const assignment = new Scope("automaticGroupAssignment", build.alias(), undefined);
  const tenant = build.slots.tenant();
  const label = parts.text(step.label);
  const a = assignment.alias;
  const ofRuntime = (alias: string, id: string): string =>
    `${alias}.tenant_id = ${tenant} and ${alias}.kind = 'runtime' and ${alias}.object_id = ${id}`;
  const group = `to_json(${a}.group_name)::text`;
  const assignments = `${build.wall(a)} and (${conditionSQL(build, assignment, step.assignments)})`;
  const own = `from label_element own where ${ofRuntime("own", "e.object_id")} and own.key = ${label} and own.element = ${group}`;
  // What is not in the group, or is in it: where nothing is to be done, nothing is written.
  const concerned = `${step.change === "add" ? "not " : ""}exists (select ${own})`;
  const matched =
    `matched as materialized (select e.object_id as id, array_agg(${group}) as elements from automatic_group_assignment ${a} ` +
    `join label_element e on e.tenant_id = ${tenant} and e.kind = 'runtime' and e.key = ${a}.selector_key ` +
    `and e.element = to_json(${a}.selector_value)::text ` +
    `where ${assignments}${chosenRuntimes(parts, step)} and ${concerned} group by e.object_id)`;
  // An array: what is something else is not a label of groups, and is left alone.
  const ofMatched = `${ofRuntime("l", "matched.id")} and l.key = ${label} and l.value like '[%]'`;
  const elements = "label_element (tenant_id, kind, object_id, key, element)";

  if (step.change === "add") {
    const items = `(select string_agg(item, ',' order by item collate "C") from unnest(matched.elements) item)`;
    return parts.call(
      `with ${matched}, written as (update label l ` +
        `set value = case l.value when '[]' then '[' else left(l.value, -1) || ',' end || ${items} || ']' ` +
        `from matched where ${ofMatched} returning l.object_id as id, matched.elements) ` +
        `insert into ${elements} select ${tenant}, 'runtime', written.id, ${label}, item ` +
        `from written, unnest(written.elements) item on conflict do nothing`,
    );
  }
  const fallback = parts.text(canonicalElement(step.fallback));
  const item = "to_json(item.name)::text";
  const rest =
    `select string_agg(${item}, ',' order by item.place) from json_array_elements_text(l.value::json) ` +
    `with ordinality item (name, place) where ${item} <> all(matched.elements)`;
  return parts.call(
    `with ${matched}, ` +
      `remaining as materialized (select matched.id, matched.elements, (${rest}) as items from matched join label l on ${ofMatched}), ` +
      // The default group itself may be what is taken out, and comes back at once.
      `gone as (delete from label_element g using remaining where ${ofRuntime("g", "remaining.id")} and g.key = ${label} ` +
      `and g.element = any(remaining.elements) and not (remaining.items is null and g.element = ${fallback})), ` +
      `back as (insert into ${elements} select ${tenant}, 'runtime', id, ${label}, ${fallback} from remaining ` +
      `where items is null on conflict do nothing) ` +
      `update label l set value = '[' || coalesce(remaining.items, ${fallback}) || ']' ` +
      `from remaining where ${ofRuntime("l", "remaining.id")} and l.key = ${label}`,
  );
}

/** All runtimes are not looked at one by one. The last byte of an id is a random one. */
function chosenRuntimes(
  parts: StepBuild,
  { runtimes, part }: Extract<Step, { op: "assign" }>,
): string {
  const { build } = parts;
  const number = (value: number): string => build.slots.known(String(value), "integer");
  const inPart =
    part === undefined
      ? ""
      : ` and get_byte(uuid_send(e.object_id), 15) % ${number(part.of)} = ${number(part.nr)}`;
  if (runtimes.op === "all" && runtimes.of.length === 0) return inPart;
  const scope = new Scope("runtime", build.alias(), undefined);
  const { from, where } = build.source(
    "runtime",
    scope.alias,
    `${scope.alias}.id = e.object_id and (${conditionSQL(build, scope, runtimes)})`,
  );
  return `${inPart} and exists (select from ${from} where ${where})`;
}
