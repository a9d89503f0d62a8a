/** The chain of audit entries: nothing is skipped, and whatever is done to it is found. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@sextant/logging";
import { createIDSource, recordNote } from "@sextant/registry-client";
import { createTestDatabase, type TestDatabase } from "@sextant/testkit";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CommandError, runAuditCommand, verifyFile } from "../src/audit/audit.command.ts";
import { AuditRepository, BATCH } from "../src/audit/audit.repository.ts";
import { startChain } from "../src/audit/chain.ts";
import { Database } from "../src/database/database.ts";
import { createRegistry, type RegistryCore } from "../src/registry.ts";

const newID = createIDSource(Date.now);
let test: TestDatabase;
let database: Database;
let core: RegistryCore;
let repository: AuditRepository;
let superuser: Client;
let tenant: string;
let folder: string;
beforeAll(async () => {
  test = await createTestDatabase();
  database = new Database({ url: test.serviceURL, log: silentLogger, connections: 8 });
  core = createRegistry({ database, log: silentLogger });
  repository = new AuditRepository(database);
  superuser = new Client({ connectionString: test.superuserURL });
  await superuser.connect();
});
afterAll(async () => {
  await core.close();
  await database.close();
  await superuser.end();
  await test.close();
});
beforeEach(() => {
  tenant = newID();
  folder = mkdtempSync(join(tmpdir(), "sextant-audit-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Acts of the tenant, as entries of the log. */
async function acts(count: number, of = tenant, action = "test"): Promise<void> {
  const registry = core.registryFor("director");
  const one = (place: number) =>
    recordNote({ registry, newID }, of, { type: "USER", id: `u${place}` }, action, {
      code: "FORBIDDEN",
      objects: [{ kind: "application", id: newID() }],
    });
  for (let from = 0; from < count; from += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, count - from) }, (_, at) => one(from + at)),
    );
}
async function chainAll(): Promise<void> {
  while ((await repository.chainSome()) !== "all");
}
async function command(...words: string[]): Promise<{ whole: boolean; lines: string[] }> {
  const lines: string[] = [];
  const whole = await runAuditCommand(repository, words, { line: (text) => lines.push(text) });
  return { whole, lines };
}
const verify = async (...more: string[]) => {
  const { whole, lines } = await command("verify", "--tenant", tenant, ...more);
  expect(whole).toBe(!lines.join("\n").includes("broken"));
  return lines.join("\n").replace(/^\(gone\) \S+: /, "");
};
const file = (name: string, lines: readonly string[]): string => {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
};

describe("the chain", () => {
  it("has every entry once, without a gap, however many processes make it at the same time as acts come", async () => {
    const [other, count] = [newID(), BATCH + 100];
    const chains = [1, 2, 3].map(() =>
      startChain({ repository: new AuditRepository(database), log: silentLogger, every: 5 }),
    );
    await Promise.all([acts(count), acts(50, other)]);
    await expect
      .poll(async () => (await repository.head(tenant))?.position, { timeout: 10_000 })
      .toBe(count);
    await Promise.all(chains.map((chain) => chain.close()));
    await chainAll();
    expect(await verify()).toBe(`whole, ${count} entries`);
    expect((await repository.head(other))?.position).toBe(50);
    const { rows } = await superuser.query("select count(*)::int as left from audit_unchained");
    expect(rows).toEqual([{ left: 0 }]);
  });

  it("takes up an entry that becomes visible after later ones", async () => {
    const late = new Client({ connectionString: test.superuserURL });
    await late.connect();
    const id = newID();
    await late.query("begin");
    await late.query(
      "insert into audit_entry (tenant_id, id, actor_type, actor_id, action, objects) values ($1, $2, 'USER', 'u', 'late', '[]')",
      [tenant, id],
    );
    await late.query("insert into audit_unchained (tenant_id, entry_id) values ($1, $2)", [
      tenant,
      id,
    ]);
    await acts(3);
    await chainAll();
    expect((await repository.head(tenant))?.position).toBe(3);
    await late.query("commit");
    await late.end();
    await chainAll();
    expect((await repository.chained(tenant, 3)).map((link) => link.id)).toEqual([id]);
    expect(await verify()).toBe("whole, 4 entries");
  });

  it("cannot be written but at its end, nor its entries changed, by the service's own role", async () => {
    await acts(2);
    await chainAll();
    for (const text of [
      "update audit_entry set action = 'x'",
      "delete from audit_entry",
      "truncate audit_entry",
      "update audit_chain set hash = repeat('0', 64)",
      "delete from audit_chain",
      "truncate audit_chain",
    ]) {
      for (const scope of [{ tenant }, { queue: "audit" }] as const)
        await expect(database.run(scope, [{ text, values: [] }])).rejects.toMatchObject({
          sqlState: "42501",
        });
    }
    const forged = {
      text: "insert into audit_chain (tenant_id, position, entry_id, hash) values ($1::uuid, 9, $1::uuid, repeat('0', 64))",
      values: [tenant],
    };
    await expect(database.run({ tenant }, [forged])).rejects.toMatchObject({ sqlState: "42501" });
  });
});

