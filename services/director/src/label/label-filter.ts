/** Label filters: what a list of `LabelFilter` means, as a condition of a read plan. */
import { invalidData } from "@sextant/errors";
import { all, type Args, type Where } from "@sextant/graphql";
import type { Condition, Params } from "@sextant/registry-client";
import { labelKey } from "./label.ts";

type Filter = { readonly key: string; readonly query?: string | null };

/** A filter as it was understood: the label exists, has one of some elements, or contains a JSON value. */
type Understood =
  | { readonly kind: "exists" }
  | { readonly kind: "in"; readonly elements: readonly string[] }
  | { readonly kind: "contains"; readonly json: string };

/** More filters than these are refused, and more values in one of them. */
const MAX_FILTERS = 20;
const MAX_ELEMENTS = 1_000;

const pathForm = /^\s*\$\[\*\]\s*\?\s*\(([\s\S]*)\)\s*$/;
const comparison =
  /^\s*@\s*==\s*("(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)\s*/;

/** The elements of `$[*] ? (@ == "a" || @ == "b")` as JSON texts, or undefined when it is not of that form. */
function pathElements(query: string): readonly string[] | undefined {
  let rest = pathForm.exec(query)?.[1];
  if (rest === undefined) return undefined;
  const elements: string[] = [];
  for (;;) {
    const match = comparison.exec(rest);
    if (match === null) return undefined;
    try {
      elements.push(JSON.stringify(JSON.parse(match[1] as string)));
    } catch {
      return undefined;
    }
    rest = rest.slice(match[0].length);
    if (rest === "") return elements;
    if (!rest.startsWith("||")) return undefined;
    rest = rest.slice(2);
  }
}

function understand(filter: Filter): Understood | undefined {
  const query = filter.query ?? undefined;
  if (query === undefined) return { kind: "exists" };
  if (query.trimStart().startsWith("$")) {
    const elements = pathElements(query);
    return elements === undefined ? undefined : { kind: "in", elements };
  }
  try {
    const value: unknown = JSON.parse(query);
    const isScalar = value === null || typeof value !== "object";
    return isScalar
      ? { kind: "in", elements: [JSON.stringify(value)] }
      : { kind: "contains", json: JSON.stringify(value) };
  } catch {
    return undefined;
  }
}

/** The filters, and of too many no more than shows that they are. */
const filtersOf = (args: Args): readonly Filter[] =>
  ((args["filter"] as readonly Filter[] | null | undefined) ?? []).slice(0, MAX_FILTERS + 1);

/** What of the filters decides the form of the plan. */
export function filterShape(args: Args): string {
  return filtersOf(args)
    .map((filter) => understand(filter)?.kind ?? "wrong")
    .join();
}

/** The values of the filters; throws INVALID_DATA naming every filter that is malformed. */
export function bindFilter(args: Args): Params {
  const filters = filtersOf(args);
  const faults = [];
  if (filters.length > MAX_FILTERS)
    faults.push({ field: "filter", message: `has more than ${MAX_FILTERS} entries` });
  const params: Record<string, Params[string]> = {};
  for (const [index, filter] of filters.entries()) {
    const understood = understand(filter);
    if (!labelKey.test(filter.key))
      faults.push({ field: `filter.${index}.key`, message: "must be letters, digits and _" });
    if (understood === undefined) {
      const message = 'must be JSON text, or a path such as $[*] ? (@ == "a" || @ == "b")';
      faults.push({ field: `filter.${index}.query`, message });
      continue;
    }
    params[`key${index}`] = filter.key;
    if (understood.kind === "in" && understood.elements.length > MAX_ELEMENTS)
      faults.push({
        field: `filter.${index}.query`,
        message: `compares with more than ${MAX_ELEMENTS} values`,
      });
    else if (understood.kind === "in") params[`elements${index}`] = understood.elements;
    if (understood.kind === "contains") params[`json${index}`] = understood.json;
  }
  if (faults.length > 0) throw invalidData("LabelFilter", faults);
  return params;
}

/** All filters as one condition. */
export const filterCondition: Where = (param, args) =>
  all(
    ...filtersOf(args).map((filter, index): Condition => {
      const key = param(`key${index}`);
      const kind = understand(filter)?.kind;
      if (kind === "in") return { op: "labelIn", key, elements: param(`elements${index}`) };
      if (kind === "contains") return { op: "labelContains", key, json: param(`json${index}`) };
      return { op: "hasLabel", key };
    }),
  );
