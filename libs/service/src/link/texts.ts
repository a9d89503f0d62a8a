/**
 * Texts that go over a link again and again, such as a caller's signed identity: each is sent once with the number of a slot, in
 * which the other end keeps it, and is named by that number from then on. (HTTP/2 does the same, RFC 7541; here the sender says
 * which slot it fills, and nobody has to work out what the other end has dropped.) Each direction of each link has its own.
 */

/** Slots of one direction, and the longest text that goes into one: so nobody makes the other end keep more than 128 MiB. */
export const SLOTS = 16_384;
export const LONGEST_KEPT = 4_096;

/** The sender's side: which text is in which slot. */
export class SentTexts {
  readonly #slots = new Map<string, number>();
  readonly #texts: string[] = [];
  #next = 0;

  /** The slot of a text that was sent before. */
  slotOf(text: string): number | undefined {
    return this.#slots.get(text);
  }

  /** The slot that a text gets: a free one, or that of the oldest. */
  fill(text: string): number {
    const slot = this.#next;
    this.#next = (slot + 1) % SLOTS;
    const oldest = this.#texts[slot];
    if (oldest !== undefined) this.#slots.delete(oldest);
    this.#texts[slot] = text;
    this.#slots.set(text, slot);
    return slot;
  }
}

/** The receiver's side. A text that is named by its slot is the same string each time: looked up in a map, it is not read again. */
export class KeptTexts {
  readonly #texts: string[] = [];

  /** Throws for a slot that was never filled. */
  get(slot: number): string {
    const text = this.#texts[slot];
    if (text === undefined) throw new Error(`nothing was sent for the slot ${slot}`);
    return text;
  }

  /** Throws for what is more than a sender may have kept. */
  fill(slot: number, text: string): void {
    if (slot >= SLOTS) throw new Error(`there is no slot ${slot}`);
    if (text.length > LONGEST_KEPT)
      throw new Error(`a text of ${text.length} characters is too long to be kept`);
    this.#texts[slot] = text;
  }
}
