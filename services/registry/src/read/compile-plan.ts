/** A read plan as one SQL statement. */
import { type Kind, kinds, type ReadPlan } from "@sextant/registry-client";
import { conditionSQL } from "./condition.ts";
import { readJSON } from "./expression.ts";
import type { ProbeForm, Slot } from "./parameters.ts";
import { Build, checkedJSON, Scope } from "./scope.ts";
import { concatenation, literal, type Piece } from "./sql-text.ts";

/** Bytes that an answer may have: what is larger is refused by the database, before it is sent. */
export const MAX_ANSWER = 64 * 1024 * 1024;

/** A plan as SQL: its first column is the answer, its second (when something is required) the places of what is missing. */
export type CompiledPlan = {
  readonly text: string;
  readonly slots: readonly Slot[];
  /** The kinds that it reads. */
  readonly kinds: ReadonlySet<Kind>;
  /** Whether it reads anything that belongs to a tenant. */
  readonly tenant: boolean;
  /** Parameters whose JSON decides which SQL is best. */
  readonly probes: readonly string[];
};

/** Compiles a plan. `forms` says of the probes how each is answered; without, by the value of the label. */
export function compilePlan(
  plan: ReadPlan,
  forms: Readonly<Record<string, ProbeForm>> = {},
): CompiledPlan {
  const build = new Build(forms);
  return {
    text: planSQL(build, plan),
    slots: build.slots.list,
    kinds: build.kinds,
    tenant: [...build.kinds].some((kind) => !kinds[kind].tenantless),
    probes: [...build.probes],
  };
}

/** A plan as SQL that answers many at once, with the places of the plan: see ShortCall. */
export type PlanForMany = { readonly text: string; readonly columns: readonly boolean[] };

/** Compiles a plan for many at once; undefined: it takes nothing that they could differ in, or an array, which is no column. */
export function compileForMany(plan: ReadPlan): PlanForMany | undefined {
  const build = new Build({}, true);
  const sql = planSQL(build, plan);
  const { columns } = build.slots;
  if (columns === undefined) return undefined;
  // The lateral subquery is planned for one row: for each it looks up by index what the plan looks up.
  const text = `select one.*, given.nr from ${build.slots.given(columns)}, lateral (${sql}) one`;
  return { text, columns };
}

function planSQL(build: Build, plan: ReadPlan): string {
  const pieces: Piece[] = [{ constant: "{" }];
  for (const [place, entry] of plan.select.entries()) {
    pieces.push({ constant: `${place === 0 ? "" : ","}${JSON.stringify(entry.as)}:` });
    if ("constant" in entry) {
      pieces.push({ constant: checkedJSON(entry.constant) });
    } else {
      const { sql, nullable } = readJSON(build, undefined, entry.read);
      pieces.push({ sql: nullable ? `coalesce(${sql}, 'null')` : sql });
    }
  }
  pieces.push({ constant: "}" });
  const columns = [concatenation(pieces)];
  if (plan.require !== undefined && plan.require.length > 0) {
    const missing = plan.require.map(({ kind, where }, place) => {
      const scope = new Scope(kind, build.alias(), undefined);
      const source = build.source(kind, scope.alias, `(${conditionSQL(build, scope, where)})`);
      return `case when not exists (select from ${source.from} where ${source.where}) then ${literal(String(place))} end`;
    });
    columns.push(`concat_ws(',', ${missing.join(", ")})`);
  }
  // The offset is a fence: without it the answer would be made twice, once to be measured.
  const made = columns.map((column, place) => `${column} as c${place}`).join(", ");
  const rest = columns.slice(1).map((_column, place) => `, whole.c${place + 1}`);
  const whole = `case when octet_length(whole.c0) <= ${MAX_ANSWER} then whole.c0 else refuse_answer() end`;
  return `select ${whole}${rest.join("")} from (select ${made} offset 0) whole`;
}
