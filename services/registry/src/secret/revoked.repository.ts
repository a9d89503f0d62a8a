import type { RevokedRequest } from "@sextant/registry-client";
import type { Database } from "../database/database.ts";
import { runFor } from "../read/read.repository.ts";

/** Certificates of one page. */
const PAGE = 5_000;

// The number is drawn before the rows are looked at: a list with a greater number does not know less.
const NUMBER = "select nextval('revocation_list_number')";
const ROWS =
  `select coalesce(json_agg(json_build_object('serialNumber', r.serial_number, 'revokedAt', ` +
  `to_char(r.revoked_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'revocationCode', r.revocation_code)), '[]') ` +
  `from (select serial_number, revoked_at, revocation_code from certificate where issuer_key_id = $1 ` +
  `and revoked_at is not null and not_after > now() - interval '8 days' ` +
  `and ($2::text is null or serial_number > $2) order by serial_number limit ${PAGE}) r`;

/** What was revoked, whatever the tenant. Row-level security shows no other certificate, and no column that says whose it was is read. */
export class RevokedRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** JSON text of a page. */
  async page({ issuerKeyID, after }: RevokedRequest): Promise<string> {
    const [numbers, rows] = await runFor(this.#database, { queue: "revocationList" }, [
      { text: NUMBER, values: [] },
      { text: ROWS, values: [issuerKeyID, after] },
    ]);
    return `{"number":"${numbers?.[0]?.[0]}","revoked":${rows?.[0]?.[0]}}`;
  }
}
