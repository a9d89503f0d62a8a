/** Runs commands as a person would, in a directory of the story. */
import { spawn, spawnSync } from "node:child_process";
import type { Report } from "./report.ts";

/** Runs a program and answers with its standard output. Throws with what it said when it fails. */
export type Shell = (
  words: readonly [string, ...string[]],
  options?: { readonly input?: string; readonly quiet?: boolean },
) => Promise<string>;

/** Throws a clear message when one of the programs is not there. */
export function requirePrograms(...programs: readonly string[]): void {
  const missing = programs.filter(
    (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).error !== undefined,
  );
  if (missing.length > 0)
    throw new Error(`install ${missing.join(" and ")}: the story pairs as a person does, by hand`);
}

/** Makes a shell for one directory. */
export function createShell(directory: string, report: Report): Shell {
  return async (words, { input, quiet = false } = {}) => {
    const [program, ...rest] = words;
    const child = spawn(program, rest, { cwd: directory, stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let faults = "";
    child.stdout.on("data", (chunk: Buffer) => void (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (faults += chunk.toString()));
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (!quiet) report.command({ words, output: code === 0 ? output : output + faults });
    if (code !== 0) throw new Error(`${program} failed (${code}): ${faults || output}`);
    return output;
  };
}
