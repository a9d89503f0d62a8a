/** A tenant with far more than 100,000 objects, made by the database itself; and how the database finds what is asked of it. */
import { Client } from "pg";
import type { TestDatabase } from "./database.ts";
import type { Statement } from "./registry.ts";

/** Applications and runtimes of one group. */
const GROUPS = 200;

const labels = (kind: "application" | "runtime"): string => `
  insert into label (tenant_id, kind, object_id, key, value)
    select tenant_id, '${kind}', id, key, value from (select *, row_number() over (order by id) as nr from ${kind} where tenant_id = :tenant) o,
      lateral (values ('group', '["g' || (nr % ${GROUPS}) || '"]'), ('zone', '"z' || (nr % 1000) || '"'), ('common', '"yes"')) l (key, value);
  insert into label_element (tenant_id, kind, object_id, key, element)
    select tenant_id, kind, object_id, key, case key when 'group' then substr(value, 2, length(value) - 2) else value end
    from label where tenant_id = :tenant and kind = '${kind}';`;

const seed = (many: number): string => `
  insert into application (tenant_id, id, name, status_condition, status_timestamp)
    select :tenant, uuidv7(), 'application-' || nr, 'CONNECTED', now() from generate_series(1, ${many}) nr;
  insert into runtime (tenant_id, id, name, status_condition, status_timestamp, last_seen)
    select :tenant, uuidv7(), 'runtime-' || nr, 'CONNECTED', now(), now() from generate_series(1, ${many}) nr;
  insert into sync_state (tenant_id, id, desired_revision, applied_revision, applied, ready)
    select tenant_id, id, 1, 1, true, true from runtime where tenant_id = :tenant;
  ${labels("application")}
  ${labels("runtime")}
  insert into label_definition (tenant_id, id, key)
    select :tenant, uuidv7(), key from (select 'key' || generate_series(1, 900) union all select unnest(array['group', 'zone', 'common'])) k (key);
  insert into runtime_context (tenant_id, id, runtime_id, key, value)
    select tenant_id, uuidv7(), id, 'tenant', name from runtime where tenant_id = :tenant;
  insert into webhook (tenant_id, id, application_id, type, url, signing_secret)
    select tenant_id, uuidv7(), id, 'CONFIGURATION_CHANGED', 'https://x.example', 'sealed' from application where tenant_id = :tenant;
  insert into delivery (tenant_id, id, webhook_id, type, body, state, attempts)
    select tenant_id, uuidv7(), id, 'configuration.changed', '{}', 'DELIVERED', 1 from webhook where tenant_id = :tenant;
  insert into health_probe (tenant_id, id, url, failures, attempts)
    select tenant_id, id, 'https://x.example', 0, 0 from application where tenant_id = :tenant;
  insert into system_auth (tenant_id, id, application_id, hash, auth)
    select tenant_id, uuidv7(), id, encode(sha256(convert_to(id::text, 'UTF8')), 'hex'), 'sealed' from application where tenant_id = :tenant;
  insert into plan (tenant_id, id, runtime_id, plan_revision, hash, content, cause)
    select tenant_id, uuidv7(), id, 1, 'hash', 'sealed', 'seed' from runtime where tenant_id = :tenant;
  insert into stale_runtime (tenant_id, id, version, cause, attempts)
    select tenant_id, id, 1, 'seed', 1 from runtime where tenant_id = :tenant;
  insert into bundle (tenant_id, id, application_id, name)
    select tenant_id, uuidv7(), id, 'bundle' from application where tenant_id = :tenant;
  insert into bundle (tenant_id, id, application_id, name)
    select :tenant, uuidv7(), (select min(id::text)::uuid from application where tenant_id = :tenant), 'bundle' from generate_series(1, 5000);
  insert into api_definition (tenant_id, id, application_id, bundle_id, name, target_url)
    select tenant_id, uuidv7(), application_id, id, 'api', 'https://x.example' from bundle where tenant_id = :tenant;
  insert into api_definition (tenant_id, id, application_id, bundle_id, name, target_url)
    select :tenant, uuidv7(), b.application_id, b.id, 'api', 'https://x.example'
    from generate_series(1, 5000), (select * from bundle where tenant_id = :tenant order by id limit 1) b;
  insert into event_definition (tenant_id, id, application_id, bundle_id, name)
    select tenant_id, uuidv7(), application_id, id, 'event' from bundle where tenant_id = :tenant;
  insert into document (tenant_id, id, application_id, bundle_id, title, display_name, description, format)
    select tenant_id, uuidv7(), application_id, id, 'document', 'document', 'document', 'MARKDOWN' from bundle where tenant_id = :tenant;
  insert into fetch_request (tenant_id, id, application_id, api_definition_id, url, mode, status_condition, status_timestamp, attempts)
    select tenant_id, uuidv7(), application_id, id, 'https://x.example', 'SINGLE', 'SUCCEEDED', now(), 1 from api_definition where tenant_id = :tenant;
  insert into bundle_instance_auth (tenant_id, id, application_id, bundle_id, runtime_id, status_condition, status_timestamp, status_message, status_reason)
    select :tenant, uuidv7(), b.application_id, b.id, r.id, 'PENDING', now(), '', ''
    from (select *, row_number() over (order by id) as nr from bundle where tenant_id = :tenant) b
    join (select *, row_number() over (order by id) as nr from runtime where tenant_id = :tenant) r using (nr);
  insert into health_check (tenant_id, id, type, condition, origin, timestamp, latest)
    select tenant_id, uuidv7(), 'MANAGEMENT_PLANE_APPLICATION_HEALTHCHECK', 'SUCCEEDED', id, now(), true from application where tenant_id = :tenant;
  insert into health_check (tenant_id, id, type, condition, origin, runtime_id, timestamp, latest)
    select tenant_id, uuidv7(), 'RUNTIME_HEALTHCHECK', 'SUCCEEDED', id, id, now(), true from runtime where tenant_id = :tenant;
  insert into audit_entry (tenant_id, id, actor_type, actor_id, action, objects, outcome, error_code)
    select tenant_id, uuidv7(), 'USER', 'somebody-' || (nr % 100), 'registerApplication', json_build_array(json_build_object('kind', 'application', 'id', id))::text,
      case when nr % 50 = 0 then 'REFUSED' else 'SUCCEEDED' end, case when nr % 50 = 0 then 'FORBIDDEN' end
    from (select *, row_number() over (order by id) as nr from application where tenant_id = :tenant) a;
  insert into audit_object (tenant_id, object_id, entry_id)
    select tenant_id, (objects::json -> 0 ->> 'id')::uuid, id from audit_entry where tenant_id = :tenant and action = 'registerApplication';
`;

