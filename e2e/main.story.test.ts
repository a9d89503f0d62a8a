/** The main story over `npm start`. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endPlanes, type LocalPlane, processesOf, startPlane } from "./local-plane.ts";
import { describeMainStory } from "./story/claims.ts";
import { anExpiredTokenIsRefused, type ExpiredTokens } from "./story/refusals.ts";
import { silent } from "./story/report.ts";
import { openStage } from "./story/stage.ts";
import { type Story, tellStory } from "./story/tell-story.ts";

afterAll(endPlanes);

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

  test("the story can be told again on the same plane", async () => {
    const again = await tellStory(plane.file(), silent);
    expect(again.shop.id).not.toBe(story.shop.id);
    expect(again.runtime.ended.state).toBe("Succeeded");
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
