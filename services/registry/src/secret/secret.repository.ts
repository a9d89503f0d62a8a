import { type SecretKind, tableName } from "@sextant/registry-client";
import type { Database } from "../database/database.ts";
import { runShortFor } from "../read/read.repository.ts";
import { recordSQL } from "../read/record.ts";

const statementFor = (kind: SecretKind): string =>
  `select ${recordSQL(kind, "t1")} from ${tableName(kind)} t1 where t1.hash = $1`;

const STATEMENTS: Readonly<Record<SecretKind, string>> = {
  apiToken: statementFor("apiToken"),
  oneTimeToken: statementFor("oneTimeToken"),
  certificate: statementFor("certificate"),
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
    const rows = await runShortFor(this.#database, { secret: hash }, call);
    return rows[0]?.[0] ?? undefined;
  }
}