/** A node of a plan, as PostgreSQL tells it. */
export type PlanNode = {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly Plans?: readonly PlanNode[];
};

/** See {@link makeLargeTenant}. */
export type LargeTenant = {
  /** The first column of the first row, as the superuser sees it. `:tenant` is the tenant. */
  one(sql: string): Promise<string>;
  /**
   * All nodes of the plan by which a statement would be carried out, by the role, in the session and under the row-level security
   * that the Registry works with: made for these values (`known`), or for whatever values come (`any`).
   */
  nodesOf(statement: Statement, made: "known" | "any"): Promise<readonly PlanNode[]>;
  /**
   * Carries a statement out as the Registry's role and takes it back: how many rows it touched itself, and which tables were read
   * from end to end for it, by what it sets off as well.
   */
  trial(sql: string): Promise<{
    readonly rows: number;
    readonly milliseconds: number;
    readonly scanned: readonly string[];
  }>;
  close(): Promise<void>;
};

function withAllBelow(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap((below) => withAllBelow(below))];
}

/**
 * Fills a tenant with `many` objects of each of the larger kinds. References are not checked one by one: they are right by how the
 * rows are made.
 */
export async function makeLargeTenant(
  database: Pick<TestDatabase, "superuserURL" | "serviceURL">,
  tenant: string,
  many = 20_000,
): Promise<LargeTenant> {
  const superuser = new Client({ connectionString: database.superuserURL });
  const service = new Client({
    connectionString: database.serviceURL,
    // As the sessions of the Registry are.
    options: "-c jit=off -c random_page_cost=1.1",
  });
  await superuser.connect();
  await service.connect();
  const close = async (): Promise<void> => {
    await superuser.end();
    await service.end();
  };
  const ofTenant = (sql: string): string => sql.replaceAll(":tenant", `'${tenant}'::uuid`);
  try {
    await superuser.query("set session_replication_role = replica");
    await superuser.query(ofTenant(seed(many)));
    await superuser.query("set session_replication_role = origin");
    await superuser.query("vacuum analyze");
    // What was written for it is not to be waited for by who is measured.
    await superuser.query("checkpoint");
    await service.query("select set_config('app.tenant', $1, false)", [tenant]);
  } catch (error) {
    await close();
    throw error;
  }
  const literal = (value: string | null): string =>
    value === null ? "null" : service.escapeLiteral(value);
  return {
    one: async (sql) => {
      const { rows } = await superuser.query<string[]>({ text: ofTenant(sql), rowMode: "array" });
      return String(rows[0]?.[0]);
    },
    nodesOf: async (statement, made) => {
      const mode = made === "known" ? "force_custom_plan" : "force_generic_plan";
      await service.query(`set plan_cache_mode = ${mode}`);
      await service.query(`prepare asked as ${statement.text}`);
      try {
        const values = statement.values.map((value) => literal(value)).join(", ");
        const { rows } = await service.query<{ "QUERY PLAN": readonly { Plan: PlanNode }[] }>(
          `explain (format json) execute asked${values === "" ? "" : `(${values})`}`,
        );
        return rows.flatMap((row) => row["QUERY PLAN"]).flatMap(({ Plan }) => withAllBelow(Plan));
      } finally {
        await service.query("deallocate asked");
      }
    },
    trial: async (sql) => {
      // What came before no longer counts.
      await service.query("select pg_stat_force_next_flush()");
      await service.query("begin");
      try {
        const start = performance.now();
        const { rowCount } = await service.query(ofTenant(sql));
        const milliseconds = performance.now() - start;
        const { rows } = await service.query<{ name: string }>(
          "select relname as name from pg_stat_xact_user_tables where seq_scan > 0 order by relname",
        );
        return { rows: rowCount ?? 0, milliseconds, scanned: rows.map(({ name }) => name) };
      } finally {
        await service.query("rollback");
      }
    },
    close,
  };
}
