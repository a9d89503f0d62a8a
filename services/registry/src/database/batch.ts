/**
 * Several prepared statements under one Sync: one round trip, and one implicit transaction. PostgreSQL commits it when it reaches
 * the Sync, after the last statement's CommandComplete: only ReadyForQuery says that it is durable.
 */
import { type ClientBase, type Connection, DatabaseError, type Submittable } from "pg";
import { ConnectionLostError, statementError, type StatementError } from "./error.ts";
import { StatementCache } from "./statement-cache.ts";

/** One statement with its values in text form. */
export type Call = { readonly text: string; readonly values: readonly (string | null)[] };

/** A row: its columns in text form. */
export type Row = readonly (string | null)[];

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

/** What is known of one connection: its prepared statements, and the batch on its way. */
class Line {
  readonly wire: Wire;
  readonly statements = new StatementCache(STATEMENTS);
  current: Batch | undefined;

  constructor(wire: Wire) {
    this.wire = wire;
    wire.on("parseComplete", () => this.statements.prepared());
    wire.on("closeComplete", () => this.statements.closed());
    // pg forgets the active query when an error comes, so that ReadyForQuery has to be heard here.
    wire.on("readyForQuery", () => this.current?.ready());
    wire.on("end", () => this.current?.lost(new Error("the connection ended")));
  }
}

const lines = new WeakMap<Connection, Line>();

function lineOf(wire: Wire): Line {
  let line = lines.get(wire);
  if (line === undefined) {
    line = new Line(wire);
    lines.set(wire, line);
  }
  return line;
}

class Batch implements Submittable {
  readonly #calls: readonly Call[];
  readonly #line: Line;
  readonly #resolve: (results: readonly (readonly Row[])[]) => void;
  readonly #reject: (error: Error) => void;
  readonly #heard: () => void;
  readonly #results: Row[][] = [];
  #rows: Row[] = [];
  #error: StatementError | undefined;

  constructor(
    calls: readonly Call[],
    line: Line,
    resolve: (results: readonly (readonly Row[])[]) => void,
    reject: (error: Error) => void,
    heard: () => void,
  ) {
    this.#heard = heard;
    this.#calls = calls;
    this.#line = line;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(): void {
    const { wire, statements } = this.#line;
    wire.stream.cork();
    try {
      for (const { text, values } of this.#calls) {
        const { name, prepare, close } = statements.use(text);
        for (const old of close) wire.close({ type: "S", name: old });
        if (prepare) wire.parse({ name, text });
        wire.bind({ statement: name, values });
        wire.execute({});
      }
      wire.sync();
    } finally {
      wire.stream.uncork();
    }
  }

  handleDataRow(message: { fields: Row }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(): void {
    this.#heard();
    this.#results.push(this.#rows);
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handleReadyForQuery(): void {
    // See Line.
  }

  /** An error of the server, behind which ReadyForQuery follows unless it ends the connection; or the end of the connection. */
  handleError(error: Error): void {
    if (error instanceof DatabaseError) this.#error ??= statementError(error, this.#results.length);
    else this.lost(error);
  }

  ready(): void {
    this.#line.current = undefined;
    if (this.#error === undefined) {
      this.#resolve(this.#results);
    } else {
      this.#line.statements.failed();
      this.#reject(this.#error);
    }
  }

  lost(error: Error): void {
    if (this.#line.current !== this) return;
    this.#line.current = undefined;
    this.#reject(
      new ConnectionLostError("the connection to the database was lost", this.#error ?? error),
    );
  }
}

/**
 * Runs the calls on one connection that does nothing else meanwhile. Resolves with the rows of each when the transaction is
 * durable; rejects with StatementError when it was rolled back, with ConnectionLostError when that is not known: the connection
 * is then of no use. `timeout` in milliseconds is for a server that no longer answers.
 */
export function runBatch(
  client: ClientBase,
  calls: readonly Call[],
  timeout: number,
): Promise<readonly (readonly Row[])[]> {
  const { connection: wire } = client as ClientBase & { readonly connection: Wire };
  const line = lineOf(wire);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      batch.lost(new Error(`no answer within ${timeout} ms`));
      wire.stream.destroy();
    }, timeout);
    const batch = new Batch(
      calls,
      line,
      (results) => {
        clearTimeout(timer);
        resolve(results);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
      // Each statement has a time of its own.
      () => void timer.refresh(),
    );
    line.current = batch;
    client.query(batch);
  });
}
