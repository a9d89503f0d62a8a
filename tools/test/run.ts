import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { addCounts, type Counts, readReport } from "./report.ts";
import { ROOT } from "./root.ts";
import type { Stage } from "./stages.ts";

/** The same code is loaded by many test files: compiled once, it loads sooner. */
const COMPILED = join(ROOT, "node_modules", ".cache", "compiled");

/** Runs the stages one after the other and answers with the exit code. All run, whatever fails on the way. */
export async function runStages(stages: readonly Stage[]): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "sextant-test-"));
  const begun = performance.now();
  let total: Counts = { passed: 0, failed: 0, skipped: 0 };
  const broken: string[] = [];
  try {
    for (const [index, stage] of stages.entries()) {
      console.log(`\n[${index + 1}/${stages.length}] ${stage.title}`);
      const stageBegun = performance.now();
      const counts = await runStage(stage, join(directory, `${stage.name}.json`));
      const verdict = counts.failed > 0 ? "FAILED" : "ok";
      const tests = stage.counts ? `, ${counts.passed} passed, ${counts.failed} failed` : "";
      console.log(`      ${verdict}${tests} (${seconds(stageBegun)})`);
      if (counts.failed > 0) broken.push(stage.title);
      total = addCounts(total, counts);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(`\nAll stages took ${seconds(begun)}.`);
  if (broken.length > 0) console.log(`Failed: ${broken.join("; ")}.`);
  if (total.skipped > 0) console.log(`${total.skipped} tests were skipped.`);
  const ran = total.passed + total.failed;
  if (ran === 0) console.log("No test ran: nothing matches what was asked for.");
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 || ran === 0 ? 1 : 0;
}

async function runStage(stage: Stage, reportFile: string): Promise<Counts> {
  const [program = "", ...words] = stage.command;
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const child = spawn(program, stage.counts ? [...words, ...reporters] : words, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: { NODE_COMPILE_CACHE: COMPILED, ...process.env, ...stage.environment },
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGTERM", forward).on("SIGINT", forward);
  try {
    const code = await new Promise<number>((resolve) => {
      child.once("error", () => resolve(1));
      child.once("exit", (exitCode) => resolve(exitCode ?? 1));
    });
    if (stage.counts) return readReport(reportFile, code);
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: 0 };
  } finally {
    process.off("SIGTERM", forward).off("SIGINT", forward);
  }
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
