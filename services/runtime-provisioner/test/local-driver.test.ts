import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@sextant/logging";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLocalDriver, type LocalDriver } from "../src/driver/local-driver.ts";

const agent = join(import.meta.dirname, "fixtures/agent.ts");
const host = join(import.meta.dirname, "fixtures/host.ts");
let folder: string;
let driver: LocalDriver;
const open = (): LocalDriver => createLocalDriver({ folder, agent, log: silentLogger });

beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "sextant-runtimes-")), "runtimes");
  driver = open();
});
afterEach(async () => {
  await driver.close();
  rmSync(join(folder, ".."), { recursive: true, force: true });
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const startsOf = (id: string): number[] => {
  const file = join(folder, id, "agent", "starts");
  return existsSync(file) ? readFileSync(file, "utf8").trim().split("\n").map(Number) : [];
};
const running = async (id: string, after = 0): Promise<number> => {
  await expect.poll(() => startsOf(id).length, { timeout: 10_000 }).toBeGreaterThan(after);
  return startsOf(id).at(-1) as number;
};
const gone = (pid: number) => expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
const injected = (id: string, TOKEN: string) => ({
  CONNECTOR_URL: "https://plane.example",
  RUNTIME_ID: id,
  TENANT: "t",
  TOKEN,
  CA_PIN: "sha256//x",
});
const made = async (by = driver, token = "one"): Promise<string> => {
  const id = randomUUID();
  await by.resume();
  await by.create({ id, name: "a runtime", parameters: { logLevel: "debug" } });
  await by.inject(id, injected(id, token));
  return id;
};

describe("a runtime of the driver `local`", () => {
  it("is a process that has what was injected, and nothing of the provisioner's own", async () => {
    process.env["SECRET_OF_THE_PROVISIONER"] = "secret";
    const id = await made();
    expect(await driver.observe(id)).toBe("stopped");
    await driver.start(id);
    await running(id);
    delete process.env["SECRET_OF_THE_PROVISIONER"];
    expect(await driver.observe(id)).toBe("running");
    await expect.poll(() => existsSync(join(folder, id, "agent", "environment"))).toBe(true);
    expect(JSON.parse(readFileSync(join(folder, id, "agent", "environment"), "utf8"))).toEqual({
      TOKEN: "one",
      RUNTIME_ID: id,
      LOG_LEVEL: "debug",
    });
    expect(statSync(join(folder, id, "runtime.json")).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, id, "agent")).mode & 0o777).toBe(0o700);
  });

  it("that dies is started again", async () => {
    const id = await made();
    await driver.start(id);
    const first = await running(id);
    process.kill(first, "SIGKILL");
    const second = await running(id, 1);
    expect(second).not.toBe(first);
    expect(isAlive(second)).toBe(true);
  });

  it("that is started twice runs once", async () => {
    const id = await made();
    await Promise.all([driver.start(id), driver.start(id)]);
    await running(id);
    await driver.start(id);
    await expect.poll(() => startsOf(id).filter((pid) => isAlive(pid)).length).toBe(1);
  });

  it("that is injected anew loses what its agent had kept", async () => {
    const id = await made();
    await driver.start(id);
    const first = await running(id);
    writeFileSync(join(folder, id, "agent", "certificate"), "old");
    await driver.inject(id, injected(id, "two"));
    expect(isAlive(first)).toBe(false);
    expect(existsSync(join(folder, id, "agent", "certificate"))).toBe(false);
    await driver.start(id);
    await running(id);
    expect(readFileSync(join(folder, id, "agent", "environment"), "utf8")).toContain("two");
  });

  it("that is removed leaves nothing, also when it will not end or is just being started", async () => {
    const id = await made();
    writeFileSync(join(folder, id, "stubborn"), "");
    await driver.start(id);
    const pid = await running(id);
    // The start has to end the stubborn one first, which takes longer than the removal waits to be asked.
    const starting = driver.start(id);
    await Promise.all([starting, driver.remove(id)]);
    await gone(pid);
    expect(existsSync(join(folder, id))).toBe(false);
    expect(await driver.observe(id)).toBe("absent");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(existsSync(join(folder, id))).toBe(false);
    await driver.remove(id);
  });

  it("is never outside its folder, whatever it is called", async () => {
    for (const id of ["..", "../x", "", "a"]) {
      await expect(driver.create({ id, name: "x", parameters: {} })).rejects.toThrow(
        "a runtime's id is a UUID",
      );
      await expect(driver.remove(id)).rejects.toThrow("a runtime's id is a UUID");
    }
  });
});

describe("a provisioner that ends", () => {
  it("ends its agents, and the next one starts those that ran and no others", async () => {
    const [ran, stopped] = [await made(), await made()];
    await driver.start(ran);
    const first = await running(ran);
    await driver.close();
    await gone(first);
    const next = open();
    await next.resume();
    expect(await running(ran, 1)).not.toBe(first);
    expect(startsOf(stopped)).toEqual([]);
    await next.close();
    await expect.poll(() => startsOf(ran).some((pid) => isAlive(pid))).toBe(false);
  });

  it("by a kill leaves no agent, and the next one resumes", async () => {
    const id = await made();
    await driver.start(id);
    await running(id);
    await driver.close();
    const process_ = spawn(process.execPath, [host, folder, agent], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(process_.stdout, "data");
    const pid = await running(id, 1);
    process_.kill("SIGKILL");
    await once(process_, "exit");
    await gone(pid);
    const next = open();
    await next.resume();
    expect(isAlive(await running(id, 2))).toBe(true);
    await next.close();
  });
});
