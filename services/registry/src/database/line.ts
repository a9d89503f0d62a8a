/**
 * One connection with its batches on their way. Several may be: each ends with a Sync of its own, so that each is a transaction of
 * its own, and PostgreSQL answers them in their order. Batches that are sent one behind the other go out in one write.
 */
import type { ClientBase, Connection } from "pg";
import { Batch, type Call, type Carrier, type Row } from "./batch.ts";
import { StatementCache } from "./statement-cache.ts";

/** Prepared statements that a connection keeps. */
const STATEMENTS = 250;

/** The part of pg's Connection that is used here; its types know less. */
type Wire = Connection & {
  readonly stream: { cork(): void; uncork(): void; destroy(): void };
  parse(message: { name: string; text: string }): void;
  bind(message: { statement: string; values: readonly (string | null)[] }): void;
  execute(message: Record<string, never>): void;
  close(message: { type: "S"; name: string }): void;
  sync(): void;
};

/** What is known of one connection: its prepared statements, and the batches on their way. */
export class Line implements Carrier {
  readonly #client: ClientBase;
  readonly #wire: Wire;
  readonly #statements = new StatementCache(STATEMENTS);
  /** Sent and not answered, the oldest first. */
  readonly #sent: Batch[] = [];
  #age = 0;
  #timeout = 0;
  #heardAt = 0;
  #watch: NodeJS.Timeout | undefined;
  #isCorked = false;

  constructor(client: ClientBase) {
    this.#client = client;
    const { connection: wire } = client as ClientBase & { readonly connection: Wire };
    this.#wire = wire;
    wire.on("parseComplete", () => this.#statements.prepared());
    wire.on("closeComplete", () => this.#statements.closed());
    // pg forgets the active query when an error comes, so that ReadyForQuery has to be heard here.
    wire.on("readyForQuery", () => this.#ready());
    wire.on("end", () => this.lost(new Error("the connection ended")));
  }

  /**
   * Whether another batch may be sent behind those on their way: not while a statement is being prepared, because nothing that is
   * sent behind it may rely on it.
   */
  get isClear(): boolean {
    return this.#statements.isSettled;
  }

  /** Prepares all statements anew when those that it has are of another age. Nothing may be on its way. */
  renew(age: number): void {
    if (age === this.#age) return;
    this.#age = age;
    this.#statements.renew();
  }

  /**
   * Runs the calls as one batch, behind what is on its way: it is sent before this returns. `timeout` in milliseconds is for a
   * server that no longer answers.
   */
  run(calls: readonly Call[], timeout: number): Promise<readonly (readonly Row[])[]> {
    return new Promise((resolve, reject) => {
      this.#timeout = timeout;
      this.#send(new Batch(calls, this, resolve, reject));
    });
  }

  /** The server has said something: each statement has a time of its own. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** The connection is of no use any more, and with it all that is on its way. */
  lost(error: Error): void {
    clearTimeout(this.#watch);
    for (const batch of this.#sent.splice(0)) batch.lost(error);
  }

  #send(batch: Batch): void {
    if (this.#sent.push(batch) === 1) {
      this.heard();
      this.#client.query(batch);
    }
    this.#watch ??= setTimeout(() => this.#look(), this.#timeout).unref();
    const wire = this.#wire;
    if (!this.#isCorked) {
      this.#isCorked = true;
      wire.stream.cork();
      process.nextTick(() => {
        this.#isCorked = false;
        wire.stream.uncork();
      });
    }
    for (const { text, values } of batch.calls) {
      const { name, prepare, close } = this.#statements.use(text);
      for (const old of close) wire.close({ type: "S", name: old });
      if (prepare) wire.parse({ name, text });
      wire.bind({ statement: name, values });
      wire.execute({});
    }
    wire.sync();
  }

  #ready(): void {
    const batch = this.#sent.shift();
    if (batch === undefined) return;
    this.heard();
    // Where another was sent behind it, everything that it was to prepare is prepared.
    if (batch.hasFailed && this.#sent.length === 0) this.#statements.failed();
    batch.end();
    // What follows is the answer to the next: pg has to know before it comes.
    const [next] = this.#sent;
    if (next !== undefined) this.#client.query(next);
  }

  #look(): void {
    this.#watch = undefined;
    if (this.#sent.length === 0) return;
    const left = this.#heardAt + this.#timeout - performance.now();
    if (left > 0) {
      this.#watch = setTimeout(() => this.#look(), Math.ceil(left)).unref();
      return;
    }
    this.lost(new Error(`no answer within ${this.#timeout} ms`));
    this.#wire.stream.destroy();
  }
}

const lines = new WeakMap<ClientBase, Line>();

/** The line of a connection. */
export function lineOf(client: ClientBase): Line {
  let line = lines.get(client);
  if (line === undefined) lines.set(client, (line = new Line(client)));
  return line;
}
