import type { Database } from "../database/database.ts";

/** Rows removed by one statement. */
const BATCH = 1_000;

/** What is over, each in batches; row-level security shows of these tables only what may go. */
const STATEMENTS: readonly string[] = [
  `delete from idempotency_key k using (select tenant_id, id from idempotency_key where created_at < now() - interval '24 hours' ` +
    `order by created_at limit ${BATCH}) over where k.tenant_id = over.tenant_id and k.id = over.id returning 1`,
];

/** Removes what is over, of all tenants. */
export class CleanUpRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Removes some of it; says whether there may be more. */
  async removeSome(): Promise<boolean> {
    let more = false;
    for (const text of STATEMENTS) {
      const [rows] = await this.#database.run({ queue: "cleanUp" }, [{ text, values: [] }]);
      if ((rows ?? []).length >= BATCH) more = true;
    }
    return more;
  }
}
