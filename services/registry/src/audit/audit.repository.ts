import type { Row } from "../database/batch.ts";
import type { Database } from "../database/database.ts";
import { StatementError } from "../database/error.ts";
import { arrayText } from "../database/array-text.ts";
import { BEGINNING, type ChainedEntry, entryHash } from "./entry-hash.ts";

/** Entries chained at a time, and read at a time. */
export const BATCH = 500;
const PAGE = 1_000;
const UNIQUE_VIOLATION = "23505";

/**
 * What is read here is in the order of an index. Statistics lag behind a queue and a chain that grow fast: a plan that sorts, made when
 * they were nearly empty, would sort all of them for each entry.
 */
const BY_INDEX =
  "select set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true)";

const columns = `to_char(e.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  e.actor_type, e.actor_id, e.actor_name, e.address, e.request_id, e.action, e.objects, e.outcome, e.error_code, e.times`;

/** The oldest that wait, each with the end of its tenant's chain, and whether it has a place already. */
const WAITING = `
select w.entry, w.tenant_id, w.entry_id, head.position, head.hash, placed.position, ${columns}
from (select entry, tenant_id, entry_id from audit_unchained order by entry limit ${BATCH}) w
left join audit_entry e on e.tenant_id = w.tenant_id and e.id = w.entry_id
left join audit_chain placed on placed.tenant_id = w.tenant_id and placed.entry_id = w.entry_id
left join lateral (
  select c.position, c.hash from audit_chain c where c.tenant_id = w.tenant_id order by c.position desc limit 1
) head on true
order by w.entry`;

const CHAIN = `
insert into audit_chain (tenant_id, position, entry_id, hash)
select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[])`;

const TAKE_OUT = "delete from audit_unchained where entry = any($1::bigint[])";

const CHAINED = `
select c.position, c.entry_id, c.hash, ${columns}
from audit_chain c left join audit_entry e on e.tenant_id = c.tenant_id and e.id = c.entry_id
where c.tenant_id = $1::uuid and c.position > $2::bigint order by c.position limit ${PAGE}`;

/** Entries that have no place and do not wait for one: nothing of the plane leaves such behind. */
const LOOSE = `
select e.id from audit_entry e
where e.tenant_id = $1::uuid
  and not exists (select from audit_chain c where c.tenant_id = e.tenant_id and c.entry_id = e.id)
  and not exists (select from audit_unchained u where u.tenant_id = e.tenant_id and u.entry_id = e.id)
order by e.id limit ${PAGE}`;

const TENANTS = `
select c.tenant_id, t.external_id from (select distinct tenant_id from audit_chain) c
left join tenant t on t.id = c.tenant_id order by c.tenant_id`;

const HEAD =
  "select position, hash from audit_chain where tenant_id = $1::uuid order by position desc limit 1";

/** What came of one batch: all that waited has its place; there may be more; or another process was faster. */
export type Chained = "all" | "some" | "second";

/** An entry in its place; undefined `entry`: it is gone. */
export type Link = {
  readonly position: number;
  readonly id: string;
  readonly hash: string;
  readonly entry: ChainedEntry | undefined;
};

/** The end of a chain. */
export type Head = { readonly position: number; readonly hash: string };

function entryOf(row: Row, from: number): ChainedEntry | undefined {
  const [timestamp, actorType, actorID, actorName, address, requestID, action, objects, ...rest] =
    row.slice(from);
  if ((timestamp ?? null) === null) return undefined;
  const [outcome, errorCode, times] = rest;
  return {
    timestamp: String(timestamp),
    actorType: String(actorType),
    actorID: String(actorID),
    actorName: actorName ?? null,
    address: address ?? null,
    requestID: requestID ?? null,
    action: String(action),
    objects: String(objects),
    outcome: String(outcome),
    errorCode: errorCode ?? null,
    times: Number(times),
  };
}

/** The audit log of all tenants: chains it, and reads the chains. */
export class AuditRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Gives places to the oldest entries that wait. Several processes may do so at once: the places are unique, and whoever comes
   * second has nothing done.
   */
  async chainSome(): Promise<Chained> {
    const rows = await this.#read(WAITING, []);
    if (rows.length === 0) return "all";
    const heads = new Map<string, Head>();
    const [tenants, positions, ids, hashes]: string[][] = [[], [], [], []];
    for (const row of rows) {
      const [, tenant, id, position, hash, placed] = row.map((value) => value ?? undefined);
      if (tenant === undefined || id === undefined || placed !== undefined) continue;
      const head = heads.get(tenant) ?? {
        position: Number(position ?? 0),
        hash: hash ?? BEGINNING,
      };
      const place = { tenant, position: head.position + 1, id };
      const next = {
        position: place.position,
        hash: entryHash(head.hash, place, entryOf(row, 6)),
      };
      heads.set(tenant, next);
      tenants?.push(tenant);
      positions?.push(String(next.position));
      ids?.push(id);
      hashes?.push(next.hash);
    }
    const chained = [tenants, positions, ids, hashes].map((values) => arrayText(values ?? []));
    try {
      await this.#database.run({ queue: "audit" }, [
        { text: CHAIN, values: chained },
        { text: TAKE_OUT, values: [arrayText(rows.map((row) => row[0] ?? null))] },
      ]);
    } catch (error) {
      const isSecond = error instanceof StatementError && error.sqlState === UNIQUE_VIOLATION;
      if (!isSecond) throw error;
      return "second";
    }
    return rows.length === BATCH ? "some" : "all";
  }

  /** Tenants that have a chain, also those that are gone (null). */
  async tenants(): Promise<readonly { readonly id: string; readonly externalID: string | null }[]> {
    const rows = await this.#read(TENANTS, []);
    return rows.map(([id, externalID]) => ({ id: String(id), externalID: externalID ?? null }));
  }

  /** A page of a tenant's chain. */
  async chained(tenant: string, after: number): Promise<readonly Link[]> {
    const rows = await this.#read(CHAINED, [tenant, String(after)]);
    return rows.map((row) => ({
      position: Number(row[0]),
      id: String(row[1]),
      hash: String(row[2]),
      entry: entryOf(row, 3),
    }));
  }

  async head(tenant: string): Promise<Head | undefined> {
    const [row] = await this.#read(HEAD, [tenant]);
    return row === undefined ? undefined : { position: Number(row[0]), hash: String(row[1]) };
  }

  /** Some of the entries that are outside the chain and do not wait for a place in it. */
  async loose(tenant: string): Promise<readonly string[]> {
    return (await this.#read(LOOSE, [tenant])).map((row) => String(row[0]));
  }

  async #read(text: string, values: readonly (string | null)[]): Promise<readonly Row[]> {
    const [, rows] = await this.#database.run({ queue: "audit" }, [
      { text: BY_INDEX, values: [] },
      { text, values },
    ]);
    return rows ?? [];
  }
}
