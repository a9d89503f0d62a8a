/** Looks whether a chain of audit entries is whole, and says where it is not. No I/O. */
import type { Head, Link } from "./audit.repository.ts";
import { BEGINNING, entryHash } from "./entry-hash.ts";

/** Follows one tenant's chain, link by link. The first fault ends it: behind that nothing is proven. */
export class Verification {
  readonly #tenant: string;
  #head: Head;
  #fault: string | undefined;
  readonly #kept: Head | undefined;
  #keptSeen = false;

  /** `before`: where it begins, of a part of a chain. `kept`: an end of the chain that was kept elsewhere; without it, links that were cut off at the end cannot be missed. */
  constructor(tenant: string, before: Head = { position: 0, hash: BEGINNING }, kept?: Head) {
    this.#tenant = tenant;
    this.#head = before;
    this.#kept = kept;
  }

  /** Where the chain breaks. */
  get fault(): string | undefined {
    return this.#fault;
  }

  get head(): Head {
    return this.#head;
  }

  /** Takes the next link. */
  add({ position, id, hash, entry }: Link): void {
    if (this.#fault !== undefined) return;
    const expected = this.#head.position + 1;
    if (position !== expected) {
      this.#fault = `position ${expected} is missing: the chain goes on with ${position}`;
      return;
    }
    const place = { tenant: this.#tenant, position, id };
    if (hash !== entryHash(this.#head.hash, place, entry)) {
      // An entry that was gone before it was chained has a place that says so.
      this.#fault =
        entry === undefined
          ? `the entry ${id} at position ${position} is missing`
          : `the entry ${id} at position ${position} was changed, or is not the one that was there`;
      return;
    }
    if (entry === undefined) {
      this.#fault = `the entry ${id} at position ${position} was removed before it was chained`;
      return;
    }
    this.#head = { position, hash };
    if (position === this.#kept?.position) {
      this.#keptSeen = true;
      if (hash !== this.#kept.hash)
        this.#fault = `position ${position} is another than was kept: the chain was made anew`;
    }
  }

  /** The chain has no more links. */
  end(): void {
    if (this.#fault === undefined && this.#kept !== undefined && !this.#keptSeen)
      this.#fault = `the chain ends at position ${this.#head.position}, before ${this.#kept.position}, which was kept: its end was cut off`;
  }
}
