/** Every page of docs/api/stories works as it is written, all of them on one plane. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Agent, request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type BlockOutcome,
  isOutputAsShown,
  readBlocks,
  readyFileOf,
  runBlocks,
} from "../tools/checks/document-commands.ts";
import { endPlanes, type LocalPlane, startPlane } from "./local-plane.ts";

const ROOT = dirname(import.meta.dirname);
const STORIES = "docs/api/stories";
const WITHIN = 60_000;

let plane: LocalPlane;
beforeAll(async () => {
  plane = await startPlane();
});
afterAll(endPlanes);

/** What is left on the plane: a page that does not tidy up would change what the next one sees. */
const LEFT = `{ applications { data { name } } runtimes { data { name } } integrationSystems { data { name } }
  applicationTemplates { data { name } } tenants { id } }`;

async function leftOver(): Promise<unknown> {
  const { publicURL, adminToken, caFile } = plane.file();
  const dispatcher = new Agent({ connect: { ca: readFileSync(caFile) } });
  const answer = await request(`${publicURL}/graphql`, {
    method: "POST",
    dispatcher,
    headers: { "content-type": "application/json", authorization: `Bearer ${adminToken}` },
    body: JSON.stringify({ query: LEFT }),
  });
  const { data } = (await answer.body.json()) as { data: unknown };
  await dispatcher.close();
  return data;
}

describe.each(readdirSync(join(ROOT, STORIES)))("%s", (file) => {
  const blocks = readBlocks(readFileSync(join(ROOT, STORIES, file), "utf8"));
  const run = blocks.filter(({ kind }) => kind === "run");
  let outcomes: BlockOutcome[];
  beforeAll(async () => {
    const { home, port } = plane;
    outcomes = await runBlocks(blocks, {
      root: ROOT,
      environment: { PATH: process.env["PATH"], HOME: process.env["HOME"], SEXTANT_HOME: home },
      replaced: {
        "localhost:8443": `localhost:${port}`,
        "localhost:8444": `localhost:${port + 1}`,
      },
      readyFile: readyFileOf(home),
      within: WITHIN,
    });
  });

  test("has commands", () => {
    expect(run.length).toBeGreaterThan(0);
    expect(blocks.filter(({ kind }) => kind !== "run")).toEqual([]);
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

  test("leaves nothing behind", async () => {
    expect(await leftOver()).toEqual({
      applications: { data: [] },
      runtimes: { data: [] },
      integrationSystems: { data: [] },
      applicationTemplates: { data: [] },
      tenants: [{ id: "default" }],
    });
  });
});
