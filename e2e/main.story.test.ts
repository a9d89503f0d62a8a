/** The main story over `npm start`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endPlanes, type LocalPlane, newHome, processesOf, startPlane } from "./local-plane.ts";
import { describeMainStory } from "./story/claims.ts";
import { anExpiredTokenIsRefused, type ExpiredTokens } from "./story/refused-tokens.ts";
import { silent } from "./story/report.ts";
import { openStage } from "./story/stage.ts";
import { type Story, tellStory } from "./story/tell-story.ts";

afterAll(endPlanes);

/** Runs `npm run demo` as a person does. */
async function runDemo(
  home: string,
  ...words: string[]
): Promise<{ code: number; output: string }> {
  const child = spawn("npm", ["run", "demo", "--", ...words], {
    cwd: dirname(import.meta.dirname),
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], SEXTANT_HOME: home },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => void (output += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  return { code, output };
}

describe("the main story over npm start", () => {
  let plane: LocalPlane;
  let story: Story;
  beforeAll(async () => {
    plane = await startPlane();
  });

  describeMainStory(async () => {
    story = await tellStory(plane.file(), silent);
    return story;
  });

  test("no secret is in the plane's log", () => {
    const log = plane.output().replace(/Sextant is ready[\s\S]*?stops everything in order/, "");
    const secrets = [
      plane.file().adminToken,
      story.shop.signingSecret,
      story.pairedByRSA.token.token,
      story.pairedByRSA.configuration.token?.token ?? "",
      "secret-0-",
    ];
    expect(log).toContain("listening");
    for (const secret of secrets) expect(log.includes(secret)).toBe(false);
  });

  test("no error of the services was logged while everything went as it should", () => {
    const errors = plane
      .output()
      .split("\n")
      .filter((line) => /^\S+ (?:error|fatal) /.test(line));
    expect(errors).toEqual([]);
  });

  test("the demo tells it again on the same plane, with what was asked and answered", async () => {
    const { code, output } = await runDemo(plane.home);
    expect(output.split("\n── ").length - 1).toBe(7);
    expect(output).toContain("The shop pairs with an RSA key by curl and openssl");
    expect(output).toContain("mutation ($in: ApplicationRegisterInput!)");
    expect(output).toMatch(/runtime factory-demo-[0-9a-f]{4}, CONNECTED/);
    expect(output).not.toContain(plane.file().adminToken);
    expect(output.split("\n").filter((line) => line.length > 400)).toEqual([]);
    expect(code).toBe(0);
  });

  test("the demo takes away what it has left, and nothing else", async () => {
    const { code, output } = await runDemo(plane.home, "--remove");
    expect(output).toMatch(
      /removed factory-demo-\S+, shop-demo-\S+, warehouse-demo-\S+, catalog-demo-/,
    );
    expect(code).toBe(0);
    expect((await runDemo(plane.home, "--remove")).output).toContain("nothing to remove");
    const stage = await openStage(plane.file(), silent);
    const { application } = await stage.admin.ask<{ application: { name: string } }>(
      "query ($id: ID!) { application(id: $id) { name } }",
      { id: story.shop.id },
    );
    expect(application.name).toBe(story.shop.name);
    await stage.close();
  });

  test("the demo says what to do where no plane runs", async () => {
    const { code, output } = await runDemo(newHome());
    expect(output).toContain("no plane runs in");
    expect(output).toContain("npm start");
    expect(code).toBe(1);
  });

  test("SIGTERM ends everything, agents included", async () => {
    expect(processesOf(plane.home).length).toBeGreaterThan(8);
    expect(await plane.end()).toBe(0);
    expect(processesOf(plane.home)).toEqual([]);
  });
});

describe("a plane whose one-time tokens live for a second", () => {
  let expired: ExpiredTokens;
  beforeAll(async () => {
    const lives = ["RUNTIME", "APPLICATION", "SIGNING"].map((kind) => [
      `SEXTANT_TOKEN_TTL_${kind}`,
      "1",
    ]);
    const plane = await startPlane({ environment: Object.fromEntries(lives) });
    const stage = await openStage(plane.file(), silent);
    expired = await anExpiredTokenIsRefused(stage, 1);
    await stage.close();
    await plane.end();
  });

  test.each(["application", "runtime", "signing"] as const)(
    "refuses a token for %s after that",
    (kind) => {
      expect(expired[kind]).toMatchObject({ status: 401, code: "UNAUTHENTICATED" });
      expect(expired[kind].message).toContain("expired");
    },
  );
});
