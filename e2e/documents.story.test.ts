/** What documents tell a reader to type works, and prints what they show. */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BlockOutcome,
  isOutputAsShown,
  readBlocks,
  readyFileOf,
  runBlocks,
} from "../tools/checks/document-commands.ts";
import { endPlanes, freePortPair, newHome, processesOf } from "./local-plane.ts";

const ROOT = dirname(import.meta.dirname);
const WITHIN = 120_000;

afterAll(endPlanes);

describe.each(["README.md", "docs/first-steps.md"])("%s", (file) => {
  const blocks = readBlocks(readFileSync(join(ROOT, file), "utf8"));
  const run = blocks.filter(({ kind }) => kind === "run");
  let home: string;
  let outcomes: BlockOutcome[];
  beforeAll(async () => {
    home = newHome();
    const port = await freePortPair();
    outcomes = await runBlocks(blocks, {
      root: ROOT,
      environment: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        SEXTANT_HOME: home,
        SEXTANT_PORT: String(port),
      },
      replaced: {
        ".sextant/": `${home}/`,
        "localhost:8443": `localhost:${port}`,
        "localhost:8444": `localhost:${port + 1}`,
      },
      readyFile: readyFileOf(home),
      within: WITHIN,
    });
  });

  test("starts a plane and has commands to try on it", () => {
    expect(blocks.filter(({ kind }) => kind === "terminal")).toHaveLength(1);
    expect(run.length).toBeGreaterThan(0);
  });

  test.each(run.map(({ line, text }, index) => [line, text.trim().split("\n")[0], index] as const))(
    "line %i works: %s",
    (_line, _text, index) => {
      const outcome = outcomes[index];
      expect(outcome).toMatchObject({ succeeded: true });
      const shown = outcome?.block.output;
      // As one value, so that a failure shows both.
      const asShown = shown === undefined || isOutputAsShown(shown, outcome?.output ?? "");
      expect(asShown ? "" : `printed:\n${outcome?.output}\nshown:\n${shown}`).toBe("");
    },
  );

  test("leaves no process behind", () => {
    expect(processesOf(home)).toEqual([]);
  });
});
