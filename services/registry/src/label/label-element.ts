/** How a label's value is kept for look-ups: see the table label_element. */
import { createHash } from "node:crypto";

/** Longer elements are kept as their digest: an index entry has room for about 2,700 bytes. */
const LONGEST = 200;
/** A value that is nested deeper is refused. */
const DEEPEST = 100;

/** JSON in one form: keys sorted, no spaces, numbers as JavaScript writes them. */
function canonicalJSON(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJSON(one)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJSON(one)}`).join(",")}}`;
}

/** The stored form of one element. */
export function canonicalElement(value: unknown): string {
  const text = canonicalJSON(value);
  return text.length <= LONGEST
    ? text
    : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** The stored elements of a label's value: those of an array, each once; anything else is its own element. */
export function elementsOf(value: unknown): readonly string[] {
  return Array.isArray(value)
    ? [...new Set(value.map((one) => canonicalElement(one)))]
    : [canonicalElement(value)];
}

/** Whether PostgreSQL can compare it: `jsonb` knows neither NUL nor half a surrogate pair, and no number beyond a double. */
export function isComparable(value: unknown, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  if (typeof value === "string") return !value.includes("\0") && value.isWellFormed();
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(
    ([key, one]) => isComparable(key) && isComparable(one, depth + 1),
  );
}
