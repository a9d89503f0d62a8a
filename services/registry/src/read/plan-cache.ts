/** Plans that were seen, with the SQL made of them; the least recently used go first. */
import { createHash } from "node:crypto";
import { invalidData } from "@sextant/errors";
import { type Params, type ReadPlan, readPlanSchema } from "@sextant/registry-client";
import {
  compileForMany,
  type CompiledPlan,
  compilePlan,
  type PlanForMany,
} from "./compile-plan.ts";
import { probeForm, type ProbeForm } from "./parameters.ts";
import { isShort } from "./short.ts";

/** Largest plan, and all the plans that are kept, in characters of their JSON. */
const LARGEST_PLAN = 512 * 1024;
const KEPT = 32 * 1024 * 1024;

/** A plan that was checked, with its SQL: one for each way in which its label probes can be answered. */
export class KnownPlan {
  readonly plan: ReadPlan;
  readonly size: number;
  readonly base: CompiledPlan;
  /** Whether it reads a few rows by their ids, and nothing that could be much. */
  readonly isShort: boolean;
  /** Of a short one: how it is read for many at once. */
  readonly forMany: PlanForMany | undefined;
  readonly #variants = new Map<string, CompiledPlan>();

  constructor(plan: ReadPlan, size: number) {
    this.plan = plan;
    this.size = size;
    this.base = compilePlan(plan);
    this.isShort = isShort(plan);
    this.forMany = this.isShort ? compileForMany(plan) : undefined;
  }

  /** The SQL that suits these parameters best. */
  compiledFor(params: Params): CompiledPlan {
    const { probes } = this.base;
    if (probes.length === 0) return this.base;
    const forms: Record<string, ProbeForm> = {};
    for (const name of probes) forms[name] = probeForm(name, params[name]);
    const key = probes.map((name) => forms[name]).join(" ");
    let compiled = this.#variants.get(key);
    if (compiled === undefined) {
      compiled = compilePlan(this.plan, forms);
      if (this.#variants.size >= 27) this.#variants.clear();
      this.#variants.set(key, compiled);
    }
    return compiled;
  }
}

/** The hash by which a plan is known: of its JSON as it was sent. */
export function planHashOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

/** Keeps plans by their hash. */
export class PlanCache {
  readonly #plans = new Map<string, KnownPlan>();
  readonly #byIdentity = new WeakMap<ReadPlan, KnownPlan>();
  #size = 0;

  /** A plan that is known by this hash. */
  byHash(hash: string): KnownPlan | undefined {
    const known = this.#plans.get(hash);
    if (known !== undefined) {
      this.#plans.delete(hash);
      this.#plans.set(hash, known);
    }
    return known;
  }

  /** Checks a plan and compiles it, unless it is known already. Throws INVALID_DATA. */
  add(plan: unknown): KnownPlan {
    if (typeof plan === "object" && plan !== null) {
      const known = this.#byIdentity.get(plan as ReadPlan);
      if (known !== undefined) return known;
    }
    const text = JSON.stringify(plan) ?? "";
    if (text.length > LARGEST_PLAN) {
      throw invalidData("ReadPlan", [
        { field: "plan", message: `is larger than ${LARGEST_PLAN} characters` },
      ]);
    }
    const hash = planHashOf(text);
    const known = this.byHash(hash) ?? this.#learn(hash, plan, text.length);
    this.#byIdentity.set(plan as ReadPlan, known);
    return known;
  }

  #learn(hash: string, plan: unknown, size: number): KnownPlan {
    const parsed = readPlanSchema.safeParse(plan);
    if (!parsed.success) {
      const faults = parsed.error.issues.map(({ path, message }) => ({
        field: `plan.${path.join(".")}`,
        message,
      }));
      throw invalidData("ReadPlan", faults);
    }
    const known = new KnownPlan(parsed.data, size);
    this.#plans.set(hash, known);
    this.#size += size;
    for (const [oldest, { size: freed }] of this.#plans) {
      if (this.#size <= KEPT) break;
      this.#plans.delete(oldest);
      this.#size -= freed;
    }
    return known;
  }
}
