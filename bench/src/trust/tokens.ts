/** Tokens and their holders in bulk, with ids that are known without asking. */
import { Client } from "pg";

const hex = (value: number): string => value.toString(16).padStart(12, "0");
/** The id of a token. */
export const tokenID = (nr: number): string => `70000000-0000-7000-8000-${hex(nr)}`;
/** The runtime that a token is for; each has `perHolder` tokens in a row. */
export const holderID = (nr: number, perHolder: number): string =>
  `80000000-0000-7000-8000-${hex(nr - (nr % perHolder))}`;

let made = 0;

/** Stores so many unused tokens for signing, with their runtimes; gives the number of the first. */
export async function storeTokens(
  database: { readonly url: string; readonly tenant: string },
  count: number,
  perHolder: number,
): Promise<number> {
  const first = Math.ceil(made / perHolder) * perHolder;
  made = first + count;
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const range = [database.tenant, first, first + count - 1];
  await client.query(
    `insert into runtime (tenant_id, id, name, status_condition, status_timestamp)
     select $1, ('80000000-0000-7000-8000-' || lpad(to_hex(nr), 12, '0'))::uuid, 'holder-' || nr, 'INITIAL', now()
     from generate_series($2::bigint, $3::bigint, $4) nr`,
    [...range, perHolder],
  );
  await client.query(
    `insert into one_time_token (tenant_id, id, hash, purpose, consumer_type, consumer_id, expires_at)
     select $1, ('70000000-0000-7000-8000-' || lpad(to_hex(nr), 12, '0'))::uuid, encode(sha256(('token ' || nr)::bytea), 'hex'),
       'SIGNING', 'RUNTIME', ('80000000-0000-7000-8000-' || lpad(to_hex(nr - nr % $4), 12, '0'))::uuid, now() + interval '1 day'
     from generate_series($2::bigint, $3::bigint) nr`,
    [...range, perHolder],
  );
  await client.query("analyze runtime, one_time_token, certificate, certificate_key");
  await client.end();
  return first;
}
