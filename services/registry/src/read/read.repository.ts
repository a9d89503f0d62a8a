import { invalidData, invalidOperation } from "@sextant/errors";
import { type Params, type ReadAnswer, RegistryUnavailableError } from "@sextant/registry-client";
import type { Call, Row } from "../database/batch.ts";
import type { Database, Scope } from "../database/database.ts";
import type { ShortCall } from "../database/short-reads.ts";
import { isUnavailable, StatementError } from "../database/error.ts";
import { MAX_ANSWER } from "./compile-plan.ts";
import { bind } from "./parameters.ts";
import type { KnownPlan } from "./plan-cache.ts";

/** States of a statement that was too much: the answer's size (ours and PostgreSQL's own bound), and its time. */
const TOO_MUCH: Readonly<Record<string, string>> = {
  SX002: `the answer would have more than ${MAX_ANSWER / 1024 / 1024} MiB: ask for fewer objects or fields, in smaller pages`,
  "54000":
    "the answer would be larger than the database can make it: ask for fewer objects or fields, in smaller pages",
  "57014":
    "the operation takes longer than the database may work on it: ask for fewer objects, in smaller pages",
};

/** A value that the database cannot take, and a request that is too much for it, are the caller's fault. */
export function asRequestFault(error: unknown): unknown {
  if (!(error instanceof StatementError)) return error;
  const tooMuch = TOO_MUCH[error.sqlState];
  if (tooMuch !== undefined) return invalidOperation(tooMuch);
  if (!error.sqlState.startsWith("22")) return error;
  return invalidData("RegistryRequest", [
    { field: "values", message: `the database refuses one (${error.sqlState})` },
  ]);
}

/** Says what went wrong in terms of the contract. */
function refuse(error: unknown): never {
  throw isUnavailable(error)
    ? new RegistryUnavailableError("the database cannot be reached now", error)
    : asRequestFault(error);
}

/** Runs one batch; says what went wrong in terms of the contract. */
export function runFor(
  database: Database,
  scope: Scope,
  calls: readonly Call[],
): Promise<readonly (readonly Row[])[]> {
  return database.run(scope, calls).catch(refuse);
}

/** Runs one short read (see Database), and answers with what `answer` makes of its rows; says what went wrong as {@link runFor} does. */
export function runShortFor<Answer>(
  database: Database,
  scope: Scope,
  call: ShortCall,
  answer: (rows: readonly Row[]) => Answer,
): Promise<Answer> {
  return database.runShort(scope, call).then(answer, refuse);
}

/** A read as one statement of a batch. */
export function readCall(known: KnownPlan, params: Params, tenant: string | null): Call {
  const compiled = known.compiledFor(params);
  return { text: compiled.text, values: bind(compiled.slots, params, tenant) };
}

function shortCall(known: KnownPlan, params: Params, tenant: string | null): ShortCall {
  const { text, values } = readCall(known, params, tenant);
  return { text, values, forMany: known.forMany };
}

function answerOf(rows: readonly Row[] | undefined): ReadAnswer {
  const row = rows?.[0];
  const missing = row?.[1] ?? "";
  return {
    text: String(row?.[0]),
    missing: missing === "" ? [] : missing.split(",").map(Number),
  };
}

/** Runs read plans. */
export class ReadRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** One statement, one round trip. Throws at once what is wrong with the parameters. */
  read(known: KnownPlan, params: Params, tenant: string | null): Promise<ReadAnswer> {
    const scope = tenant === null ? "tenantless" : { tenant };
    return known.isShort
      ? runShortFor(this.#database, scope, shortCall(known, params, tenant), answerOf)
      : runFor(this.#database, scope, [readCall(known, params, tenant)]).then(([rows]) =>
          answerOf(rows),
        );
  }
}
