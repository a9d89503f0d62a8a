/** The plain role that the Registry works as: row-level security holds for it, because it is neither owner nor superuser. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto";
import { Client, escapeIdentifier, escapeLiteral } from "pg";
import { MigrationError } from "./migrate.ts";

const ITERATIONS = 4096;

/** A password as PostgreSQL keeps it (RFC 5803): the password itself is not sent, nor can a server's log hold it. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password.normalize("NFKC"), salt, ITERATIONS, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const storedKey = createHash("sha256").update(hmac("Client Key")).digest("base64");
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString("base64")}$${storedKey}:${hmac("Server Key").toString("base64")}`;
}

/** The URL of the same database for another role. */
export function urlForRole(ownerURL: string, role: string, password: string): string {
  const url = new URL(ownerURL);
  url.username = encodeURIComponent(role);
  url.password = encodeURIComponent(password);
  return url.href;
}

/** Whether the server knows a role of this name. */
export async function roleExists(client: Client, role: string): Promise<boolean> {
  const found = await client.query("select from pg_roles where rolname = $1", [role]);
  return found.rowCount !== 0;
}

/** Makes the role, or gives it this password. `owner` is connected as the owner. */
export async function ensureServiceRole(
  owner: Client,
  role: string,
  password: string,
): Promise<void> {
  const name = escapeIdentifier(role);
  const verb = (await roleExists(owner, role)) ? "alter" : "create";
  // Only a superuser may name the other attributes of a role that exists; verifyServiceRole looks at what they are.
  const attributes = verb === "create" ? "login nosuperuser nocreatedb nocreaterole" : "login";
  try {
    await owner.query(
      `${verb} role ${name} ${attributes} password ${escapeLiteral(scramVerifier(password))}`,
    );
    await owner.query(`alter role ${name} set statement_timeout = '15s'`);
  } catch (error) {
    if ((error as { code?: string }).code !== "42501") throw error;
    const user = await owner.query<{ current_user: string }>("select current_user");
    const ownerRole = user.rows[0]?.current_user ?? "";
    throw new MigrationError(
      `the role ${ownerRole} of DATABASE_URL may not ${verb} the role ${role}: let an administrator run "alter role ${escapeIdentifier(ownerRole)} createrole", or make a plain role and name it in DATABASE_SERVICE_URL`,
    );
  }
}

/** Gives the role its rights, and no more than these. */
export async function grantRights(owner: Client, role: string): Promise<void> {
  const name = escapeIdentifier(role);
  await owner.query(`
    grant connect on database ${escapeIdentifier(String(owner.database))} to ${name};
    grant usage on schema public to ${name};
    grant select, insert, update, delete on all tables in schema public to ${name};
    revoke all on sextant_migration from ${name};
    revoke update, delete on audit_entry, audit_chain, audit_object from ${name};
    revoke update on audit_unchained from ${name};
    revoke update on content from ${name};
    grant update (created_at) on content to ${name};
    revoke update on plan from ${name};
    grant update (content) on plan to ${name};
    revoke insert, delete on feed from ${name};
    grant usage on sequence revocation_list_number to ${name};
  `);
}

/** Refuses to work as a role, or on tables, for which row-level security would not hold. */
export async function verifyServiceRole(url: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const role = await client.query<{
      name: string;
      superuser: boolean;
      bypasses: boolean;
      owns: boolean;
    }>(
      `select rolname as name, rolsuper as superuser, rolbypassrls as bypasses,
         exists (select from pg_class
                 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                   and pg_has_role(current_user, relowner, 'member')) as owns
       from pg_roles where rolname = current_user`,
    );
    const found = role.rows[0];
    if (found === undefined || found.superuser || found.bypasses || found.owns) {
      throw new MigrationError(
        `the service's role ${found?.name ?? ""} is a superuser, bypasses row-level security or owns the tables, so that tenants would not be apart: name a plain role in DATABASE_SERVICE_URL, or leave it out and let the Registry make one`,
      );
    }
    const open = await client.query<{ relname: string }>(
      `select relname from pg_class join pg_attribute on attrelid = pg_class.oid and attname = 'tenant_id'
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and not (relrowsecurity and relforcerowsecurity)`,
    );
    if (open.rows.length > 0) {
      const tables = open.rows.map(({ relname }) => relname).join(", ");
      throw new MigrationError(
        `row-level security is not forced on ${tables}: restore it (alter table … force row level security)`,
      );
    }
  } finally {
    await client.end();
  }
}
