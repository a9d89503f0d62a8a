/**
 * The commands of a document, run as a reader would run them: all `sh` blocks in order in one bash at the repository's root.
 * Words behind `sh` mark a block: `no-run` is left out. A block that is just `npm start` keeps running in a terminal of its own
 * until the document ends; the others wait until the plane is ready. A block with the word `output` shows what the block before it
 * prints: white space does not count, and `…` stands for anything.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** One block of commands. */
export interface CommandBlock {
  /** Number of its first line in the document. */
  readonly line: number;
  readonly text: string;
  /** What it must print; undefined when the document does not say. */
  readonly output: string | undefined;
  readonly kind: "run" | "terminal" | "left-out";
}

/** What became of a block. */
export interface BlockOutcome {
  readonly block: CommandBlock;
  /** Undefined when it was never reached. */
  readonly output: string | undefined;
  /** Whether every command in it succeeded. */
  readonly succeeded: boolean;
}

/** Finds the blocks of a Markdown text. Throws when a block of output follows no commands. */
export function readBlocks(markdown: string): CommandBlock[] {
  const blocks: CommandBlock[] = [];
  let open: { info: string[]; line: number; lines: string[]; fence: string } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    const fence = /^(`{3,}|~{3,})\s*(.*)$/.exec(text);
    if (open === undefined) {
      if (fence !== null)
        open = {
          fence: fence[1] ?? "",
          info: (fence[2] ?? "").split(/\s+/),
          line: index + 2,
          lines: [],
        };
    } else if (text.trim() === open.fence) {
      take(blocks, open.info, open.lines.join("\n"), open.line);
      open = undefined;
    } else open.lines.push(text);
  }
  if (open !== undefined) throw new Error(`the block at line ${open.line} has no end`);
  return blocks;
}

function take(blocks: CommandBlock[], info: readonly string[], text: string, line: number): void {
  const [language, ...words] = info;
  if (words.includes("output")) {
    const before = blocks.pop();
    if (before === undefined || before.kind !== "run" || before.output !== undefined)
      throw new Error(`the output at line ${line} follows no commands`);
    blocks.push({ ...before, output: text });
    return;
  }
  if (language !== "sh") return;
  const isPlane = text.trim() === "npm start";
  const kind = words.includes("no-run") ? "left-out" : isPlane ? "terminal" : "run";
  blocks.push({ line, text, output: undefined, kind });
}

/** Whether a block printed what the document shows. */
export function isOutputAsShown(shown: string, printed: string): boolean {
  const bare = (text: string): string => text.replaceAll(/\s+/g, "");
  const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const pattern = bare(shown).split("…").map(literal).join(".*");
  return new RegExp(`^${pattern}$`, "s").test(bare(printed));
}

/** Where and how a document is run. */
export interface RunOptions {
  /** The repository's root. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What the document says and what it is replaced by, such as a directory and a port. */
  readonly replaced: Readonly<Record<string, string>>;
  /** A file that is there as long as the plane serves. */
  readonly readyFile: string;
  /** Milliseconds after which it is given up. */
  readonly within: number;
}

const MARK = "\u001e";

/** Runs the blocks and answers with what each printed. What runs in a terminal of its own is ended before. */
export async function runBlocks(
  blocks: readonly CommandBlock[],
  options: RunOptions,
): Promise<BlockOutcome[]> {
  const replace = (text: string): string =>
    Object.entries(options.replaced).reduce((so, [from, to]) => so.replaceAll(from, to), text);
  const terminals: ChildProcess[] = [];
  try {
    for (const block of blocks)
      if (block.kind === "terminal") terminals.push(await startTerminal(block.text, options));
    const chosen = blocks.filter(({ kind }) => kind === "run");
    const script = chosen
      .map(({ text }, index) => `printf '${MARK}%s\\n' ${index}\n${replace(text)}\n`)
      .join("");
    // Readers have an interactive shell, in which an exclamation mark in double quotes means something else.
    const printed = await runBash(
      // One stream for both, or they would overtake each other.
      `exec 2>&1\nset -euo pipefail -o history -o histexpand\n${script}printf '${MARK}end'\n`,
      options,
    );
    const [, ...parts] = printed.split(MARK);
    return chosen.map((block, index) => {
      const output = parts[index]?.slice(String(index).length + 1);
      return {
        block: block.output === undefined ? block : { ...block, output: replace(block.output) },
        output,
        // The next mark is only printed when every command before it succeeded.
        succeeded: parts.length > index + 1 && output?.includes("event not found") !== true,
      };
    });
  } finally {
    for (const terminal of terminals) await end(terminal);
  }
}

async function runBash(script: string, { root, environment, within }: RunOptions): Promise<string> {
  const child = spawn("bash", ["--noprofile", "--norc"], {
    cwd: root,
    env: environment,
    stdio: ["pipe", "pipe", "inherit"],
    // A group of its own, so that what it leaves in the background ends with it.
    detached: true,
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  const closed = new Promise((resolve) => child.once("close", resolve));
  const timer = setTimeout(() => killGroup(child, "SIGKILL"), within);
  child.stdin.end(script);
  await new Promise((resolve) => child.once("exit", resolve));
  clearTimeout(timer);
  // What was left in the background would keep the stream open; what was printed before may still be on its way.
  killGroup(child, "SIGKILL");
  await closed;
  return output;
}

async function startTerminal(
  command: string,
  { root, environment, readyFile, within }: RunOptions,
): Promise<ChildProcess> {
  const child = spawn("bash", ["-c", `exec ${command}`], {
    cwd: root,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  const end = Date.now() + within;
  while (!existsSync(readyFile)) {
    if (child.exitCode !== null || Date.now() > end)
      throw new Error(`"${command}" did not become ready:\n${output}`);
    await sleep(50);
  }
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGTERM");
  await ended;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    // Nothing of it is left.
  }
}

/** The file that is there as long as a plane serves. */
export const readyFileOf = (home: string): string => join(home, "plane.json");
