/**
 * Several prepared statements under one Sync: one round trip, and one implicit transaction. PostgreSQL commits it when it reaches
 * the Sync, after the last statement's CommandComplete: only ReadyForQuery says that it is durable.
 */
import { DatabaseError, type Submittable } from "pg";
import { ConnectionLostError, statementError, type StatementError } from "./error.ts";

/** One statement with its values in text form. */
export type Call = { readonly text: string; readonly values: readonly (string | null)[] };

/** A row: its columns in text form. */
export type Row = readonly (string | null)[];

/** What a batch tells the connection that it is on. */
export type Carrier = {
  /** The server has said something. */
  heard(): void;
  /** The connection is of no use any more. */
  lost(error: Error): void;
};

/**
 * One batch on its way. Resolves with the rows of each call when the transaction is durable; rejects with StatementError when it
 * was rolled back, with ConnectionLostError when that is not known.
 */
export class Batch implements Submittable {
  readonly calls: readonly Call[];
  readonly #carrier: Carrier;
  readonly #resolve: (results: readonly (readonly Row[])[]) => void;
  readonly #reject: (error: Error) => void;
  readonly #results: Row[][] = [];
  #rows: Row[] = [];
  #error: StatementError | undefined;

  constructor(
    calls: readonly Call[],
    carrier: Carrier,
    resolve: (results: readonly (readonly Row[])[]) => void,
    reject: (error: Error) => void,
  ) {
    this.calls = calls;
    this.#carrier = carrier;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get hasFailed(): boolean {
    return this.#error !== undefined;
  }

  submit(): void {
    // The carrier sends it.
  }

  handleDataRow(message: { fields: Row }): void {
    this.#rows.push(message.fields);
  }

  handleCommandComplete(): void {
    this.#carrier.heard();
    this.#results.push(this.#rows);
    this.#rows = [];
  }

  handleEmptyQuery(): void {
    this.handleCommandComplete();
  }

  handleReadyForQuery(): void {
    // The carrier hears it.
  }

  /** An error of the server, behind which ReadyForQuery follows unless it ends the connection; or the end of the connection. */
  handleError(error: Error): void {
    if (error instanceof DatabaseError) this.#error ??= statementError(error, this.#results.length);
    else this.#carrier.lost(error);
  }

  /** All of it was answered. */
  end(): void {
    if (this.#error === undefined) this.#resolve(this.#results);
    else this.#reject(this.#error);
  }

  /** There will be no answer. */
  lost(error: Error): void {
    this.#reject(
      new ConnectionLostError("the connection to the database was lost", this.#error ?? error),
    );
  }
}
