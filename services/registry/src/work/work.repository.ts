import { type Fault, invalidData } from "@sextant/errors";
import {
  type ClaimRequest,
  columnName,
  type Field,
  kinds,
  type Queue,
  type SettleRequest,
  tableName,
} from "@sextant/registry-client";
import { COLUMN_TYPES, storedValue } from "../commit/stored-value.ts";
import type { Call } from "../database/batch.ts";
import type { Database } from "../database/database.ts";
import { recordSQL } from "../read/record.ts";
import { arrayText } from "../database/array-text.ts";
import { runFor } from "../read/read.repository.ts";

type Item = SettleRequest["items"][number];

/** What the Registry itself keeps of a claim. */
const OWN: ReadonlySet<string> = new Set(["leaseToken", "leaseUntil", "nextAttemptAt"]);

const claimSQL = (queue: Queue): string => {
  const table = tableName(queue);
  const lease = "now() + make_interval(secs => $2::double precision)";
  return (
    `with due as (select tenant_id, id from ${table} where next_attempt_at <= now() order by next_attempt_at ` +
    `limit $1::integer for update skip locked) ` +
    `update ${table} t1 set attempts = t1.attempts + 1, lease_token = gen_random_uuid(), lease_until = ${lease}, ` +
    `next_attempt_at = ${lease}, updated_at = now() from due where t1.tenant_id = due.tenant_id and t1.id = due.id ` +
    `returning ${recordSQL(queue, "t1")}`
  );
};

/** Leased work of all tenants. A claim makes the work due again when its lease is over. */
export class WorkRepository {
  readonly #database: Database;
  readonly #claims = new Map<Queue, string>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Claims what is due: JSON text of each piece of work. */
  async claim({ queue, max, leaseSeconds }: ClaimRequest): Promise<readonly string[]> {
    let text = this.#claims.get(queue);
    if (text === undefined) {
      text = claimSQL(queue);
      this.#claims.set(queue, text);
    }
    const [rows] = await runFor(this.#database, { queue }, [
      { text, values: [String(max), String(leaseSeconds)] },
    ]);
    return (rows ?? []).map((row) => String(row[0]));
  }

  /** Ends claims, in one transaction. */
  async settle({ queue, items }: SettleRequest): Promise<void> {
    const groups = Map.groupBy(
      items,
      ({ done, values }) => `${done} ${Object.keys(values).toSorted().join(" ")}`,
    );
    const calls = [...groups.values()].flatMap((group) => settleCalls(queue, group));
    await runFor(this.#database, { queue }, calls);
  }
}

/** A column of the items as one array. */
function column(values: readonly (string | null)[], sqlType: string, all: string[]): string {
  all.push(arrayText(values));
  return `$${all.length}::${sqlType}[]`;
}

/** The statements for items that are all done or all not, and have values for the same fields. */
function settleCalls(queue: Queue, items: readonly Item[]): readonly Call[] {
  const faults: Fault[] = [];
  const table = tableName(queue);
  const done = items[0]?.done === true;
  const fields: Readonly<Record<string, Field>> = kinds[queue].fields;
  const values: string[] = [];
  const columns = [
    column(
      items.map(({ tenant }) => tenant),
      "uuid",
      values,
    ),
    column(
      items.map(({ id }) => id),
      "uuid",
      values,
    ),
    column(
      items.map(({ leaseToken }) => leaseToken),
      "uuid",
      values,
    ),
    column(
      items.map(({ nextAttemptAt }) => nextAttemptAt ?? null),
      "timestamptz",
      values,
    ),
    column(
      items.map(({ version }) => (version === undefined ? null : String(version))),
      "integer",
      values,
    ),
  ];
  const names = ["tenant_id", "id", "lease_token", "next_attempt_at", "version"];
  const set: string[] = [];
  for (const name of Object.keys(items[0]?.values ?? {})) {
    const field = Object.hasOwn(fields, name) && !OWN.has(name) ? fields[name] : undefined;
    if (field === undefined) {
      faults.push({ field: `values.${name}`, message: `cannot be set when ${queue} is settled` });
      continue;
    }
    const texts = items.map((item) =>
      storedValue(`values.${name}`, field, item.values[name], faults),
    );
    columns.push(column(texts, COLUMN_TYPES[field.type], values));
    names.push(`new_${columnName(name)}`);
    set.push(`${columnName(name)} = item.new_${columnName(name)}`);
  }
  if (queue === "staleRuntime" && items.some(({ version }) => version === undefined)) {
    faults.push({ field: "version", message: "is required of a stale mark" });
  }
  if (faults.length > 0) throw invalidData("SettleRequest", faults);
  const from = `unnest(${columns.join(", ")}) as item (${names.join(", ")})`;
  const claimed =
    "t1.tenant_id = item.tenant_id and t1.id = item.id and t1.lease_token = item.lease_token";
  const free = "lease_token = null, lease_until = null, updated_at = now()";
  if (queue === "staleRuntime") {
    // Marked again since it was claimed: due at once, as if it had not been tried.
    const renewed = "t1.version > item.version";
    const next = done
      ? "now()"
      : `case when ${renewed} then now() else coalesce(item.next_attempt_at, now()) end`;
    const attempts = `attempts = case when ${renewed} then 0 else t1.attempts end`;
    const update = `update ${table} t1 set ${[...set, attempts, `next_attempt_at = ${next}`, free].join(", ")} from ${from} where ${claimed}`;
    if (!done) return [{ text: update, values }];
    return [
      {
        text: `delete from ${table} t1 using ${from} where ${claimed} and t1.version = item.version`,
        values,
      },
      { text: update, values },
    ];
  }
  const next = done ? "null" : "coalesce(item.next_attempt_at, now())";
  const text = `update ${table} t1 set ${[...set, `next_attempt_at = ${next}`, free].join(", ")} from ${from} where ${claimed}`;
  return [{ text, values }];
}
