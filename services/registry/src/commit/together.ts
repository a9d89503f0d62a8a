/**
 * Commits of a group that are alike, as one statement for each of their steps: PostgreSQL spends more on starting a statement than
 * on a row of it. All of them hold or none does, so that where one is refused the group is carried out commit by commit to see which.
 */
import type { Commit, Kind } from "@sextant/registry-client";
import type { Call } from "../database/batch.ts";
import { arrayText } from "../read/parameters.ts";
import { kindsRead } from "./step.ts";
import { COUNT, GIVEN, type RepeatableCall } from "./step-build.ts";

const PLACE = /\$(\d+)::(uuid|text|integer|boolean|timestamptz)(?![\w[])/g;

/** The text with a column of the given values for each place; undefined: a place takes an array, which cannot be one of many. */
function written(template: string, places: number): string | undefined {
  const types: string[] = [];
  const body = template.replaceAll(PLACE, (_, place: string, type: string) => {
    types[Number(place) - 1] = type;
    return `given.p${place}`;
  });
  if (places === 0 || body.includes("$") || Object.keys(types).length < places) return undefined;
  const arrays = types.map((type, at) => `$${at + 1}::${type}[]`);
  const names = types.map((_, at) => `p${at + 1}`);
  return body
    .replaceAll(
      GIVEN,
      `unnest(${arrays.join(", ")}) with ordinality given (${names.join(", ")}, nr)`,
    )
    .replaceAll(COUNT, `cardinality(${arrays[0]})`);
}

/** Texts that were written, by that of the single statement. */
const MOST_TEXTS = 500;
const texts = new Map<string, string | undefined>();

function manyText({ text, values, many }: RepeatableCall): string | undefined {
  if (many === undefined) return undefined;
  if (texts.has(text)) return texts.get(text);
  if (texts.size >= MOST_TEXTS) texts.clear();
  const made = written(many(), values.length);
  texts.set(text, made);
  return made;
}

/**
 * Whether it makes no difference if the steps of such commits are carried out one after the other, or the first of all before the
 * second of all: none makes untrue what another demands. What is updated is looked at by its own step alone, which refuses two
 * updates of one object; what is checked is not changed.
 */
function canInterleave({ steps }: Commit): boolean {
  const read = new Set<Kind>();
  const changed = new Set<Kind>();
  const updated = new Set<Kind>();
  for (const step of steps) {
    if (step.op === "create") {
      changed.add(step.kind);
    } else if (step.op === "update") {
      if (updated.has(step.kind) || kindsRead(step).size > 0) return false;
      updated.add(step.kind);
      changed.add(step.kind);
    } else if (step.op === "check" && step.expect === "some") {
      for (const kind of kindsRead(step)) read.add(kind);
    } else {
      return false;
    }
  }
  return ![...read].some((kind) => changed.has(kind));
}

/** A commit with its statements. */
export type Prepared = { readonly commit: Commit; readonly calls: readonly RepeatableCall[] };

/** Commits of one tenant with the same statements. */
export type Alike = { readonly tenant: string; readonly calls: readonly Call[] };

function merged(alike: readonly Prepared[]): readonly Call[] | undefined {
  const calls: Call[] = [];
  const [first] = alike;
  for (const [place, call] of (first?.calls ?? []).entries()) {
    const text = manyText(call);
    if (text === undefined) return undefined;
    const values = call.values.map((_, slot) =>
      arrayText(alike.map((one) => one.calls[place]?.values[slot] ?? null)),
    );
    calls.push({ text, values });
  }
  return calls;
}

/** The group as fewer statements, each commit's tenant beside them; undefined: no two are alike. */
export function together(group: readonly Prepared[]): readonly Alike[] | undefined {
  const classes = new Map<string, Prepared[]>();
  for (const [at, one] of group.entries()) {
    const { tenant } = one.commit;
    const texts = canInterleave(one.commit) ? one.calls.map(({ text }) => text) : [String(at)];
    const key = [tenant, ...texts].join("\n");
    const known = classes.get(key);
    if (known === undefined) classes.set(key, [one]);
    else known.push(one);
  }
  if (classes.size === group.length) return undefined;
  return [...classes.values()].map((alike) => ({
    tenant: alike[0]?.commit.tenant ?? "",
    calls: (alike.length > 1 ? merged(alike) : undefined) ?? alike.flatMap(({ calls }) => calls),
  }));
}
