import { type FindTenant, isUUID } from "@sextant/registry-client";
import type { Database } from "../database/database.ts";
import { runShortFor } from "../read/read.repository.ts";
import { recordSQL } from "../read/record.ts";

const BY_ID = `select ${recordSQL("tenant", "t1")} from tenant t1 where t1.id = $1`;
const BY_EXTERNAL_ID = `select ${recordSQL("tenant", "t1")} from tenant t1 where t1.external_id = $1`;

/** Tenants, which belong to none. */
export class TenantRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** JSON text of the tenant. */
  async find(by: FindTenant): Promise<string | undefined> {
    if ("id" in by ? !isUUID(by.id) : by.externalID.includes("\0")) return undefined;
    const call =
      "id" in by
        ? { text: BY_ID, values: [by.id] }
        : { text: BY_EXTERNAL_ID, values: [by.externalID] };
    return runShortFor(this.#database, "tenantless", call, ([row]) => row?.[0] ?? undefined);
  }
}
