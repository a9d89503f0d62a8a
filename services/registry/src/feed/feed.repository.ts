import type { EventType, FeedEvent } from "@sextant/registry-client";
import type { Database } from "../database/database.ts";

/** Notified once for each batch of positions, with the last of them. */
export const FEED_CHANNEL = "sextant_feed";

/** Events that get their positions at a time, that are read at a time, and that are removed at a time. */
export const BATCH = 1_000;
const REMOVED_AT_A_TIME = 10_000;

const LOCK = "select pg_advisory_xact_lock(7398003)";

const SEQUENCE = `
with batch as (
  select entry, (select last_position from feed) + row_number() over (order by entry) as place
  from (select entry from event where position is null order by entry limit ${BATCH}) as waiting
), moved as (
  update event set position = batch.place from batch where event.entry = batch.entry returning event.position
), head as (
  update feed set last_position = last_position + (select count(*) from moved) where exists (select from moved)
  returning last_position
)
select (select count(*) from moved), pg_notify('${FEED_CHANNEL}', last_position::text) from head`;

const HEAD = "select last_position, removed_up_to from feed";

const READ = `
select position, tenant_id, type, object_id, data from event where position > $1::bigint order by position limit ${BATCH}`;

const TRIM = `
with bound as (
  select least(last_position - $1::bigint, removed_up_to + ${REMOVED_AT_A_TIME}) as position from feed
  where last_position - $1::bigint > removed_up_to
), gone as (
  delete from event using bound where event.position <= bound.position
)
update feed set removed_up_to = bound.position from bound`;

/** Where the feed ends, and up to which position it no longer has its events. */
export type FeedHead = { readonly last: number; readonly removedUpTo: number };

/** The events of all tenants, in the order in which they became visible. */
export class FeedRepository {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Gives positions to events that were committed without one: a batch of them. One process at a time does it, and the lock is
   * held until the positions are visible, so that whoever has read up to a position has missed nothing before it. Answers
   * how many there were: less than a batch is all.
   */
  async sequence(): Promise<number> {
    const results = await this.#database.run({ queue: "feed" }, [
      { text: LOCK, values: [] },
      { text: SEQUENCE, values: [] },
    ]);
    return Number(results[1]?.[0]?.[0] ?? 0);
  }

  async head(): Promise<FeedHead> {
    const [rows] = await this.#database.run({ queue: "feed" }, [{ text: HEAD, values: [] }]);
    return { last: Number(rows?.[0]?.[0]), removedUpTo: Number(rows?.[0]?.[1]) };
  }

  /** Events behind a position, a batch of them, with the head as it was before they were read. */
  async read(
    after: number,
  ): Promise<{ readonly events: readonly FeedEvent[]; readonly head: FeedHead }> {
    const [heads, rows] = await this.#database.run({ queue: "feed" }, [
      { text: HEAD, values: [] },
      { text: READ, values: [String(after)] },
    ]);
    const events = (rows ?? []).map(([position, tenant, type, id, data]) => ({
      position: Number(position),
      tenant: String(tenant),
      type: String(type) as EventType,
      id: String(id),
      data: JSON.parse(String(data)) as Readonly<Record<string, unknown>>,
    }));
    return {
      events,
      head: { last: Number(heads?.[0]?.[0]), removedUpTo: Number(heads?.[0]?.[1]) },
    };
  }

  /** Removes some of the events that are further back than `keep` positions. */
  async trim(keep: number): Promise<void> {
    await this.#database.run({ queue: "feed" }, [
      { text: LOCK, values: [] },
      { text: TRIM, values: [String(keep)] },
    ]);
  }
}
