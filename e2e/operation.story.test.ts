/** What operators meet: processes that die, planes that stop and start again, planes side by side. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endPlanes, killProcess, type LocalPlane, processesOf, startPlane } from "./local-plane.ts";
import {
  anAdminRegistersTheShopWithAWebhook,
  type RegisteredApplication,
  theShopPairsWithAnECKeyByCurlAndOpenssl,
} from "./story/application.ts";
import type { Plan } from "./story/plans.ts";
import { silent } from "./story/report.ts";
import { anAdminProvisionsARuntime, type ProvisionedRuntime } from "./story/runtime.ts";
import { openStage, type Stage } from "./story/stage.ts";
import { until } from "./story/until.ts";
import { startTraffic, type Traffic } from "./traffic.ts";

afterAll(endPlanes);

const SERVICES = [
  "registry",
  "director",
  "connector",
  "api-gateway",
  "runtime-provisioner",
] as const;

interface Cast {
  readonly plane: LocalPlane;
  readonly stage: Stage;
  readonly shop: RegisteredApplication;
  readonly runtime: ProvisionedRuntime;
}

/** A plane with an application and a provisioned runtime that see each other. */
async function castOf(plane: LocalPlane): Promise<Cast> {
  const stage = await openStage(plane.file(), silent);
  const shop = await anAdminRegistersTheShopWithAWebhook(stage);
  const runtime = await anAdminProvisionsARuntime(stage);
  return { plane, stage, shop, runtime };
}

const planFile = ({ plane, runtime }: Pick<Cast, "plane" | "runtime">): string =>
  join(plane.home, "runtimes", runtime.id, "agent", "plan.json");

const planOf = (cast: Pick<Cast, "plane" | "runtime">): Plan =>
  JSON.parse(readFileSync(planFile(cast), "utf8")) as Plan;

/** Changes the application until that is acknowledged, and waits for the change in the agent's directory. */
async function changeReachesTheAgent(cast: Cast, key: string): Promise<void> {
  const { stage, shop } = cast;
  await until(
    `the plane takes the change ${key}`,
    () =>
      stage.admin
        .ask(
          "mutation ($id: ID!, $key: String!) { setApplicationLabel(applicationID: $id, key: $key, value: true) { key } }",
          { id: shop.id, key },
          { quiet: true },
        )
        .then(() => true)
        .catch(() => false),
    40_000,
    100,
  );
  await until(
    `the change ${key} reaches the agent`,
    () => JSON.stringify(planOf(cast).applications).includes(`"${key}":true`),
    40_000,
  );
}

/** Process ids of the agents of a plane. */
const agentsOf = (plane: LocalPlane): number[] =>
  processesOf(plane.home).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("agents/runtime-agent");
    } catch {
      return false;
    }
  });

async function labelsOf({ stage, shop }: Cast): Promise<Record<string, unknown>> {
  const { application } = await stage.admin.ask<{
    application: { labels: Record<string, unknown> };
  }>("query ($id: ID!) { application(id: $id) { labels } }", { id: shop.id });
  return application.labels;
}

describe("a process that is killed while the plane is used", () => {
  let cast: Cast;
  let traffic: Traffic;
  beforeAll(async () => {
    cast = await castOf(await startPlane());
    traffic = startTraffic(cast.stage.admin, cast.shop.id);
  });
  afterAll(async () => {
    await traffic.stop();
    await cast.stage.close();
    await cast.plane.end();
  });

  test.each(SERVICES)("%s comes back, and a change reaches the agent", async (name) => {
    const before = cast.plane.file().services[name];
    const doneBefore = traffic.done();
    killProcess(before?.pid);
    const after = await until(`${name} is started again`, () => {
      const now = cast.plane.file().services[name];
      return now?.pid !== undefined && now.pid !== before?.pid && now;
    });
    await until(`${name} is ready`, async () => {
      const reply = await fetch(`${after.opsURL}/readyz`).catch(() => undefined);
      return reply?.status === 200;
    });
    await changeReachesTheAgent(cast, `killed_${name.replaceAll("-", "_")}`);
    await until("the traffic goes on", () => traffic.done() > doneBefore + 10);
  });

  test("a provisioning that the provisioner's death interrupts ends Succeeded all the same", async () => {
    const { stage, plane } = cast;
    const { provisionRuntime: operation } = await stage.admin.ask<{
      provisionRuntime: { id: string };
    }>("mutation ($config: ProvisionRuntimeInput!) { provisionRuntime(config: $config) { id } }", {
      config: { name: stage.name("interrupted"), driver: "local" },
    });
    const stateOf = async (): Promise<{ state: string; stage: string }> => {
      const answer = await stage.admin.ask<{
        runtimeOperationStatus: { state: string; stage: string };
      }>("query ($id: String!) { runtimeOperationStatus(id: $id) { state stage } }", {
        id: operation.id,
      });
      return answer.runtimeOperationStatus;
    };
    const begun = await until(
      "it is under way",
      async () => {
        const now = await stateOf();
        return now.state === "InProgress" && now;
      },
      10_000,
      1,
    );
    killProcess(plane.file().services["runtime-provisioner"]?.pid);
    expect(begun.stage).not.toBe("done");
    await until(
      "it succeeds",
      async () => {
        const now = await stateOf().catch(() => undefined);
        return now?.state === "Succeeded";
      },
      60_000,
    );
  });

  test("PostgreSQL comes back, and a change reaches the agent", async () => {
    const before = cast.plane.postgres();
    killProcess(before);
    await until(
      "PostgreSQL is started again",
      () => {
        try {
          return cast.plane.postgres() !== before;
        } catch {
          return false;
        }
      },
      60_000,
    );
    await changeReachesTheAgent(cast, "killed_postgres");
  });

  test("an agent comes back with the certificate that it has", async () => {
    const [agent] = agentsOf(cast.plane);
    killProcess(agent);
    await until("the agent is started again", () => {
      const [now] = agentsOf(cast.plane);
      return now !== undefined && now !== agent;
    });
    await changeReachesTheAgent(cast, "killed_agent");
  });

  test("no write that was acknowledged is lost, and every failure said that it was one", async () => {
    await traffic.stop();
    const labels = await labelsOf(cast);
    expect(traffic.acknowledged.length).toBeGreaterThan(30);
    expect(traffic.acknowledged.filter((key) => labels[key] !== 1)).toEqual([]);
    for (const fault of traffic.failures.keys()) {
      // Nothing of the inside may be told: an error id, who is away, or that the connection ended.
      expect(fault).toMatch(
        /^(?:(?:200|5\d\d) INTERNAL (?:internal error|[a-z-]+ is away: try again)$|UND_ERR_SOCKET|ECONNREFUSED|ECONNRESET|other side closed)/,
      );
    }
  });

  test("the runtime has one certificate: nobody had to pair again", async () => {
    const { stage, runtime } = cast;
    const answer = await stage.admin.ask<{
      runtime: { online: boolean; certificates: { totalCount: number } };
    }>("query ($id: ID!) { runtime(id: $id) { online certificates { totalCount } } }", {
      id: runtime.id,
    });
    expect(answer.runtime).toEqual({ online: true, certificates: { totalCount: 1 } });
  });
});

