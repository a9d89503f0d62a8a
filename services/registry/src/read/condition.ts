/** Conditions as SQL. Each is true or not: what is unknown to SQL because a field is null does not hold. */
import { type Condition, kinds, tableName } from "@sextant/registry-client";
import { type Build, comparable, refusePlan, Scope, valueSQL } from "./scope.ts";

/** The SQL of a condition about the object of `scope`. */
export function conditionSQL(build: Build, scope: Scope, condition: Condition): string {
  switch (condition.op) {
    case "equals": {
      const type = comparable(scope, condition.field);
      return `${scope.column(condition.field)} = ${valueSQL(build, scope.parent, condition.value, type)}`;
    }
    case "in":
      return `${scope.column(condition.field)} = any(${arraySQL(build, scope, condition)})`;
    case "grantedTo": {
      if (scope.kind !== "tenant") refusePlan("only a tenant is granted");
      const grant = build.alias();
      const system = valueSQL(build, scope.parent, condition.integrationSystem, "uuid");
      build.kinds.add("tenantGrant");
      return `exists (select from tenant_grant ${grant} where ${grant}.home_tenant_id = ${build.slots.tenant()} and ${grant}.integration_system_id = ${system} and ${grant}.tenant_id = ${scope.column("id")})`;
    }
    case "before": {
      const type = comparable(scope, condition.field);
      if (type !== "uuid" && type !== "timestamp") refusePlan(`${condition.field} has no order`);
      return `${scope.column(condition.field)} < ${valueSQL(build, scope.parent, condition.value, type)}`;
    }
    case "names": {
      if (scope.kind !== "auditEntry") refusePlan("only an audit entry names objects");
      const named = build.alias();
      const object = valueSQL(build, scope.parent, condition.object, "uuid");
      return `exists (select from audit_object ${named} where ${build.wall(named)} and ${named}.object_id = ${object} and ${named}.entry_id = ${scope.column("id")})`;
    }
    case "isNull":
      return `${scope.column(condition.field)} is null`;
    case "past":
      return `${timestampColumn(scope, condition.field)} < now()`;
    case "later":
      return `${timestampColumn(scope, condition.field)} > ${valueSQL(build, scope.parent, condition.than, "timestamp")}`;
    case "within": {
      const seconds = valueSQL(build, scope.parent, condition.seconds, "seconds");
      return `${timestampColumn(scope, condition.field)} > now() - make_interval(secs => ${seconds})`;
    }
    case "all":
      return joined(build, scope, condition.of, "and", "true");
    case "any":
      return joined(build, scope, condition.of, "or", "false");
    case "not":
      return `(${conditionSQL(build, scope, condition.condition)}) is not true`;
    case "exists": {
      const inner = new Scope(condition.kind, build.alias(), scope);
      const { from, where } = build.source(
        condition.kind,
        inner.alias,
        `(${conditionSQL(build, inner, condition.where)})`,
      );
      return `exists (select from ${from} where ${where})`;
    }
    case "hasLabel": {
      const label = ofLabel(
        build,
        scope,
        "label",
        valueSQL(build, scope.parent, condition.key, "text"),
      );
      return `exists (${label.select})`;
    }
    case "labelIn": {
      const element = ofLabel(
        build,
        scope,
        "label_element",
        valueSQL(build, scope.parent, condition.key, "text"),
      );
      const elements = valueSQL(build, scope.parent, condition.elements, "elements");
      return `exists (${element.select} and ${element.alias}.element = any(${elements}))`;
    }
    case "labelContains":
      return labelContains(build, scope, condition);
    case "sharesLabel": {
      const own = ofLabel(
        build,
        scope,
        "label_element",
        valueSQL(build, scope.parent, condition.key, "text"),
      );
      const other = build.alias();
      const id = valueSQL(build, scope.parent, condition.id, "uuid");
      build.kinds.add(condition.kind);
      const same = `${other}.key = ${own.alias}.key and ${other}.element = ${own.alias}.element`;
      const shared = `select from label_element ${other} where ${build.wall(other)} and ${other}.kind = '${tableName(condition.kind)}' and ${other}.object_id = ${id} and ${same}`;
      return `exists (${own.select} and exists (${shared}))`;
    }
  }
}

function joined(
  build: Build,
  scope: Scope,
  of: readonly Condition[],
  word: "and" | "or",
  none: string,
): string {
  const [first, ...others] = of.map((condition) => conditionSQL(build, scope, condition));
  if (first === undefined) return none;
  return others.length === 0 ? first : `(${[first, ...others].join(` ${word} `)})`;
}

function timestampColumn(scope: Scope, field: string): string {
  if (scope.field(field).type !== "timestamp") refusePlan(`${field} is not a timestamp`);
  return scope.column(field);
}

function arraySQL(build: Build, scope: Scope, condition: Condition & { op: "in" }): string {
  const { values, field } = condition;
  const type = comparable(scope, field);
  if ("parent" in values) {
    if (type !== "text") refusePlan(`${field} cannot be one of the texts of ${values.parent}`);
    return valueSQL(build, scope.parent, values, "texts");
  }
  if (type === "uuid") return valueSQL(build, scope.parent, values, "uuids");
  if (type === "text") return valueSQL(build, scope.parent, values, "texts");
  if (type === "int") return valueSQL(build, scope.parent, values, "ints");
  return refusePlan(`${field} cannot be one of several values`);
}

/** The rows of a label of the object, as the beginning of a subquery. */
export function ofLabel(
  build: Build,
  scope: Scope,
  table: "label" | "label_element",
  key: string,
): { readonly alias: string; readonly select: string } {
  const { kind } = scope;
  if (kind === null || !kinds[kind].labels)
    return refusePlan(`${kind ?? "an entity without a kind"} has no labels`);
  const alias = build.alias();
  const about = `${alias}.kind = '${tableName(kind)}' and ${alias}.object_id = ${scope.column("id")} and ${alias}.key = ${key}`;
  return { alias, select: `select from ${table} ${alias} where ${build.wall(alias)} and ${about}` };
}

/**
 * An element is found by index. A probe that is a string, true, false or null is contained exactly when it is the value or an
 * element of it. Of a number or an array an element narrows the search; only the value itself can tell the rest.
 */
function labelContains(
  build: Build,
  scope: Scope,
  condition: Condition & { op: "labelContains" },
): string {
  const { json } = condition;
  if (!("param" in json)) return refusePlan("the JSON of labelContains has to be a parameter");
  const key = valueSQL(build, scope.parent, condition.key, "text");
  const form = build.probeForm(json.param);
  const found: string[] = [];
  if (form !== "value") {
    const element = ofLabel(build, scope, "label_element", key);
    found.push(
      `exists (${element.select} and ${element.alias}.element = ${build.slots.place(json.param, "probeElement")})`,
    );
  }
  if (form !== "element") {
    const label = ofLabel(build, scope, "label", key);
    const probe = build.slots.place(json.param, "probe");
    found.push(`exists (${label.select} and ${label.alias}.value::jsonb @> ${probe})`);
  }
  return found.length === 1 ? String(found[0]) : `(${found.join(" and ")})`;
}
