import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterEach, describe, expect, test } from "vitest";
import {
  cleanUp,
  killProcess,
  LocalPlane,
  processesOf,
  temporaryDirectory,
  until,
} from "./local-plane.ts";

afterEach(cleanUp);

const newHome = (): string => join(temporaryDirectory(), "plane");

/** Whether a process lives; one that has ended but was not buried yet does not. */
function isAlive(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && !readFileSync(stat, "utf8").includes(") Z ");
}

async function isReady(opsURL: string): Promise<boolean> {
  return fetch(`${opsURL}/readyz`).then(
    (response) => response.ok,
    () => false,
  );
}

describe("a plane that is told to stop", () => {
  test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "by %s ends in order: the door first, the registry last",
    async (signal) => {
      const plane = new LocalPlane({ home: newHome() });
      await plane.ready();
      const postgres = plane.postgres();
      plane.child.kill(signal);
      expect(await plane.exit()).toBe(0);
      expect(plane.events().filter((event) => event.endsWith("ended"))).toEqual([
        "api-gateway ended",
        "runtime-provisioner ended",
        "director ended",
        "connector ended",
        "registry ended",
      ]);
      expect(isAlive(postgres)).toBe(false);
      expect(processesOf(plane.home)).toEqual([]);
    },
  );

  test("by a Ctrl-C that npm passes on as well still ends in order", async () => {
    const plane = new LocalPlane({ home: newHome() });
    await plane.ready();
    plane.child.kill("SIGINT");
    await sleep(20);
    plane.child.kill("SIGINT");
    expect(await plane.exit()).toBe(0);
    expect(plane.events().at(-1)).toBe("registry ended");
  });

  test("twice ends at once", async () => {
    const plane = new LocalPlane({
      home: newHome(),
      environment: { SEXTANT_STAND_IN_STUBBORN: "director" },
    });
    await plane.ready();
    plane.child.kill("SIGTERM");
    await until("the director is asked to end", () =>
      plane.events().includes("runtime-provisioner ended"),
    );
    // Sooner it would be the same Ctrl-C that npm passes on.
    await sleep(600);
    plane.child.kill("SIGINT");
    const begun = Date.now();
    expect(await plane.exit()).toBe(0);
    expect(Date.now() - begun).toBeLessThan(5_000);
    expect(processesOf(plane.home)).toEqual([]);
  });

  test("by the end of who read its output ends all the same, also when it has more to tell", async () => {
    const plane = new LocalPlane({
      home: newHome(),
      environment: { SEXTANT_STAND_IN_STUBBORN: "api-gateway" },
    });
    await plane.ready();
    plane.child.stdout?.destroy();
    // That one ended is told; that another does not is, long after.
    killProcess(plane.file().services["director"]?.pid);
    expect(await plane.exit()).toBe(0);
    expect(plane.events().at(-1)).toBe("registry ended");
    expect(processesOf(plane.home)).toEqual([]);
  });

  test("while it starts leaves nothing", async () => {
    const plane = new LocalPlane({ home: newHome(), environment: { LOG_LEVEL: "debug" } });
    await until("the first service serves", () => plane.stdout.includes("listening"));
    expect(await plane.stop()).toBe(0);
    expect(processesOf(plane.home)).toEqual([]);
    const again = new LocalPlane({ home: plane.home });
    await again.ready();
    await again.stop();
  });
});

