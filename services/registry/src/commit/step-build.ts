/** What the statements of a commit's steps are built with. */
import { type Fault, invalidData } from "@sextant/errors";
import {
  type Condition,
  type Field,
  kinds,
  type Params,
  type Step,
} from "@sextant/registry-client";
import type { Call } from "../database/batch.ts";
import { conditionSQL } from "../read/condition.ts";
import { bind, probeForm, type ProbeForm } from "../read/parameters.ts";
import { Build, type Scope } from "../read/scope.ts";
import { COLUMN_TYPES, storedValue } from "./stored-value.ts";

/** In the text for many sets of values: where they come from, each with its number `given.nr`, and how many there are. */
export const GIVEN = "<given>";
export const COUNT = "<count>";

/** A statement, and what makes of it one for many sets of values (see together.ts); left out: there is none. */
export type RepeatableCall = Call & { readonly many?: () => string };

/** What the steps of one commit have in common. */
export type StepContext = {
  readonly tenant: string;
  readonly params: Params;
  readonly steps: readonly Step[];
};

/** Refuses a commit for what is wrong with one of its steps. */
export function refuse(place: number, faults: readonly Fault[]): never {
  throw invalidData(
    "Commit",
    faults.map(({ field, message }) => ({ field: `steps.${place}.${field}`, message })),
  );
}

/** Collects the parts of one statement. */
export class StepBuild {
  readonly build: Build;
  readonly #context: StepContext;
  readonly #place: number;
  readonly #faults: Fault[] = [];

  constructor(context: StepContext, place: number, conditions: readonly (Condition | undefined)[]) {
    this.#context = context;
    this.#place = place;
    const forms: Record<string, ProbeForm> = {};
    for (const condition of conditions) if (condition !== undefined) this.#probes(condition, forms);
    this.build = new Build(forms);
  }

  fault(field: string, message: string): void {
    this.#faults.push({ field, message });
  }

  /** A place for a field's value. */
  value(name: string, field: Field, value: unknown): string {
    const faults: Fault[] = [];
    const text = storedValue(`values.${name}`, field, value, faults);
    this.#faults.push(...faults);
    return this.build.slots.known(text, COLUMN_TYPES[field.type]);
  }

  text(text: string): string {
    if (text.includes("\0")) this.fault("text", "must not hold the character NUL");
    return this.build.slots.known(text, "text");
  }

  /** The conditions for the object with this id; all of the tenant without one. */
  where(
    scope: Scope,
    id: string | undefined,
    more: readonly string[],
    condition: Condition | undefined,
  ): string {
    const { kind, alias } = scope;
    const all = kind !== null && kinds[kind].tenantless ? [] : [this.build.wall(alias)];
    if (id !== undefined) all.push(`${alias}.id = ${this.build.slots.known(id, "uuid")}`);
    all.push(...more);
    // An object is looked up by its id: no index on what the condition names would be better.
    const decided = id === undefined ? "" : " is true";
    if (condition !== undefined)
      all.push(`(${conditionSQL(this.build, scope, condition)})${decided}`);
    return all.join(" and ");
  }

  /** The statement; `many` writes it for many sets of values (see together.ts). */
  call(text: string, many?: () => string): RepeatableCall {
    if (this.#faults.length > 0) refuse(this.#place, this.#faults);
    const values = bind(this.build.slots.list, this.#context.params, this.#context.tenant);
    return many === undefined ? { text, values } : { text, values, many };
  }

  #probes(condition: Condition, forms: Record<string, ProbeForm>): void {
    if (condition.op === "all" || condition.op === "any")
      for (const one of condition.of) this.#probes(one, forms);
    if (condition.op === "not") this.#probes(condition.condition, forms);
    if (condition.op === "exists") this.#probes(condition.where, forms);
    if (condition.op === "labelContains" && "param" in condition.json) {
      forms[condition.json.param] = probeForm(
        condition.json.param,
        this.#context.params[condition.json.param],
      );
    }
  }
}
