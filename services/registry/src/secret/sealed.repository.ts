/** Secrets that another service has sealed, of all tenants: found by the key that sealed them, and replaced by the same under another. */
import {
  columnName,
  fieldsOf,
  type Kind,
  kinds,
  type SealedRequest,
  type SealedValue,
  tableName,
} from "@sextant/registry-client";
import type { Call, Row } from "../database/batch.ts";
import type { Database } from "../database/database.ts";

/** Values of one page, and bytes after which it has no more of them: plans are large, and a request that replaces them carries two of each. */
const PAGE = 200;
const PAGE_BYTES = 4 * 1024 * 1024;

/** The fields that are sealed, each with its table and column. */
const SEALED = (Object.keys(kinds) as Kind[]).flatMap((kind) =>
  Object.entries(fieldsOf(kind))
    .filter(([, { type }]) => type === "secret")
    .map(([field]) => ({ kind, field, table: tableName(kind), column: columnName(field) })),
);

/** `left` fetches the beginning of a large value alone. */
const isOthers = (column: string): string =>
  `${column} is not null and left(${column}, length($1::text)) <> $1::text`;

/** Of a field a page of what does not begin with the prefix, behind a row. */
const pageOf = ({ table, column }: (typeof SEALED)[number]): string =>
  `select tenant_id, id, value from (` +
  `select tenant_id, id, value, sum(octet_length(value)) over (order by tenant_id, id) - octet_length(value) as before from (` +
  `select tenant_id, id, ${column} as value from ${table} where ${isOthers(column)} and (tenant_id, id) > ($2::uuid, $3::uuid) ` +
  `order by tenant_id, id limit ${PAGE}) page) sized where before < ${PAGE_BYTES} order by tenant_id, id`;

const COUNT =
  "select " +
  SEALED.map(
    ({ table, column }) => `(select count(*) from ${table} where ${isOthers(column)})`,
  ).join(" + ");

const FIRST = "00000000-0000-0000-0000-000000000000";

/** Finds and replaces them. */
export class SealedRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** How many values do not begin with a prefix. */
  async count(prefix: string): Promise<number> {
    const rows = await this.#run({ text: COUNT, values: [prefix] });
    return Number(rows[0]?.[0]);
  }

  /** A page of values that do not begin with a prefix, behind `after`. */
  async page({ prefix, after }: SealedRequest): Promise<readonly SealedValue[]> {
    const from = SEALED.findIndex(
      ({ kind, field }) => kind === after?.kind && field === after.field,
    );
    for (const sealed of SEALED.slice(Math.max(0, from))) {
      const isSame = after?.kind === sealed.kind && after.field === sealed.field;
      const values = [prefix, isSame ? after.tenant : FIRST, isSame ? after.id : FIRST];
      const rows = await this.#run({ text: pageOf(sealed), values });
      if (rows.length === 0) continue;
      return rows.map(([tenant, id, value]) => ({
        kind: sealed.kind,
        field: sealed.field,
        tenant: String(tenant),
        id: String(id),
        value: String(value),
      }));
    }
    return [];
  }

  /** Puts values in place of others; one that was changed meanwhile stays as it is. Nothing else of the row changes. */
  async replace(values: readonly (SealedValue & { readonly by: string })[]): Promise<void> {
    const calls = values.map(({ kind, field, tenant, id, value, by }): Call => {
      const sealed = SEALED.find((one) => one.kind === kind && one.field === field);
      if (sealed === undefined) throw new Error(`${kind}.${field} is not sealed`);
      const { table, column } = sealed;
      const text = `update ${table} set ${column} = $1 where tenant_id = $2 and id = $3 and ${column} = $4 returning 1`;
      return { text, values: [by, tenant, id, value] };
    });
    if (calls.length > 0) await this.#database.run({ queue: "reseal" }, calls);
  }

  async #run(call: Call): Promise<readonly Row[]> {
    const [rows] = await this.#database.run({ queue: "reseal" }, [call]);
    return rows ?? [];
  }
}
