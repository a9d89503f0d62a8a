/** The parameters of a statement: which place has which value, and in what form it is sent. */
import { invalidData } from "@sextant/errors";
import { isUUID, type Params } from "@sextant/registry-client";
import { arrayText } from "../database/array-text.ts";
import { canonicalElement, isComparable } from "../label/label-element.ts";

/**
 * What a place of a statement takes:
 * - `tenant`: the tenant of the request;
 * - `uuid`, `uuids`: a text that is no UUID is sent as null, which equals nothing;
 * - `cursor`: a UUID or null, nothing else;
 * - `size`: how many objects of a page;
 * - `elements`: JSON texts, in the form in which label elements are stored;
 * - `probe`: a JSON text, as it is; `probeElement`: an element that a label's value has to have to contain it.
 */
export type SlotType =
  | "tenant"
  | "uuid"
  | "uuids"
  | "text"
  | "texts"
  | "int"
  | "ints"
  | "bool"
  | "timestamp"
  | "seconds"
  | "cursor"
  | "size"
  | "elements"
  | "probe"
  | "probeElement";

/** The SQL type of each. */
const SQL_TYPES: Readonly<Record<SlotType, string>> = {
  tenant: "uuid",
  uuid: "uuid",
  uuids: "uuid[]",
  text: "text",
  texts: "text[]",
  int: "integer",
  ints: "integer[]",
  bool: "boolean",
  timestamp: "timestamptz",
  seconds: "double precision",
  cursor: "uuid",
  size: "integer",
  elements: "text[]",
  probe: "jsonb",
  probeElement: "text",
};

/** One place of a statement: a parameter of the request, or a value that is known already, in text form. */
export type Slot =
  | { readonly name: string; readonly type: SlotType }
  | { readonly known: string | null };

/** Largest page, and most values of an array parameter. */
const LARGEST_PAGE = 10_000;
const MOST_VALUES = 10_000;

/** Types of one value, which may be a column of many. */
const SINGLE: ReadonlySet<SlotType> = new Set([
  "uuid",
  "text",
  "int",
  "bool",
  "timestamp",
  "seconds",
]);

/** Gives out the places of one statement. */
export class Slots {
  readonly list: Slot[] = [];
  readonly #places = new Map<string, string>();
  readonly #isForMany: boolean;

  /** `isForMany`: each parameter is a column of {@link given}. */
  constructor(isForMany = false) {
    this.#isForMany = isForMany;
  }

  /** The place of a parameter, as SQL with its type. */
  place(name: string, type: SlotType): string {
    const key = `${type} ${name}`;
    let sql = this.#places.get(key);
    if (sql === undefined) {
      this.list.push({ name, type });
      const place = this.list.length;
      sql =
        this.#isForMany && type !== "tenant" ? `given.p${place}` : `$${place}::${SQL_TYPES[type]}`;
      this.#places.set(key, sql);
    }
    return sql;
  }

  /** Which places take an array of the values of many, for their columns; undefined: one cannot, or there is none. */
  get columns(): readonly boolean[] | undefined {
    const types = this.list.map((slot) => ("known" in slot ? undefined : slot.type));
    const columns = types.map((type) => type !== undefined && SINGLE.has(type));
    const fits = types.every((type, place) => type === "tenant" || columns[place] === true);
    return fits && columns.includes(true) ? columns : undefined;
  }

  /** The rows of values of many, as what is selected from: each with its number `given.nr`, from 1. */
  given(columns: readonly boolean[]): string {
    const places = columns.flatMap((isColumn, place) => (isColumn ? [place] : []));
    const arrays = places.map((place) => {
      const slot = this.list[place] as Slot & { type: SlotType };
      return `$${place + 1}::${SQL_TYPES[slot.type]}[]`;
    });
    const names = places.map((place) => `p${place + 1}`);
    return `unnest(${arrays.join(", ")}) with ordinality given (${names.join(", ")}, nr)`;
  }

  /** A place of its own for a known value. */
  known(value: string | null, sqlType: string): string {
    this.list.push({ known: value });
    return `$${this.list.length}::${sqlType}`;
  }

