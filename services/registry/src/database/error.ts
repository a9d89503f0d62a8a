/** Faults of the database, freed of what they say about rows: the text of a constraint error holds the row. */
import { RegistryUnavailableError } from "@sextant/registry-client";
import type { DatabaseError } from "pg";

/** The server refused a statement. */
export class StatementError extends Error {
  /** PostgreSQL's SQLSTATE. */
  readonly sqlState: string;
  /** Name of the constraint that was broken. */
  readonly constraint: string | undefined;
  /** Place in the batch of the statement that failed; the batch's length when the commit itself failed. */
  readonly statement: number;

  constructor(
    sqlState: string,
    constraint: string | undefined,
    statement: number,
    message: string,
  ) {
    super(message);
    this.name = "StatementError";
    this.sqlState = sqlState;
    this.constraint = constraint;
    this.statement = statement;
  }
}

/** The connection was lost or could not be made. Whether an open transaction was carried out is not known. */
export class ConnectionLostError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ConnectionLostError";
  }
}

/** States whose message repeats values: data exceptions and broken constraints. */
const holdsValues = (sqlState: string): boolean =>
  sqlState.startsWith("22") || sqlState.startsWith("23");

/** The error for what the server said about the statement in this place. */
export function statementError(error: DatabaseError, statement: number): StatementError {
  const sqlState = error.code ?? "XX000";
  const about = error.constraint === undefined ? "" : ` (${error.constraint})`;
  const message = holdsValues(sqlState)
    ? `refused with ${sqlState}${about}`
    : `${sqlState}: ${error.message}`;
  return new StatementError(sqlState, error.constraint, statement, message);
}

/** Two transactions stood in each other's way, and this one may be tried again. */
export function isConflict(error: unknown): boolean {
  return error instanceof StatementError && ["40001", "40P01", "55P03"].includes(error.sqlState);
}

/**
 * The connection holds a statement whose result has another type since a migration. The transaction was rolled back, and is the
 * better for another try with the statement prepared anew.
 */
export function isOutdated(error: unknown): boolean {
  return error instanceof StatementError && error.sqlState === "0A000";
}

/** The server is going down, comes up, or has no room: worth another try on another connection. */
export function isUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionLostError) return true;
  return error instanceof StatementError && /^(?:57P0|53|08)/.test(error.sqlState);
}

/** The server does not listen (at a Unix socket: there is none), cannot be found, starts or has no room: it may come. */
export function isNotThereYet(error: unknown): boolean {
  if (isUnavailable(error) || error instanceof RegistryUnavailableError) return true;
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  if (error instanceof AggregateError) return error.errors.every((one) => isNotThereYet(one));
  if (typeof code === "string")
    return /^(?:ECONN|ENOENT|ENOTFOUND|EAI_AGAIN|EHOST|ENETUNREACH|ETIMEDOUT|EPIPE|57P0|53|08)/.test(
      code,
    );
  return typeof message === "string" && /terminated|timeout/i.test(message);
}
