/** Characters of the longest statement that is kept, and of all: the server needs many times their memory for each connection. */
const LONGEST = 64 * 1024;
const KEPT = 1024 * 1024;

/**
 * The statements that one connection has prepared, by their text: so many of them, the least recently used go first. A longer
 * one is prepared each time, in the place without a name.
 */
export class StatementCache {
  readonly #max: number;
  #length = 0;
  /** Text to name, least recently used first. */
  readonly #names = new Map<string, string>();
  /** Sent to be prepared and not confirmed yet, in the order they were sent. */
  readonly #unconfirmed: string[] = [];
  /** Sent to be closed and not confirmed yet. */
  readonly #closing: string[] = [];
  /** To be closed at the next opportunity, because the server did not get to it. */
  #overdue: string[] = [];
  #counter = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#names.size;
  }

  /** Whether the server has confirmed everything that was sent. */
  get isSettled(): boolean {
    return this.#unconfirmed.length === 0 && this.#closing.length === 0;
  }

  /** The name of a statement; `prepare` and `close` say what has to be sent to the server first. */
  use(text: string): {
    readonly name: string;
    readonly prepare: boolean;
    readonly close: readonly string[];
  } {
    const known = this.#names.get(text);
    if (known !== undefined) {
      this.#names.delete(text);
      this.#names.set(text, known);
      return { name: known, prepare: false, close: [] };
    }
    const close = this.#overdue;
    this.#overdue = [];
    const isKept = text.length <= LONGEST;
    const length = isKept ? text.length : 0;
    for (const [oldest, old] of this.#names) {
      if (!isKept || (this.#names.size < this.#max && this.#length + length <= KEPT)) break;
      this.#forget(oldest);
      close.push(old);
    }
    const name = isKept ? `s${(this.#counter += 1)}` : "";
    if (isKept) {
      this.#names.set(text, name);
      this.#length += length;
    }
    this.#unconfirmed.push(text);
    this.#closing.push(...close);
    return { name, prepare: true, close };
  }

  /** All of them are to be prepared anew. Nothing may be on its way. */
  renew(): void {
    this.#overdue.push(...this.#names.values());
    this.#names.clear();
    this.#length = 0;
  }

  /** The server has prepared the next of the statements that were sent. */
  prepared(): void {
    this.#unconfirmed.shift();
  }

  /** The server has closed the next of those that were sent. */
  closed(): void {
    this.#closing.shift();
  }

  /** The batch failed: the server has skipped whatever it has not confirmed. */
  failed(): void {
    for (const text of this.#unconfirmed.splice(0)) this.#forget(text);
    this.#overdue.push(...this.#closing.splice(0));
  }

  #forget(text: string): void {
    if (this.#names.delete(text)) this.#length -= text.length;
  }
}