  /** The place of the request's tenant. */
  tenant(): string {
    return this.place("", "tenant");
  }
}

/** Refuses a request for what is wrong with one of its parameters. */
function refuse(name: string, message: string): never {
  throw invalidData("ReadRequest", [{ field: `params.${name}`, message }]);
}

function arrayOf(name: string, value: unknown): readonly string[] {
  if (!Array.isArray(value)) return refuse(name, "must be an array");
  if (value.length > MOST_VALUES) return refuse(name, `has more than ${MOST_VALUES} values`);
  return value as readonly string[];
}

/** A text that cannot be stored cannot be found. */
const textOrNull = (value: unknown): string | null => {
  const text = String(value);
  return text.includes("\0") ? null : text;
};

function parsed(name: string, text: unknown): unknown {
  try {
    return JSON.parse(String(text)) as unknown;
  } catch {
    return refuse(name, "is not JSON");
  }
}

/** The form that a probe has: see labelContains in condition.ts. */
export type ProbeForm = "element" | "narrowed" | "value";

const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null;

/** The first scalar of a probe, which the label's value has to have as an element. */
function probeScalar(probe: unknown): { readonly scalar: unknown } | undefined {
  if (isScalar(probe)) return { scalar: probe };
  if (!Array.isArray(probe)) return undefined;
  const scalars = probe.filter((element) => isScalar(element));
  return scalars.length === 0 ? undefined : { scalar: scalars[0] as unknown };
}

/** How a probe can be answered: numbers are compared by the database, where 1.0 equals 1. */
export function probeForm(name: string, value: unknown): ProbeForm {
  const probe = parsed(name, value);
  if (isScalar(probe) && typeof probe !== "number") return "element";
  return probeScalar(probe) === undefined ? "value" : "narrowed";
}

/** The text that is sent for a value. */
function textOf(
  { name, type }: Exclude<Slot, { known: unknown }>,
  value: unknown,
  tenant: string | null,
): string | null {
  if (type === "tenant") return tenant;
  if (value === undefined) return refuse(name, "is missing");
  if (type === "size") {
    const fits =
      typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= LARGEST_PAGE;
    return fits ? String(value) : refuse(name, `must be a whole number from 0 to ${LARGEST_PAGE}`);
  }
  if (value === null) return null;
  switch (type) {
    case "uuid":
      return typeof value === "string" && isUUID(value) ? value : null;
    case "uuids":
      return arrayText(arrayOf(name, value).map((one) => (isUUID(one) ? one : null)));
    case "cursor":
      return typeof value === "string" && isUUID(value)
        ? value
        : refuse(name, "must be an id or null");
    case "text":
    case "timestamp":
      return textOrNull(value);
    case "texts":
      return arrayText(arrayOf(name, value).map((one) => textOrNull(one)));
    case "ints":
      return arrayText(
        arrayOf(name, value).map((one) => textOf({ name, type: "int" }, Number(one), tenant)),
      );
    case "int":
      return Number.isSafeInteger(value) ? String(value) : refuse(name, "must be a whole number");
    case "seconds":
      return typeof value === "number" && Number.isFinite(value)
        ? String(value)
        : refuse(name, "must be a number");
    case "bool":
      return typeof value === "boolean" ? String(value) : refuse(name, "must be true or false");
    case "elements": {
      const elements = arrayOf(name, value).map((one) => canonicalElement(parsed(name, one)));
      return arrayText(elements);
    }
    case "probe":
      return isComparable(parsed(name, value)) ? String(value) : null;
    case "probeElement": {
      const found = probeScalar(parsed(name, value));
      return found === undefined ? null : canonicalElement(found.scalar);
    }
  }
}

/** The values of a statement's places, as they are sent. */
export function bind(
  slots: readonly Slot[],
  params: Params,
  tenant: string | null,
): (string | null)[] {
  return slots.map((slot) =>
    "known" in slot ? slot.known : textOf(slot, params[slot.name], tenant),
  );
}
