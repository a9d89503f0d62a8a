/** The statements that one connection has prepared, by their text: so many of them, the least recently used go first. */
export class StatementCache {
  readonly #max: number;
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
    if (this.#names.size >= this.#max) {
      const [oldest] = this.#names;
      if (oldest !== undefined) {
        this.#names.delete(oldest[0]);
        close.push(oldest[1]);
      }
    }
    const name = `s${(this.#counter += 1)}`;
    this.#names.set(text, name);
    this.#unconfirmed.push(text);
    this.#closing.push(...close);
    return { name, prepare: true, close };
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
    for (const text of this.#unconfirmed.splice(0)) this.#names.delete(text);
    this.#overdue.push(...this.#closing.splice(0));
  }
}
