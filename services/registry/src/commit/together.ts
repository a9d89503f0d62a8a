/**
 * Commits of a group that are alike, as one statement for each of their steps: PostgreSQL spends more on starting a statement than
 * on a row of it. All of them hold or none does, so that where one is refused the group is carried out commit by commit to see which.
 */
import type { Commit, Kind } from "@sextant/registry-client";
import type { Call } from "../database/batch.ts";
import { arrayText } from "../database/array-text.ts";
import { kindsRead } from "./step.ts";
import { COUNT, GIVEN, type RepeatableCall } from "./step-build.ts";

const PLACE = /\$(\d+)::(uuid|text|integer|boolean|timestamptz)(?![\w[])/g;
const OBJECT = /\b(t\d+)\.id = \$(\d+)::uuid/;
const WALL = /\btenant_id = \$(\d+)::uuid/g;

/** With a column of the given values for each place. */
function inColumns(template: string, arrays: readonly string[]): string {
  const names = arrays.map((_, at) => `p${at + 1}`);
  const given = `unnest(${arrays.join(", ")}) with ordinality given (${names.join(", ")}, nr)`;
  return template
    .replaceAll(PLACE, (_, place: string) => `given.p${place}`)
    .replaceAll(GIVEN, () => given);
}

/** For the objects with these ids, each with its own values: a join with the values could begin at all objects of the tenant. */
function byIDs(template: string): string | undefined {
  const [found, alias, place] = OBJECT.exec(template) ?? [];
  if (found === undefined) return undefined;
  const ids = `$${place}::uuid[]`;
  const own = `array_position(${ids}, ${alias}.id)`;
  return template
    .replace(found, () => `${alias}.id = any(${ids})`)
    .replaceAll(WALL, (_, tenant: string) => `tenant_id = ($${tenant}::uuid[])[1]`)
    .replaceAll(PLACE, (_, value: string, type: string) => `($${value}::${type}[])[${own}]`);
}

/** The text for many; undefined: there is none, because a place takes an array, which cannot be one of many. */
function written(template: string, places: number): string | undefined {
  const types = new Map(
    [...template.matchAll(PLACE)].map(([, place, type]) => [Number(place), String(type)]),
  );
  if (places === 0 || types.size < places) return undefined;
  const arrays = Array.from({ length: places }, (_, at) => `$${at + 1}::${types.get(at + 1)}[]`);
  const text = template.includes(GIVEN) ? inColumns(template, arrays) : byIDs(template);
  return text?.replaceAll(COUNT, () => `cardinality(${arrays[0]})`);
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
