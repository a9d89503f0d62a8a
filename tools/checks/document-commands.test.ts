import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isOutputAsShown, readBlocks, runBlocks } from "./document-commands.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "sextant-document-"));
  writeFileSync(join(root, "ready"), "");
});
afterAll(() => rmSync(root, { recursive: true }));

const fence = "```";
const run = (markdown: string) =>
  runBlocks(readBlocks(markdown), {
    ...{ root, readyFile: join(root, "ready"), within: 10_000 },
    environment: { PATH: process.env["PATH"] },
    replaced: { "the-port": "4711" },
  });

test("the blocks of a document are its commands, with what they must print", () => {
  const markdown = [
    ...["# Title", "", `${fence}sh`, "npm start", fence, "", `${fence}sh`, "echo 1", fence],
    ...["prints", `${fence}text output`, "1", fence, `${fence}json`, "{}", fence],
    ...[`${fence}sh no-run`, "docker-compose up", fence],
  ].join("\n");
  expect(readBlocks(markdown)).toEqual([
    { line: 4, text: "npm start", output: undefined, kind: "terminal" },
    { line: 8, text: "echo 1", output: "1", kind: "run" },
    { line: 18, text: "docker-compose up", output: undefined, kind: "left-out" },
  ]);
});

test("an output without commands before it, and a block without an end, are faults of the document", () => {
  expect(() => readBlocks(`${fence}text output\n1\n${fence}`)).toThrow("follows no commands");
  expect(() => readBlocks(`${fence}sh\necho`)).toThrow("no end");
});

test("the blocks share one shell, and each has its own output", async () => {
  const outcomes = await run(
    `${fence}sh\nname=the-port\n${fence}\n${fence}sh\necho "$name" >&2\n${fence}\n`,
  );
  expect(outcomes.map(({ output, succeeded }) => ({ output, succeeded }))).toEqual([
    { output: "", succeeded: true },
    { output: "4711\n", succeeded: true },
  ]);
});

test("a command that fails ends the run, also in the middle of a pipe", async () => {
  const outcomes = await run(
    `${fence}sh\necho a\nfalse | cat\necho b\n${fence}\n${fence}sh\necho c\n${fence}\n`,
  );
  expect(outcomes.map(({ output, succeeded }) => ({ output, succeeded }))).toEqual([
    { output: "a\n", succeeded: false },
    { output: undefined, succeeded: false },
  ]);
});

test("a command that only works in a script fails, because readers type", async () => {
  const [outcome] = await run(`${fence}sh\necho "mutation ($id: ID!) { x }"\n${fence}\n`);
  expect(outcome?.succeeded).toBe(false);
});

test("what is shown must be all that is printed, but for white space and what an ellipsis stands for", () => {
  expect(isOutputAsShown('{ "id": "…" }', '{"id":"4711"}\n')).toBe(true);
  expect(isOutputAsShown("a.c", "abc")).toBe(false);
  expect(isOutputAsShown("a", "a b")).toBe(false);
  expect(isOutputAsShown("(1) …", "(1) 2\n3")).toBe(true);
});
