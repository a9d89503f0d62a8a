import { existsSync, readFileSync } from "node:fs";

/** How many checks and tests did what. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The sum of two counts. */
export function addCounts(one: Counts, other: Counts): Counts {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
  };
}

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

/**
 * Counts the tests in vitest's JSON report. A test file that could not even be loaded counts as one failed test, and so does a
 * run that failed without saying where: a broken run must never count as a passed one.
 */
export function readReport(file: string, exitCode: number): Counts {
  if (!existsSync(file)) return { passed: 0, failed: exitCode === 0 ? 0 : 1, skipped: 0 };
  const { testResults } = JSON.parse(readFileSync(file, "utf8")) as Report;
  const statuses = testResults.flatMap(({ status, assertionResults }) => {
    const inside = assertionResults.map((one) => one.status);
    return status === "failed" && !inside.includes("failed") ? [...inside, "failed"] : inside;
  });
  const count = (status: string): number => statuses.filter((one) => one === status).length;
  const passed = count("passed");
  const failed = count("failed");
  return {
    passed,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: statuses.length - passed - failed,
  };
}
