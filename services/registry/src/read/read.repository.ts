import { invalidData } from "@sextant/errors";
import { type Params, type ReadAnswer, RegistryUnavailableError } from "@sextant/registry-client";
import type { Call, Row } from "../database/batch.ts";
import type { Database, Scope } from "../database/database.ts";
import { isUnavailable, StatementError } from "../database/error.ts";
import { bind } from "./parameters.ts";
import type { KnownPlan } from "./plan-cache.ts";

/** A value that the database cannot take is the caller's fault. */
export function asRequestFault(error: unknown): unknown {
  if (!(error instanceof StatementError) || !error.sqlState.startsWith("22")) return error;
  return invalidData("RegistryRequest", [
    { field: "values", message: `the database refuses one (${error.sqlState})` },
  ]);
}

/** Runs one batch; says what went wrong in terms of the contract. */
export async function runFor(
  database: Database,
  scope: Scope,
  calls: readonly Call[],
): Promise<readonly (readonly Row[])[]> {
  try {
    return await database.run(scope, calls);
  } catch (error) {
    if (isUnavailable(error))
      throw new RegistryUnavailableError("the database cannot be reached now", error);
    throw asRequestFault(error);
  }
}

/** A read as one statement of a batch. */
export function readCall(known: KnownPlan, params: Params, tenant: string | null): Call {
  const compiled = known.compiledFor(params);
  return { text: compiled.text, values: bind(compiled.slots, params, tenant) };
}

/** Runs read plans. */
export class ReadRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** One statement, one round trip. */
  async read(known: KnownPlan, params: Params, tenant: string | null): Promise<ReadAnswer> {
    const call = readCall(known, params, tenant);
    const [rows] = await runFor(this.#database, tenant === null ? "tenantless" : { tenant }, [
      call,
    ]);
    const row = rows?.[0];
    const missing = row?.[1] ?? "";
    return {
      text: String(row?.[0]),
      missing: missing === "" ? [] : missing.split(",").map(Number),
    };
  }
}
