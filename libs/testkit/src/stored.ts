/** Everything that a database holds, as text: for tests of what must not be in it, or must not change. */
import { Client } from "pg";
import type { TestDatabase } from "./database.ts";

/** All rows of all tables, one a line with its table's name; of one tenant when it is given. */
export async function storedRows(
  database: Pick<TestDatabase, "superuserURL">,
  tenant?: string,
): Promise<readonly string[]> {
  const client = new Client({ connectionString: database.superuserURL });
  await client.connect();
  try {
    const tables = await client.query<{ name: string; walled: boolean }>(
      `select c.relname as name, exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as walled
       from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind = 'r' order by 1`,
    );
    const lines: string[] = [];
    for (const { name, walled } of tables.rows) {
      if (tenant !== undefined && !walled) continue;
      const where = tenant === undefined ? "" : "where tenant_id = $1";
      const rows = await client.query<{ row: string }>(
        `select to_json(t)::text as row from "${name}" t ${where} order by 1`,
        tenant === undefined ? [] : [tenant],
      );
      lines.push(...rows.rows.map(({ row }) => `${name} ${row}`));
    }
    return lines;
  } finally {
    await client.end();
  }
}

/** Tells the planner what the tables hold, as PostgreSQL does by itself every minute where it is not told to leave that. */
export async function analyze(database: Pick<TestDatabase, "superuserURL">): Promise<void> {
  const client = new Client({ connectionString: database.superuserURL });
  await client.connect();
  await client.query("analyze");
  await client.end();
}
