import fc, { type GeneratorValue } from "fast-check";

/** Choices that fast-check makes, so that a run can be made again by its seed. */
export class Dice {
  readonly #given: GeneratorValue;
  /** Whether this operation may have values that are wrong: others show what happens when it is carried out. */
  readonly wild: boolean;

  constructor(given: GeneratorValue) {
    this.#given = given;
    this.wild = this.chance(45);
  }

  /** From 0 to `max`. */
  upTo(max: number): number {
    return this.#given(fc.nat, { max });
  }

  /** True in so many of a hundred. */
  chance(percent: number): boolean {
    return this.upTo(99) < percent;
  }

  /** True in so many of a hundred, in a wild operation only. */
  odd(percent: number): boolean {
    return this.wild && this.chance(percent);
  }

  pick<Value>(values: readonly Value[]): Value {
    return values[this.upTo(values.length - 1)] as Value;
  }

  /** One of these, each as often as it weighs. */
  weighted<Value>(choices: readonly (readonly [weight: number, value: Value])[]): Value {
    let left = this.upTo(choices.reduce((sum, [weight]) => sum + weight, 0) - 1);
    for (const [weight, value] of choices) {
      if (left < weight) return value;
      left -= weight;
    }
    throw new Error("there is nothing to choose from");
  }

  /** None to `max` of them. */
  some<Value>(max: number, make: () => Value): Value[] {
    return Array.from({ length: this.upTo(max) }, make);
  }
}
