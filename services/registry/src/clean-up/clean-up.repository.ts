import type { Database } from "../database/database.ts";

/** Rows removed by one statement. */
const BATCH = 1_000;

/** Removes those rows of a table whose time was over so long ago, the oldest first. */
const over = (table: string, column: string, since: string): string =>
  `delete from ${table} t using (select tenant_id, id from ${table} where ${column} < now() - interval '${since}' ` +
  `order by ${column} limit ${BATCH}) over where t.tenant_id = over.tenant_id and t.id = over.id returning 1`;

/** What is over, each in batches; row-level security shows of these tables only what may go. */
const STATEMENTS: readonly string[] = [
  over("idempotency_key", "created_at", "24 hours"),
  over("one_time_token", "expires_at", "30 days"),
  over("certificate", "not_after", "90 days"),
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

/** A key goes when no certificate refers to it any more. A new one may be about to be referred to. */
const UNUSED_KEYS =
  `delete from certificate_key where tenant_id = $1 and id in (select k.id from certificate_key k where k.tenant_id = $1 ` +
  `and k.created_at < now() - interval '1 hour' and not exists (select from certificate c where c.tenant_id = k.tenant_id ` +
  `and c.public_key_hash = k.hash and c.consumer_id = k.consumer_id) limit ${BATCH} for update of k skip locked) returning 1`;

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

  /** Removes some of what nothing of a tenant refers to any more, texts and keys; says whether there may be more. */
  async removeUnreferenced(tenant: string): Promise<boolean> {
    const [texts, keys] = await this.#database.run({ tenant }, [
      { text: UNREFERENCED, values: [tenant] },
      { text: UNUSED_KEYS, values: [tenant] },
    ]);
    return (texts ?? []).length >= TEXTS || (keys ?? []).length >= BATCH;
  }
}
