import type { Database } from "../database/database.ts";

/** Rows removed by one statement. */
const BATCH = 1_000;

/** What is over, each in batches; row-level security shows of these tables only what may go. */
const STATEMENTS: readonly string[] = [
  `delete from idempotency_key k using (select tenant_id, id from idempotency_key where created_at < now() - interval '24 hours' ` +
    `order by created_at limit ${BATCH}) over where k.tenant_id = over.tenant_id and k.id = over.id returning 1`,
];

/** Texts removed by one statement: they may be large. */
const TEXTS = 50;
const TENANTS = 500;
const TENANT_PAGE = `select id from tenant where $1::uuid is null or id > $1::uuid order by id limit ${TENANTS}`;
const referredTo = [
  ["api_definition", "spec_content"],
  ["event_definition", "spec_content"],
  ["document", "content"],
].map(
  ([table, column]) =>
    `exists (select from ${table} r where r.tenant_id = c.tenant_id and r.${column} = c.hash)`,
);
/**
 * Whoever is about to refer to a text touches it before (see the step `content`), which makes it too young for this, also when
 * it happens at the same moment.
 */
const UNREFERENCED =
  `delete from content where tenant_id = $1 and hash in (select c.hash from content c where c.tenant_id = $1 ` +
  `and c.created_at < now() - interval '1 hour' and not (${referredTo.join(" or ")}) limit ${TEXTS} for update of c skip locked) ` +
  `returning 1`;

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

  /** A page of tenants, by id. */
  async tenants(after: string | null): Promise<readonly string[]> {
    const [rows] = await this.#database.run("tenantless", [{ text: TENANT_PAGE, values: [after] }]);
    return (rows ?? []).map((row) => String(row[0]));
  }

  /** Removes some of the texts of a tenant that nothing refers to any more; says whether there may be more. */
  async removeTexts(tenant: string): Promise<boolean> {
    const [rows] = await this.#database.run({ tenant }, [{ text: UNREFERENCED, values: [tenant] }]);
    return (rows ?? []).length >= TEXTS;
  }
}
