import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { cleanUp, LocalPlane, NAMELESS, processesOf, temporaryDirectory } from "./local-plane.ts";

const isRoot = process.getuid?.() === 0;
/** Whether an ordinary user reaches the clone that these tests are in. */
const isOpen =
  !import.meta.dirname.startsWith(homedir()) || (statSync(homedir()).mode & 0o001) !== 0;

afterEach(cleanUp);

function listen(): Promise<{ port: number; close(): void }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve({
        port: typeof address === "object" ? (address?.port ?? 0) : 0,
        close: () => server.close(),
      });
    });
  });
}

describe("a plane that starts", () => {
  test("says where everything is, and its second start finds the first one's data", async () => {
    const home = join(temporaryDirectory(), "plane");
    const first = new LocalPlane({ home });
    const file = await first.ready();

    const said = first.stdout.slice(first.stdout.indexOf("Sextant is ready"));
    for (const fact of [
      file.publicURL,
      file.mtlsURL,
      `${file.publicURL}/graphql`,
      file.adminToken,
      "npm run demo",
    ]) {
      expect(said).toContain(fact);
    }
    expect(said).toMatch(/CA fingerprint\s+(?:[0-9A-F]{2}:){31}[0-9A-F]{2}/);
    expect(said).toMatch(/tenant\s+default/);
    expect(file).toMatchObject({ tenant: "default", caFile: join(home, "ca.pem") });
    expect(statSync(join(home, "plane.json")).mode & 0o777).toBe(0o600);
    expect(Object.keys(file.services).toSorted()).toEqual([
      "api-gateway",
      "connector",
      "director",
      "registry",
      "runtime-provisioner",
    ]);
    for (const { opsURL, pid } of Object.values(file.services)) {
      expect((await fetch(`${opsURL}/readyz`)).status).toBe(200);
      expect(pid).toBeGreaterThan(1);
    }
    expect(await first.stop()).toBe(0);
    expect(existsSync(join(home, "plane.json"))).toBe(false);
    expect(processesOf(home)).toEqual([]);

    const second = new LocalPlane({ home });
    expect((await second.ready()).adminToken).toBe(file.adminToken);
    expect(second.events()).toContain("registry starts 2");
    await second.stop();
  });

  test("gives database credentials to the registry alone", async () => {
    const plane = new LocalPlane({ home: join(temporaryDirectory(), "plane") });
    await plane.ready();
    const withDatabase = plane.events().filter((event) => event.endsWith("database=true"));
    expect(withDatabase).toEqual(["registry started database=true"]);
    await plane.stop();
  });

  test("logs nothing but JSON when it is told to, and no token in it", async () => {
    const plane = new LocalPlane({
      home: join(temporaryDirectory(), "plane"),
      environment: { LOG_FORMAT: "json", LOG_LEVEL: "debug" },
    });
    const { adminToken } = await plane.ready();
    await plane.stop();
    const lines = plane.stdout.trim().split("\n");
    const services = new Set(
      lines.map((line) => (JSON.parse(line) as { service: string }).service),
    );
    expect(services).toContain("registry");
    expect(services).toContain("supervisor");
    expect(plane.stdout).not.toContain(adminToken);
  });

  test("meets inside at Unix sockets, and at the loopback address where their paths would be too long", async () => {
    const near = new LocalPlane({ home: join(temporaryDirectory(), "plane") });
    await near.ready();
    const [start = ""] = readdirSync(join(near.home, "run"));
    const sockets = join(near.home, "run", start);
    expect(readdirSync(sockets).toSorted()).toEqual(
      ["connector", "director", "registry", "runtime-provisioner"].map((name) => `${name}.sock`),
    );
    expect(statSync(sockets).mode & 0o777).toBe(0o700);
    expect(near.environmentOf("director")).toContain(
      `SEXTANT_LISTEN=unix:${join(sockets, "director.sock")}`,
    );
    expect(await near.stop()).toBe(0);

    const far = new LocalPlane({ home: join(temporaryDirectory(), "x".repeat(90), "plane") });
    await far.ready();
    expect(far.environmentOf("director")).toContain("SEXTANT_LISTEN=127.0.0.1:");
    expect(await far.stop()).toBe(0);
  });

  test("stands beside another one", async () => {
    const planes = [0, 1].map(() => new LocalPlane({ home: join(temporaryDirectory(), "plane") }));
    const [one, other] = await Promise.all(planes.map((plane) => plane.ready()));
    expect(one?.publicURL).not.toBe(other?.publicURL);
    expect(await Promise.all(planes.map((plane) => plane.stop()))).toEqual([0, 0]);
  });

  test.skipIf(!isRoot)("works for root below a directory that nobody else may enter", async () => {
    const plane = new LocalPlane({ home: join(temporaryDirectory(undefined, homedir()), "plane") });
    await plane.ready();
    // Whoever PostgreSQL runs as, it is not root as PostgreSQL sees it, and no user was added for it.
    expect(plane.events()).toContain("registry starts 1");
    expect(await plane.stop()).toBe(0);
  });

  test.skipIf(!isRoot || !isOpen)(
    "runs PostgreSQL as a user of its own where that user can reach it",
    async () => {
      const home = temporaryDirectory();
      chmodSync(home, 0o755);
      const plane = new LocalPlane({ home });
      await plane.ready();
      expect(statSync(`/proc/${plane.postgres()}`).uid).toBeGreaterThan(60_000);
      expect(statSync(join(home, "keys")).mode & 0o777).toBe(0o700);
      expect(await plane.stop()).toBe(0);
    },
  );

  test.skipIf(!isRoot || !isOpen)("works for an ordinary user that has no name", async () => {
    const home = join(temporaryDirectory(NAMELESS), "plane");
    const plane = new LocalPlane({ home, as: NAMELESS });
    await plane.ready();
    expect(statSync(`/proc/${plane.postgres()}`).uid).toBe(NAMELESS.uid);
    expect(await plane.stop()).toBe(0);
  });
});

