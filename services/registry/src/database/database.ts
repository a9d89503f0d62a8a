/** The pool of connections of the service's role, and the one way to run statements on it. */
import { Pool, type PoolClient } from "pg";
import type { Logger } from "@sextant/logging";
import type { Queue } from "@sextant/registry-client";
import type { Call, Row } from "./batch.ts";
import { ConnectionLostError, isOutdated, StatementError } from "./error.ts";
import { type Line, lineOf } from "./line.ts";
import { isSpoilt, type ShortCall, ShortReads, tooManyWait } from "./short-reads.ts";

/**
 * Which rows row-level security shows for one transaction: a tenant's; the one with a secret's hash; those of a work queue, of
 * the feed or of some other door, of all tenants; or none of any tenant.
 */
export type Scope =
  | { readonly tenant: string }
  | { readonly secret: string }
  | {
      readonly queue:
        | Queue
        | "feed"
        | "cleanUp"
        | "revocationList"
        | "audit"
        | "trustState"
        | "reseal";
    }
  | "tenantless";

/** How the pool is made. Times in milliseconds. */
export type DatabaseOptions = {
  /** Of the service's role. */
  readonly url: string;
  readonly log: Logger;
  readonly connections?: number;
  readonly connectTimeout?: number;
  readonly statementTimeout?: number;
  /** Callers that may wait for a connection at a time; more are turned away. */
  readonly waiting?: number;
};

const CONNECTIONS = 16;
const CONNECT_TIMEOUT = 5_000;
export const STATEMENT_TIMEOUT = 15_000;
const WAITING = 2_000;
/** A server that has not even given up by then is gone. */
const GRACE = 5_000;
const IDLE_TIMEOUT = 60_000;

const SET_TENANT = "select set_config('app.tenant', $1, true)";
const SET_SECRET = "select set_config('app.secret', $1, true)";
const SET_QUEUE = "select set_config('app.queue', $1, true)";

/** Opens a tenant's rows, and closes those of the one before. */
export const openTenant = (tenant: string): Call => ({ text: SET_TENANT, values: [tenant] });

function opening(scope: Scope): readonly Call[] {
  if (scope === "tenantless") return [];
  if ("tenant" in scope) return [openTenant(scope.tenant)];
  if ("secret" in scope) return [{ text: SET_SECRET, values: [scope.secret] }];
  return [{ text: SET_QUEUE, values: [scope.queue] }];
}

/**
 * Startup options of every connection of the service's role. Its statements are short, its tables are in memory or on a solid
 * disk, and small ones grow: no compilation, and an index before a scan.
 */
export function sessionOptions(statementTimeout: number): string {
  const settings = {
    timezone: "UTC",
    datestyle: "ISO",
    jit: "off",
    random_page_cost: "1.1",
    // A statement is planned once a connection: PostgreSQL would plan a nested read anew each time.
    plan_cache_mode: "force_generic_plan",
    statement_timeout: String(statementTimeout),
  };
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");
}

/** Runs batches of statements. */
export class Database {
  readonly #pool: Pool;
  readonly #short: ShortReads;
  readonly #batchTimeout: number;
  readonly #waiting: number;
  /** Grows with each statement that was found outdated: what was prepared before then may be so too. */
  #age = 0;

  constructor(options: DatabaseOptions) {
    const statementTimeout = options.statementTimeout ?? STATEMENT_TIMEOUT;
    this.#batchTimeout = statementTimeout + GRACE;
    this.#waiting = options.waiting ?? WAITING;
    this.#pool = new Pool({
      connectionString: options.url,
      max: options.connections ?? CONNECTIONS,
      connectionTimeoutMillis: options.connectTimeout ?? CONNECT_TIMEOUT,
      idleTimeoutMillis: IDLE_TIMEOUT,
      keepAlive: true,
      application_name: "sextant-registry",
      options: sessionOptions(statementTimeout),
    });
    this.#pool.on("error", (error) =>
      options.log.debug({ reason: error.message }, "idle connection lost"),
    );
    this.#short = new ShortReads({
      connect: () => this.#connect(),
      send: (line, before, calls) => this.#runOn(line, before, calls),
      outdated: () => this.#renew(),
      most: this.#waiting,
    });
    // Between its release and its removal a dying client would otherwise end the process.
    this.#pool.on("connect", (client) => client.on("error", () => undefined));
  }

  /** Connections that are open, and callers that wait for one. */
  get load(): { readonly connections: number; readonly waiting: number } {
    return {
      connections: this.#pool.totalCount,
      waiting: this.#pool.waitingCount + this.#short.waiting,
    };
  }

  /**
   * Runs the calls as one transaction in one round trip, and answers with the rows of each. Rejects with StatementError (rolled
   * back) or ConnectionLostError (not known); a place in StatementError counts the given calls alone.
   */
  async run(scope: Scope, calls: readonly Call[]): Promise<readonly (readonly Row[])[]> {
    try {
      return await this.#runAlone(scope, calls);
    } catch (error) {
      if (!isOutdated(error)) throw error;
      this.#renew();
      return this.#runAlone(scope, calls);
    }
  }

  /**
   * Runs one short read, as `run` does, but together with others of its scope, and on a connection that it shares with those of
   * other scopes. What may take long must not be among them: it would hold up those behind it.
   */
  runShort(scope: Scope, call: ShortCall): Promise<readonly Row[]> {
    return this.#short.run(opening(scope), call);
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  async #runAlone(scope: Scope, calls: readonly Call[]): Promise<readonly (readonly Row[])[]> {
    const client = await this.#connect();
    try {
      const results = await this.#runOn(lineOf(client), opening(scope), calls);
      client.release();
      return results;
    } catch (error) {
      client.release(isSpoilt(error));
      throw error;
    }
  }

  /** Has every statement prepared anew: a migration has changed the result of one meanwhile. */
  #renew(): void {
    this.#age += 1;
    this.#short.retire();
  }

  async #runOn(
    line: Line,
    before: readonly Call[],
    calls: readonly Call[],
  ): Promise<readonly (readonly Row[])[]> {
    if (before.length === 0) return line.run(calls, this.#batchTimeout);
    try {
      const results = await line.run([...before, ...calls], this.#batchTimeout);
      return results.slice(before.length);
    } catch (error) {
      if (!(error instanceof StatementError)) throw error;
      const { sqlState, constraint, statement, message } = error;
      throw new StatementError(sqlState, constraint, statement - before.length, message);
    }
  }

  async #connect(): Promise<PoolClient> {
    if (this.#pool.waitingCount >= this.#waiting) throw tooManyWait();
    try {
      const client = await this.#pool.connect();
      lineOf(client).renew(this.#age);
      return client;
    } catch (error) {
      throw new ConnectionLostError("no connection to the database", error);
    }
  }
}
