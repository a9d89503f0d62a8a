import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createLogger } from "@sextant/logging";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type FollowedFiles, followFiles } from "./follow-files.ts";

let directory: string;
let file: string;
let followed: FollowedFiles<string> | undefined;
const logged: string[] = [];
const log = createLogger(
  { service: "test", level: "info", format: "json" },
  { write: (line) => void logged.push(line) },
);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sextant-follow-"));
  file = join(directory, "file");
  writeFileSync(file, "first");
  logged.length = 0;
});
afterEach(() => {
  followed?.close();
  rmSync(directory, { recursive: true });
});

const follow = (): FollowedFiles<string> =>
  (followed = followFiles({
    what: "the file",
    paths: [file],
    read: () => readFileSync(file, "utf8"),
    log,
  }));
const until = (what: () => boolean) => vi.waitUntil(what, { timeout: 10_000 });

it("what is new is told to those who use it, each time", async () => {
  const used: string[] = [];
  const { current, onChange } = follow();
  onChange(current(), (value) => used.push(value));
  writeFileSync(file, "second");
  await until(() => used.length === 1);
  writeFileSync(file, "third");
  await until(() => used.length === 2);
  expect(used).toEqual(["second", "third"]);
  expect(current()).toBe("third");
});

it("who has taken what was there before it changed is told at once", async () => {
  const { current, onChange } = follow();
  const taken = current();
  writeFileSync(file, "second");
  await until(() => current() === "second");
  const used: string[] = [];
  onChange(taken, (value) => used.push(value));
  expect(used).toEqual(["second"]);
});

it("a file that cannot even be looked at changes nothing, until it can be read again", async () => {
  const { current, isCurrent } = follow();
  rmSync(file);
  symlinkSync(file, file);
  await until(() => !isCurrent());
  expect(current()).toBe("first");
  expect(logged.join()).toContain("the last good ones stay in use");
  rmSync(file);
  writeFileSync(file, "second");
  await until(isCurrent);
  expect(current()).toBe("second");
});