describe("a plane that cannot start says why in one message, and leaves nothing behind:", () => {
  async function refusal(options: ConstructorParameters<typeof LocalPlane>[0]): Promise<string> {
    const plane = new LocalPlane(options);
    expect(await plane.exit()).toBe(1);
    // At most that it starts: no service came as far as a word.
    expect(plane.stdout.replace(/^.* starting .*\n/, "")).toBe("");
    expect(processesOf(options.home)).toEqual([]);
    return plane.stderr;
  }

  test("a taken port", async () => {
    const { port, close } = await listen();
    const directory = temporaryDirectory();
    const home = join(directory, "plane");
    const said = await refusal({ home, environment: { SEXTANT_PORT: String(port) } });
    close();
    expect(said).toContain(`port ${port} on 127.0.0.1 is taken`);
    expect(said).toContain("SEXTANT_PORT=<port>");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a taken mTLS port", async () => {
    const { port, close } = await listen();
    const home = join(temporaryDirectory(), "plane");
    const said = await refusal({ home, environment: { SEXTANT_MTLS_PORT: String(port) } });
    close();
    expect(said).toContain("SEXTANT_MTLS_PORT=<port>");
  });

  test("an address that is not this machine's", async () => {
    const home = join(temporaryDirectory(), "plane");
    expect(await refusal({ home, environment: { SEXTANT_HOST: "192.0.2.1" } })).toContain(
      "no address of this machine",
    );
  });

  test("wrong settings, all of them at once", async () => {
    const directory = temporaryDirectory();
    const said = await refusal({
      home: join(directory, "plane"),
      environment: {
        SEXTANT_PORT: "70000",
        LOG_FORMAT: "xml",
        DATABASE_URL: "mysql://x",
        SEXTANT_PUBLIC_URL: "http://x",
      },
    });
    for (const setting of ["SEXTANT_PORT", "LOG_FORMAT", "DATABASE_URL", "SEXTANT_PUBLIC_URL"]) {
      expect(said).toContain(setting);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  test.skipIf(!isRoot || !isOpen)("a directory that is not writable", async () => {
    const home = join(temporaryDirectory(), "plane");
    const said = await refusal({ home, as: NAMELESS });
    expect(said).toContain(`${home} is not writable`);
    expect(said).toContain("SEXTANT_HOME");
  });

  test("a directory that is a file", async () => {
    const home = join(temporaryDirectory(), "plane");
    writeFileSync(home, "");
    expect(await refusal({ home })).toContain("is not a directory");
  });

  test("data of a newer version", async () => {
    const home = temporaryDirectory();
    writeFileSync(join(home, "version"), "99.0.0\n");
    const said = await refusal({ home });
    expect(said).toContain("made by Sextant 99.0.0");
    expect(readdirSync(home)).toEqual(["version"]);
  });

  test("data of another PostgreSQL", async () => {
    const home = temporaryDirectory();
    mkdirSync(join(home, "postgres", "data"), { recursive: true });
    writeFileSync(join(home, "postgres", "data", "PG_VERSION"), "19\n");
    expect(await refusal({ home })).toContain("was made by PostgreSQL 19");
  });

  test("a DATABASE_URL that leads nowhere", async () => {
    const { port, close } = await listen();
    close();
    const home = join(temporaryDirectory(), "plane");
    const said = await refusal({
      home,
      environment: { DATABASE_URL: `postgresql://u:secret@127.0.0.1:${port}/d` },
    });
    expect(said).toContain("ECONNREFUSED");
    expect(said).not.toContain("secret");
  });

  test("a home that another plane has", async () => {
    const home = join(temporaryDirectory(), "plane");
    const first = new LocalPlane({ home });
    await first.ready();
    const second = new LocalPlane({ home });
    expect(await second.exit()).toBe(1);
    expect(second.stderr).toContain(`running in ${home} already (process ${first.child.pid})`);
    expect(await first.stop()).toBe(0);
  });

  test("a service that gives up", async () => {
    const home = join(temporaryDirectory(), "plane");
    const plane = new LocalPlane({ home, environment: { SEXTANT_STAND_IN_FAILS: "director" } });
    expect(await plane.exit()).toBe(1);
    expect(plane.stderr).toContain("director could not start: the stand-in was told to fail");
    expect(existsSync(join(home, "plane.json"))).toBe(false);
    expect(processesOf(home)).toEqual([]);
  });
});

test("an existing PostgreSQL is used instead of the embedded one", async () => {
  const server = new URL(process.env["TEST_DATABASE_URL"] ?? "");
  const name = `plane_${process.pid}`;
  const { default: pg } = await import("pg");
  const admin = new pg.Client({ connectionString: server.href });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  const home = join(temporaryDirectory(), "plane");
  server.pathname = name;
  const plane = new LocalPlane({ home, environment: { DATABASE_URL: server.href } });
  await plane.ready();
  expect(plane.events()).toContain("registry starts 1");
  expect(existsSync(join(home, "postgres"))).toBe(false);
  expect(await plane.stop()).toBe(0);
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
});
