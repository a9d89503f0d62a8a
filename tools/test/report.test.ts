import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { addCounts, readReport } from "./report.ts";
import { chooseStages, readArguments } from "./stages.ts";

const directory = mkdtempSync(join(tmpdir(), "sextant-report-"));
afterAll(() => rmSync(directory, { recursive: true }));

function report(...files: { status: string; tests: string[] }[]): string {
  const file = join(directory, "report.json");
  const testResults = files.map(({ status, tests }) => ({
    status,
    assertionResults: tests.map((one) => ({ status: one })),
  }));
  writeFileSync(file, JSON.stringify({ testResults }));
  return file;
}

const stages = (...words: string[]): string[] =>
  chooseStages(readArguments(words)).map(({ name }) => name);

test("every test is counted, and what was skipped is neither passed nor failed", () => {
  const file = report({ status: "failed", tests: ["passed", "failed", "skipped", "todo"] });
  expect(readReport(file, 1)).toEqual({ passed: 1, failed: 1, skipped: 2 });
});

test("a test file that could not be loaded counts as failed", () => {
  const file = report({ status: "passed", tests: ["passed"] }, { status: "failed", tests: [] });
  expect(readReport(file, 1)).toEqual({ passed: 1, failed: 1, skipped: 0 });
});

test("a run that fails without a failed test is no success", () => {
  expect(readReport(report({ status: "passed", tests: ["passed"] }), 1).failed).toBe(1);
  expect(readReport(join(directory, "absent.json"), 1).failed).toBe(1);
});

test("counts add up", () => {
  expect(
    addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 }),
  ).toEqual({ passed: 11, failed: 22, skipped: 33 });
});

test("without a word, everything runs but the stories over containers", () => {
  expect(stages()).toEqual([
    ...["format", "lint", "types", "architecture", "unused", "generated"],
    ...["unit", "service", "story"],
  ]);
});

test("the name of a stage chooses it, anything else filters the tests by path", () => {
  expect(stages("lint", "docker")).toEqual(["lint", "docker"]);
  expect(stages("libs/x509")).toEqual(["unit-service-story"]);
  expect(chooseStages(readArguments(["libs/x509"]))[0]?.command).toContain("libs/x509");
});