describe("a plane whose", () => {
  test("service is killed has it again, under the same address and with a new process", async () => {
    const plane = new LocalPlane({ home: newHome() });
    const before = (await plane.ready()).services["director"];
    killProcess(before?.pid);
    const after = await until("the director is back", () => {
      const now = plane.file().services["director"];
      return now?.pid === before?.pid ? undefined : now;
    });
    expect(after?.opsURL).toBe(before?.opsURL);
    expect(await isReady(after?.opsURL ?? "")).toBe(true);
    expect(plane.events().filter((event) => event.startsWith("director started"))).toHaveLength(2);
    expect(plane.events().filter((event) => event.startsWith("connector started"))).toHaveLength(1);
    await plane.stop();
  });

  test("service keeps dying starts it later each time", async () => {
    const plane = new LocalPlane({ home: newHome(), environment: { LOG_FORMAT: "json" } });
    await plane.ready();
    for (let deaths = 1; deaths <= 3; deaths++) {
      const { pid } = plane.file().services["connector"] ?? {};
      killProcess(pid);
      await until("the connector is back", () => plane.file().services["connector"]?.pid !== pid);
    }
    const delays = plane.stdout.split("\n").flatMap((line) => {
      const { restartIn } = line === "" ? {} : (JSON.parse(line) as { restartIn?: number });
      return restartIn === undefined ? [] : [restartIn];
    });
    expect(delays).toEqual([200, 400, 800]);
    await plane.stop();
  });

  test("PostgreSQL is killed has it again, with its data, and everything reconnects", async () => {
    const plane = new LocalPlane({ home: newHome() });
    const registry = (await plane.ready()).services["registry"];
    const before = plane.postgres();
    killProcess(before);
    await until(
      "PostgreSQL is back",
      () => plane.postgres() !== before && isAlive(plane.postgres()),
    );
    await expect.poll(() => isReady(registry?.opsURL ?? ""), { timeout: 30_000 }).toBe(true);
    expect(isAlive(registry?.pid ?? 0)).toBe(true);
    expect(await plane.stop()).toBe(0);
    const again = new LocalPlane({ home: plane.home });
    await again.ready();
    expect(again.events()).toContain("registry starts 2");
    await again.stop();
  });

  test("PostgreSQL is killed while a statement goes on waits for its memory to be free", async () => {
    const plane = new LocalPlane({ home: newHome() });
    const registry = (await plane.ready()).services["registry"];
    const client = new pg.Client({ connectionString: plane.superuserURL() });
    client.on("error", () => undefined);
    await client.connect();
    // Does not look up from its work before it is done, and holds the dead server's memory until then.
    const long = client
      .query("SELECT count(*) FROM generate_series(1, 20000000)")
      .catch(() => undefined);
    await sleep(200);
    killProcess(plane.postgres());
    await until("the registry sees it", () => plane.stdout.includes("process=postgres code="));
    await expect.poll(() => isReady(registry?.opsURL ?? ""), { timeout: 30_000 }).toBe(true);
    await long;
    expect(await plane.stop()).toBe(0);
  });

  test("PostgreSQL's keeper is killed ends the orphan and has it again", async () => {
    const plane = new LocalPlane({ home: newHome() });
    const registry = (await plane.ready()).services["registry"];
    const orphan = plane.postgres();
    const keeper = Number(
      readFileSync(`/proc/${orphan}/stat`, "utf8").split(") ")[1]?.split(" ")[1],
    );
    killProcess(keeper);
    await until(
      "another server is there",
      () => plane.postgres() > 0 && plane.postgres() !== orphan,
    );
    await expect.poll(() => isReady(registry?.opsURL ?? ""), { timeout: 30_000 }).toBe(true);
    expect(isAlive(orphan)).toBe(false);
    expect(await plane.stop()).toBe(0);
    expect(processesOf(plane.home)).toEqual([]);
  });

  test("supervisor is killed leaves no process, and starts again at once", async () => {
    const plane = new LocalPlane({ home: newHome() });
    await plane.ready();
    expect(processesOf(plane.home).length).toBeGreaterThan(6);
    plane.child.kill("SIGKILL");
    const again = new LocalPlane({ home: plane.home });
    const { publicURL } = await again.ready();
    expect(publicURL).toMatch(/^https:\/\/localhost:\d+$/);
    expect(await again.stop()).toBe(0);
    await until("nothing is left", () => processesOf(plane.home).length === 0);
  });

  test("supervisor is killed leaves no process", async () => {
    const plane = new LocalPlane({ home: newHome() });
    await plane.ready();
    plane.child.kill("SIGKILL");
    await until("nothing is left", () => processesOf(plane.home).length === 0);
    expect(plane.events()).toContain("registry ended");
  });

  test("npm is killed stops in order", async () => {
    const plane = new LocalPlane({
      home: newHome(),
      environment: { npm_lifecycle_event: "start" },
      throughShell: true,
    });
    await plane.ready();
    plane.child.kill("SIGKILL");
    await until("nothing is left", () => processesOf(plane.home).length === 0);
    expect(plane.events().at(-1)).toBe("registry ended");
  });
});
