import { randomBytes } from "node:crypto";
import { silentLogger } from "@sextant/logging";
import { createTestDatabase, type TestDatabase, testServerURL } from "@sextant/testkit";
import { Client } from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { migrate, MIGRATIONS_DIRECTORY, readMigrations } from "../src/database/migrate.ts";
import { prepareDatabase } from "../src/database/prepare.ts";
import { scramVerifier, urlForRole } from "../src/database/service-role.ts";

let test: TestDatabase;
let superuser: Client;
const roles: string[] = [];

beforeEach(async () => {
  test = await createTestDatabase();
  superuser = new Client({ connectionString: test.superuserURL });
  await superuser.connect();
});
afterEach(async () => {
  await superuser.end();
  await test.close();
  const server = new Client({ connectionString: testServerURL() });
  await server.connect();
  for (const role of roles.splice(0)) await server.query(`drop role if exists ${role}`);
  await server.end();
});

/** A role and an empty schema for it, as an operator would hand over a database. */
async function owner(options: string): Promise<string> {
  const name = `test_owner_${randomBytes(4).toString("hex")}`;
  await superuser.query(`create role ${name} login ${options} password 'x'`);
  await superuser.query("drop schema public cascade");
  await superuser.query(`create schema public authorization ${name}`);
  await superuser.query(`alter database ${String(superuser.database)} owner to ${name}`);
  roles.push(name);
  return urlForRole(test.superuserURL, name, "x");
}

const asOwner = async (run: (client: Client) => Promise<void>): Promise<void> => {
  const client = new Client({ connectionString: test.ownerURL });
  await client.connect();
  try {
    await run(client);
  } finally {
    await client.end();
  }
};

describe("a database", () => {
  it("is prepared by several processes at once as by one, and again without change", async () => {
    const ownerURL = await owner("createrole");
    const settings = { ownerURL, serviceURL: undefined, servicePassword: () => "the password" };
    roles.unshift(`${String(superuser.database)}_service`);
    const urls = await Promise.all([1, 2, 3].map(() => prepareDatabase(settings, silentLogger)));
    expect(new Set(urls).size).toBe(1);
    const migrations = await superuser.query("select name from sextant_migration order by name");
    expect(migrations.rows.map((row: { name: string }) => row.name)).toEqual(
      readMigrations(MIGRATIONS_DIRECTORY).map(({ name }) => name),
    );
    await prepareDatabase(settings, silentLogger);
    const service = new Client({ connectionString: String(urls[0]) });
    await service.connect();
    const timeout = await service.query("show statement_timeout");
    expect(timeout.rows).toEqual([{ statement_timeout: "15s" }]);
    await service.end();
  });

  it("whose owner may not make a role is refused, with what to do", async () => {
    const ownerURL = await owner("");
    await expect(
      prepareDatabase(
        { ownerURL, serviceURL: undefined, servicePassword: () => "p" },
        silentLogger,
      ),
    ).rejects.toThrow(
      /"alter role "test_owner_\w+" createrole", or make a plain role and name it in DATABASE_SERVICE_URL/,
    );
  });

  it("that a newer version made is refused, and stays as it is", async () => {
    await asOwner(async (client) => {
      await client.query(
        "insert into sextant_migration (name, checksum) values ('29990101000000_future', 'x')",
      );
      await expect(
        migrate(client, readMigrations(MIGRATIONS_DIRECTORY), silentLogger),
      ).rejects.toThrow(
        "made by a newer version of Sextant (it has the migration 29990101000000_future)",
      );
    });
  });

  it("is refused when a migration was changed after it had been applied", async () => {
    await asOwner(async (client) => {
      const [first, ...rest] = readMigrations(MIGRATIONS_DIRECTORY);
      const changed = [{ ...first!, checksum: "other" }, ...rest];
      await expect(migrate(client, changed, silentLogger)).rejects.toThrow(
        `the migration ${first!.name} is not the one`,
      );
    });
  });

  it("has nothing of a migration that failed", async () => {
    await asOwner(async (client) => {
      const broken = {
        name: "29990101000000_broken",
        sql: "create table half (id uuid); select 1/0",
        checksum: "c",
      };
      const migrations = [...readMigrations(MIGRATIONS_DIRECTORY), broken];
      await expect(migrate(client, migrations, silentLogger)).rejects.toThrow("division by zero");
      const found = await client.query(
        "select to_regclass('half') as half, (select count(*)::int from sextant_migration) as applied",
      );
      expect(found.rows).toEqual([{ half: null, applied: migrations.length - 1 }]);
    });
  });
});

describe("a connection that the server refuses for good", () => {
  it("is explained by the setting that can mend it", async () => {
    const prepare = (ownerURL: string, serviceURL?: string) =>
      prepareDatabase({ ownerURL, serviceURL, servicePassword: () => "p" }, silentLogger);
    const nowhere = test.ownerURL.replace(/sextant_test_[0-9a-f]+$/, "nowhere");
    await expect(prepare(nowhere)).rejects.toThrow(
      "has no database nowhere: create it, or check DATABASE_URL",
    );
    const nobody = urlForRole(test.ownerURL, "nobody_here", "x");
    await expect(prepare(test.ownerURL, nobody)).rejects.toThrow(
      "nobody_here of DATABASE_SERVICE_URL does not exist: create it",
    );
  });
});

describe("a password", () => {
  it("goes to the server as a verifier that holds it for nobody but its owner", async () => {
    const name = `test_role_${randomBytes(4).toString("hex")}`;
    await superuser.query(`create role ${name} login password '${scramVerifier("pässword ü")}'`);
    roles.push(name);
    await superuser.query(`grant connect on database ${String(superuser.database)} to ${name}`);
    const stored = await superuser.query<{ rolpassword: string }>(
      "select rolpassword from pg_authid where rolname = $1",
      [name],
    );
    expect(stored.rows[0]?.rolpassword).toMatch(/^SCRAM-SHA-256\$4096:/);
    const client = new Client({
      connectionString: urlForRole(test.superuserURL, name, "pässword ü"),
    });
    await client.connect();
    await client.end();
  });
});
