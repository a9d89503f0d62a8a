import { type SecretKind, tableName } from "@sextant/registry-client";
import type { Database } from "../database/database.ts";
import { runShortFor } from "../read/read.repository.ts";
import { recordSQL } from "../read/record.ts";

const statementFor = (kind: SecretKind): string =>
  `select ${recordSQL(kind, "t1")} from ${tableName(kind)} t1 where t1.hash = $1`;

/** Of client credentials only whose they are, and the tenants that are granted to an integration system. */
const CLIENT = `
select json_build_object(
  'id', t1.id, 'tenant', t1.tenant_id,
  'applicationID', t1.application_id, 'runtimeID', t1.runtime_id, 'integrationSystemID', t1.integration_system_id,
  'tenants', array(
    select g.tenant_id from tenant_grant g
    where g.home_tenant_id = t1.tenant_id and g.integration_system_id = t1.integration_system_id
    order by g.tenant_id
  )
)
from system_auth t1 where t1.hash = $1`;

const STATEMENTS: Readonly<Record<SecretKind, string>> = {
  apiToken: statementFor("apiToken"),
  oneTimeToken: statementFor("oneTimeToken"),
  certificate: statementFor("certificate"),
  systemAuth: CLIENT,
};

/** Who holds a secret, whatever the tenant. Row-level security shows the one row with this hash and no other. */
export class SecretRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** JSON text of the holder with its tenant. */
  async byHash(kind: SecretKind, hash: string): Promise<string | undefined> {
    if (!/^[0-9a-f]{64}$/.test(hash)) return undefined;
    const call = { text: STATEMENTS[kind], values: [hash] };
    return runShortFor(this.#database, { secret: hash }, call, ([row]) => row?.[0] ?? undefined);
  }
}