describe("a plane that is stopped and started again", () => {
  let home: string;
  let port: number;
  let first: Cast;
  let shopFiles: { chainFile: string; keyFile: string };

  test("SIGTERM leaves no process", async () => {
    first = await castOf(await startPlane());
    ({ home, port } = first.plane);
    shopFiles = await theShopPairsWithAnECKeyByCurlAndOpenssl(first.stage, first.shop);
    await changeReachesTheAgent(first, "before_the_stop");
    expect(agentsOf(first.plane)).toHaveLength(1);
    expect(await first.plane.end()).toBe(0);
    expect(processesOf(home)).toEqual([]);
  });

  test("a second start finds its data, and neither agent nor application pairs again", async () => {
    const plane = await startPlane({ home, port });
    const stage = await openStage(plane.file(), silent);
    const cast = { ...first, plane, stage };
    expect(await labelsOf(cast)).toMatchObject({ before_the_stop: true });
    await changeReachesTheAgent(cast, "after_the_start");
    const shop = stage.paired("shop", shopFiles);
    expect(await shop.ask("{ viewer { id } }")).toEqual({ viewer: { id: first.shop.id } });
    const { runtime } = await stage.admin.ask<{
      runtime: { certificates: { totalCount: number } };
    }>("query ($id: ID!) { runtime(id: $id) { certificates { totalCount } } }", {
      id: first.runtime.id,
    });
    expect(runtime.certificates.totalCount).toBe(1);
    await stage.close();
    await plane.kill();
  });

  test("a supervisor that is killed leaves no orphan, and the next start finds everything", async () => {
    await until("everything has ended by itself", () => processesOf(home).length === 0, 30_000);
    const plane = await startPlane({ home, port });
    const stage = await openStage(plane.file(), silent);
    const cast = { ...first, plane, stage };
    expect(await labelsOf(cast)).toMatchObject({ after_the_start: true });
    await changeReachesTheAgent(cast, "after_the_kill");
    await stage.close();
    expect(await plane.end()).toBe(0);
    await first.stage.close();
  });
});

describe("two planes side by side", () => {
  test("share nothing: no object, no token, no certificate", async () => {
    const [one, other] = await Promise.all([startPlane(), startPlane()]);
    const stage = await openStage(one.file(), silent);
    const shop = await anAdminRegistersTheShopWithAWebhook(stage);
    const paired = await theShopPairsWithAnECKeyByCurlAndOpenssl(stage, shop);
    const there = await openStage(other.file(), silent);
    const { applications } = await there.admin.ask<{ applications: { totalCount: number } }>(
      "{ applications { totalCount } }",
    );
    expect(applications.totalCount).toBe(0);
    const stranger = there.caller("stranger", { authorization: `Bearer ${one.file().adminToken}` });
    expect(await stranger.refused("{ viewer { id } }")).toMatchObject({ status: 401 });
    const application = there.paired("shop of the other plane", paired);
    expect(await application.refused("{ viewer { id } }")).toMatchObject({ status: 401 });
    expect(readFileSync(one.file().caFile)).not.toEqual(readFileSync(other.file().caFile));
    await Promise.all([stage.close(), there.close()]);
    expect(await Promise.all([one.end(), other.end()])).toEqual([0, 0]);
  });
});