describe("verification finds", () => {
  const tamper = async (sql: string): Promise<void> => {
    await superuser.query(sql.replaceAll("$T", `'${tenant}'`));
  };
  const at = (position: number) =>
    `(select entry_id from audit_chain where tenant_id = $T and position = ${position})`;
  beforeEach(async () => {
    await acts(10);
    await chainAll();
  });

  it("each field of an entry that was changed, and nothing when all is as it was", async () => {
    const fields = {
      created_at: "created_at + interval '1 microsecond'",
      actor_type: "'APPLICATION'",
      actor_id: "'nobody'",
      actor_name: "'x'",
      address: "'192.0.2.1'",
      request_id: "'x'",
      action: "'x'",
      objects: "'[]'",
      error_code: "'INTERNAL'",
      times: "2",
    };
    await tamper("create table kept as select * from audit_entry where tenant_id = $T");
    for (const [field, value] of Object.entries(fields)) {
      const only = `where e.tenant_id = $T and e.id = ${at(4)}`;
      await tamper(`update audit_entry e set ${field} = ${value} ${only}`);
      expect([field, await verify()]).toEqual([
        field,
        expect.stringMatching(/^broken: the entry \S+ at position 4 was changed/),
      ]);
      await tamper(
        `update audit_entry e set ${field} = kept.${field} from kept ${only} and kept.id = e.id`,
      );
      expect([field, await verify()]).toEqual([field, "whole, 10 entries"]);
    }
    await tamper("drop table kept");
  });

  it("an entry that is gone, also together with its place", async () => {
    await tamper(`delete from audit_entry where tenant_id = $T and id = ${at(7)}`);
    expect(await verify()).toMatch(/^broken: the entry \S+ at position 7 is missing/);
    await tamper("delete from audit_chain where tenant_id = $T and position = 7");
    expect(await verify()).toBe("broken: position 7 is missing: the chain goes on with 8");
  });

  it("entries that have changed places", async () => {
    await tamper(
      "create table swap as select * from audit_chain where tenant_id = $T and position in (2, 3)",
    );
    await tamper("delete from audit_chain where tenant_id = $T and position in (2, 3)");
    await tamper(
      "insert into audit_chain select tenant_id, 5 - position, entry_id, hash, created_at from swap",
    );
    await tamper("drop table swap");
    expect(await verify()).toMatch(
      /^broken: the entry \S+ at position 2 was changed, or is not the one/,
    );
  });

  it("one that was put in outside the chain, and one that was removed before it came in", async () => {
    await tamper(
      `insert into audit_entry (tenant_id, id, actor_type, actor_id, action, objects) values ($T, '${newID()}', 'USER', 'u', 'x', '[]')`,
    );
    expect(await verify()).toMatch(/^broken: the entry \S+ is in no place of the chain/);
    await tamper(
      `delete from audit_entry e where tenant_id = $T and not exists (select from audit_chain c where c.entry_id = e.id)`,
    );
    await acts(1);
    await tamper(
      `delete from audit_entry e where tenant_id = $T and not exists (select from audit_chain c where c.entry_id = e.id)`,
    );
    await chainAll();
    expect(await verify()).toMatch(
      /^broken: the entry \S+ at position 11 was removed before it was chained/,
    );
  });

  it("a tail that was cut off, and a chain that was made anew, by the head that was kept", async () => {
    const { lines } = await command("heads", "--tenant", tenant);
    const heads = file("heads", lines);
    expect(JSON.parse(String(lines[0]))).toMatchObject({ tenantID: tenant, position: 10 });
    expect(await verify("--heads", heads)).toBe("whole, 10 entries");
    await acts(1);
    await chainAll();
    expect(await verify("--heads", heads)).toBe("whole, 11 entries");
    await tamper(`delete from audit_entry where tenant_id = $T and id in (${at(10)}, ${at(11)})`);
    await tamper("delete from audit_chain where tenant_id = $T and position >= 10");
    expect(await verify()).toBe("whole, 9 entries");
    expect(await verify("--heads", heads)).toMatch(
      /^broken: the chain ends at position 9, before 10/,
    );
    await acts(1);
    await chainAll();
    expect(await verify("--heads", heads)).toMatch(/^broken: position 10 is another than was kept/);
    await tamper("delete from audit_entry where tenant_id = $T");
    await tamper("delete from audit_chain where tenant_id = $T");
    const all = await command("verify", "--heads", heads);
    expect([all.whole, all.lines.join("\n")]).toEqual([
      false,
      expect.stringContaining(`${tenant}: broken: 10 entries were kept`),
    ]);
  });

  it("what was changed in an export, which is verified without the database", async () => {
    const { lines } = await command("export", "--tenant", tenant);
    expect(lines).toHaveLength(10);
    expect(JSON.parse(String(lines[0]))).toMatchObject({
      position: 1,
      tenantID: tenant,
      actorID: expect.stringMatching(/^u\d$/),
      outcome: "REFUSED",
      objects: [{ kind: "application", change: "refused" }],
      previous: "0".repeat(64),
    });
    const seen: string[] = [];
    const check = (name: string, given: readonly string[]) =>
      verifyFile(file(name, given), { line: (text) => seen.push(text) });
    expect(check("all", lines)).toBe(true);
    const part = (await command("export", "--tenant", tenant, "--after", "6")).lines;
    expect(part).toHaveLength(4);
    expect(check("part", part)).toBe(true);
    expect(
      check(
        "changed",
        lines.map((line) => line.replace('"actorID":"u3"', '"actorID":"u33"')),
      ),
    ).toBe(false);
    expect(check("missing", lines.toSpliced(4, 1))).toBe(false);
    expect(seen).toEqual([
      "whole: positions 1 to 10, from the beginning",
      "whole: positions 7 to 10",
      expect.stringMatching(/^broken: the entry \S+ at position \d+ was changed/),
      "broken: position 5 is missing: the chain goes on with 6",
    ]);
    const none = await command("export", "--tenant", tenant, "--since", "2999-01-01T00:00:00Z");
    expect(none.lines).toEqual([]);
  });
});

describe("the command", () => {
  it("says what it does not understand", async () => {
    for (const words of [
      [],
      ["verify", "--x", "1"],
      ["verify", "tenant"],
      ["export"],
      ["heads", "--tenant", "nobody"],
      ["export", "--tenant", "nobody", "--since", "soon"],
    ])
      await expect(command(...words)).rejects.toBeInstanceOf(CommandError);
  });
});
