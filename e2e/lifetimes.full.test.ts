/** A month of certificates of a day each, with days of a minute: an agent never has one that is over, whatever dies meanwhile. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { endPlanes, type LocalPlane, startPlane } from "./local-plane.ts";
import { silent } from "./story/report.ts";
import { anAdminProvisionsARuntime, type ProvisionedRuntime } from "./story/runtime.ts";
import { openStage, type Stage } from "./story/stage.ts";
import { until } from "./story/until.ts";

const SECONDS = 60;
const LIFETIMES = 30;

let plane: LocalPlane;
let stage: Stage;
let runtime: ProvisionedRuntime;
beforeAll(async () => {
  plane = await startPlane({ environment: { SEXTANT_CERTIFICATE_TTL_RUNTIME: String(SECONDS) } });
  stage = await openStage(plane.file(), silent);
  runtime = await anAdminProvisionsARuntime(stage);
});
afterAll(async () => {
  await stage?.close();
  await endPlanes();
});

type Certificate = {
  readonly createdAt: string;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly state: string;
};

const certificates = async (): Promise<readonly Certificate[]> => {
  const answer = await stage.admin.ask<{ runtime: { certificates: { data: Certificate[] } } }>(
    "query ($id: ID!) { runtime(id: $id) { certificates { data { createdAt notBefore notAfter state } } } }",
    { id: runtime.id },
    { quiet: true },
  );
  return answer.runtime.certificates.data.toSorted((a, b) =>
    a.createdAt.localeCompare(b.createdAt),
  );
};

test(
  `of ${LIFETIMES} certificates in a row each is renewed before its end, also when the Connector dies again and again`,
  async () => {
    let killed = 0;
    await until(
      "the lifetimes have passed",
      async () => {
        const all = await certificates();
        if (all.length >= (killed + 1) * 5) {
          killed += 1;
          process.kill(plane.file().services["connector"]?.pid ?? 0, "SIGKILL");
        }
        return all.length > LIFETIMES;
      },
      LIFETIMES * SECONDS * 1_000,
      2_000,
    );
    const all = await certificates();
    expect(killed).toBeGreaterThan(3);
    for (const [at, next] of all.slice(1).entries()) {
      const before = all[at] as Certificate;
      expect(Date.parse(next.createdAt)).toBeLessThan(Date.parse(before.notAfter));
      expect(Date.parse(next.createdAt)).toBeGreaterThan(Date.parse(before.createdAt));
    }
    const complaints = plane
      .output()
      .split("\n")
      .filter((line) => /^\S+ (?:error|fatal) +runtime-agent/.test(line));
    expect(complaints).toEqual([]);
    const { online } = (
      await stage.admin.ask<{ runtime: { online: boolean } }>(
        "query ($id: ID!) { runtime(id: $id) { online } }",
        { id: runtime.id },
      )
    ).runtime;
    expect(online).toBe(true);
  },
  LIFETIMES * SECONDS * 1_000 + 60_000,
);
