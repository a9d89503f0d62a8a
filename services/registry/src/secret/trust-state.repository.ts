import type { TrustState } from "@sextant/registry-client";
import type { Database } from "../database/database.ts";

const STATE = `select json_build_object(
  'runtimes', coalesce((select json_agg(json_build_object('trustBundle', trust_bundle, 'count', n)) from (
    select trust_bundle, count(*) as n from runtime where last_seen > now() - interval '1 day' group by trust_bundle) r), '[]'),
  'certificates', coalesce((select json_agg(json_build_object('issuerKeyID', issuer_key_id, 'count', n)) from (
    select issuer_key_id, count(*) as n from certificate where revoked_at is null and not_after > now() and hash is not null
    group by issuer_key_id) c), '[]')
)`;

/** How many trust whom, of all tenants: numbers only. */
export class TrustStateRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async read(): Promise<TrustState> {
    const [rows] = await this.#database.run({ queue: "trustState" }, [{ text: STATE, values: [] }]);
    return JSON.parse(String(rows?.[0]?.[0])) as TrustState;
  }
}
