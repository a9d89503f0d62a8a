import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeEach, expect, test } from "vitest";
import { takeLock } from "./lock.ts";

const directory = mkdtempSync(join(tmpdir(), "sextant-lock-"));
const file = join(directory, "lock");
const refuse = (pid: number): never => {
  throw new Error(`held by ${pid}`);
};

beforeEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(directory, { recursive: true }));

test("a lock that a living process holds is refused, with its id", () => {
  const lock = takeLock(file, refuse);
  expect(lock.wasHeldByTheDead).toBe(false);
  expect(() => takeLock(file, refuse)).toThrow(`held by ${process.pid}`);
  lock.release();
  takeLock(file, refuse).release();
});

test("a lock of a process that was killed is taken over", async () => {
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  await once(child, "spawn");
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  writeFileSync(file, JSON.stringify({ pid: child.pid, boot, started: fields[19] }));
  expect(() => takeLock(file, refuse)).toThrow(`held by ${child.pid}`);

  child.kill("SIGKILL");
  await once(child, "exit");
  const lock = takeLock(file, refuse);
  expect(lock.wasHeldByTheDead).toBe(true);
  lock.release();
});

test("a lock of another process that had the same id is taken over", () => {
  takeLock(file, refuse);
  const holder = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...holder, boot: "before the machine was started anew" }));
  expect(takeLock(file, refuse).wasHeldByTheDead).toBe(true);
});

test("a lock that makes no sense is taken over", () => {
  writeFileSync(file, "");
  expect(takeLock(file, refuse).wasHeldByTheDead).toBe(true);
});

test("a lock that somebody else has taken over meanwhile is not released", () => {
  const lock = takeLock(file, refuse);
  writeFileSync(file, "another's");
  lock.release();
  expect(readFileSync(file, "utf8")).toBe("another's");
});
