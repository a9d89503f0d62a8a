/** What a part of a plan is about, and what the parts of one statement have in common. */
import { invalidData } from "@sextant/errors";
import {
  columnName,
  type Field,
  fieldsOf,
  type Kind,
  kinds,
  tableName,
  type Value,
} from "@sextant/registry-client";
import { type ProbeForm, Slots, type SlotType } from "./parameters.ts";
import { identifier } from "./sql-text.ts";

/** Refuses a plan for what is wrong with it. */
export function refusePlan(message: string): never {
  throw invalidData("ReadPlan", [{ field: "plan", message }]);
}

/** A constant of a plan as it is, when it is JSON. */
export function checkedJSON(text: string): string {
  try {
    JSON.parse(text);
  } catch {
    return refusePlan("a constant is not JSON");
  }
  return text.trim();
}

/** The parts of a plan may be nested so deep. */
const DEEPEST = 40;

/** What the parts of one statement share. */
export class Build {
  readonly slots: Slots;
  /** Every kind that is touched. */
  readonly kinds = new Set<Kind>();
  /** Parameters that hold the JSON of a `labelContains`. */
  readonly probes = new Set<string>();
  readonly #forms: Readonly<Record<string, ProbeForm>>;
  #aliases = 0;

  constructor(forms: Readonly<Record<string, ProbeForm>>, isForMany = false) {
    this.#forms = forms;
    this.slots = new Slots(isForMany);
  }

  alias(): string {
    return `t${(this.#aliases += 1)}`;
  }

  /** How the probe in this parameter is answered. */
  probeForm(name: string): ProbeForm {
    this.probes.add(name);
    return this.#forms[name] ?? "value";
  }

  /** The condition that keeps an alias inside the tenant. */
  wall(alias: string): string {
    return `${alias}.tenant_id = ${this.slots.tenant()}`;
  }

  /** A table with its alias, and the conditions it is read under. */
  source(
    kind: Kind,
    alias: string,
    condition: string,
  ): { readonly from: string; readonly where: string } {
    this.kinds.add(kind);
    const from = `${identifier(tableName(kind))} ${alias}`;
    return {
      from,
      where: kinds[kind].tenantless ? condition : `${this.wall(alias)} and ${condition}`,
    };
  }
}

/** The object that is spoken of; `kind` is null where only its id is known. */
export class Scope {
  readonly kind: Kind | null;
  readonly alias: string;
  readonly parent: Scope | undefined;
  readonly depth: number;
  /** Fields that are needed of it. */
  readonly needed = new Set<string>();

  constructor(kind: Kind | null, alias: string, parent: Scope | undefined) {
    this.kind = kind;
    this.alias = alias;
    this.parent = parent;
    this.depth = parent === undefined ? 1 : parent.depth + 1;
    if (this.depth > DEEPEST) refusePlan(`is nested deeper than ${DEEPEST}`);
  }

  field(name: string): Field {
    const fields = this.kind === null ? { id: fieldsOf("tenant")["id"] } : fieldsOf(this.kind);
    const field = Object.hasOwn(fields, name)
      ? (fields as Readonly<Record<string, Field>>)[name]
      : undefined;
    return field ?? refusePlan(`${this.kind ?? "an entity without a kind"} has no field ${name}`);
  }

  column(name: string): string {
    this.field(name);
    this.needed.add(name);
    return `${this.alias}.${identifier(columnName(name))}`;
  }
}

/** How a value of a field's type is sent, for the types that can be compared. */
export function comparable(
  scope: Scope,
  name: string,
): SlotType & ("uuid" | "text" | "int" | "bool" | "timestamp") {
  const { type } = scope.field(name);
  if (type === "json" || type === "secret" || type === "texts")
    return refusePlan(`${name} cannot be compared`);
  return type;
}

/** The SQL of a value that is compared as `type`. `around` is the scope that `parent` means. */
export function valueSQL(
  build: Build,
  around: Scope | undefined,
  value: Value,
  type: SlotType,
): string {
  if ("param" in value) return build.slots.place(value.param, type);
  let scope = around;
  for (let up = value.up ?? 0; up > 0; up -= 1) scope = scope?.parent;
  if (scope === undefined)
    return refusePlan(`there is no object around whose ${value.parent} could be meant`);
  const column = scope.column(value.parent);
  const stored = scope.field(value.parent).type;
  if (stored === type) return column;
  // Any id has a text, but not every text is an id.
  if (stored === "uuid" && type === "text") return `${column}::text`;
  return refusePlan(`${value.parent} cannot be compared here`);
}
