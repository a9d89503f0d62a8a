import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readCertificateChain } from "@sextant/x509";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startAgent, until, type AgentProcess } from "./agent-process.ts";
import { startTestPlane, type TestPlane, type TestPlaneOptions } from "./test-plane.ts";

let plane: TestPlane;
let directory: string;
let agents: AgentProcess[];
const extraPlanes: TestPlane[] = [];

beforeEach(async () => {
  plane = await startTestPlane();
  directory = mkdtempSync(join(tmpdir(), "sextant-agent-"));
  agents = [];
});
afterEach(async () => {
  for (const agent of agents) agent.kill("SIGKILL");
  await Promise.all(agents.map((agent) => agent.ended));
  await Promise.all([plane, ...extraPlanes.splice(0)].map((each) => each.close()));
  rmSync(directory, { recursive: true, force: true });
});

const otherPlane = async (options: TestPlaneOptions): Promise<TestPlane> => {
  const other = await startTestPlane(options);
  extraPlanes.push(other);
  return other;
};
const pairing = (of: TestPlane = plane): Record<string, string> => ({
  AGENT_DIR: directory,
  CONNECTOR_URL: `${of.publicUrl}/connector/graphql`,
  RUNTIME_ID: of.runtimeId,
  TENANT: "default",
  TOKEN: of.newToken(),
  CA_PIN: `sha256//${of.caPin}`,
});
const start = (env: Record<string, string> = { AGENT_DIR: directory }): AgentProcess => {
  const agent = startAgent(env);
  agents.push(agent);
  return agent;
};
const event = (agent: AgentProcess, message: string) =>
  agent.log.find(({ msg }) => msg.startsWith(message));
const planOnDisk = (): Record<string, unknown> =>
  JSON.parse(readFileSync(join(directory, "plan.json"), "utf8")) as Record<string, unknown>;
const identityOnDisk = (): Record<string, string> =>
  JSON.parse(readFileSync(join(directory, "identity.json"), "utf8")) as Record<string, string>;
const held = (): boolean =>
  plane.count("/v1/runtime/plan") >
  plane.exchanges.filter(({ path, phase }) => path === "/v1/runtime/plan" && phase === "answered")
    .length;

/** Starts an agent and waits until it has applied, reported and asked to be held. */
const startPaired = async (env = pairing()): Promise<AgentProcess> => {
  const agent = start(env);
  await until("a report", () => plane.reports.length > 0);
  await until("a held poll", held);
  return agent;
};

describe("pairing", () => {
  it("by a pin and a one-time token ends with the plan in place and reported", async () => {
    const agent = await startPaired();
    expect(planOnDisk()).toEqual({ revision: 1, applications: [] });
    expect(plane.reports).toEqual([
      {
        revision: 1,
        applied: true,
        ready: true,
        items: [],
        health: [{ condition: "SUCCEEDED" }],
      },
    ]);
    expect(plane.issuedKeys).toHaveLength(1);
    expect(event(agent, "paired")).toMatchObject({ tenant: "default", runtime: plane.runtimeId });
    expect(event(agent, "token was for another runtime")).toBeUndefined();
  });

  it("by a CA file works as well", async () => {
    const { CA_PIN: _pin, ...rest } = pairing();
    await startPaired({ ...rest, CA_FILE: plane.caFile });
    expect(planOnDisk()["revision"]).toBe(1);
  });

  it("leaves files for their owner alone, and no secret in the log", async () => {
    const env = pairing();
    const agent = await startPaired(env);
    expect(readdirSync(directory).toSorted()).toEqual(["identity.json", "plan.etag", "plan.json"]);
    for (const file of readdirSync(directory))
      expect(statSync(join(directory, file)).mode & 0o777).toBe(0o600);
    expect(agent.output()).not.toContain(env["TOKEN"]);
    expect(agent.output()).not.toContain("PRIVATE KEY");
  });

  it("names every setting that is missing, and ends with 1", async () => {
    const agent = start();
    expect(await agent.ended).toBe(1);
    expect(agent.output()).toMatch(/CONNECTOR_URL[^]*TOKEN[^]*CA_PIN/);
  });

  it("with a used token is refused, said clearly, and tried again without haste", async () => {
    const agent = start({ ...pairing(), TOKEN: "unknown.token" });
    await until("a refusal", () => event(agent, "plane refuses this agent"));
    await delay(1_000);
    expect(plane.count("configuration")).toBe(1);
    expect(plane.issuedKeys).toEqual([]);
  });
});

describe("health", () => {
  it("of the agent and of its applications' addresses is reported when it changes, also during a hold", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await startPaired({ ...pairing(), REACH_INTERVAL: "1" });
    const [up, down] = [
      "1f9d4c2a-0000-4000-8000-000000000001",
      "1f9d4c2a-0000-4000-8000-000000000002",
    ];
    plane.setPlan({
      applications: [],
      rules: [
        { applicationID: up, mayCall: [`http://127.0.0.1:${port}/api`] },
        { applicationID: down, mayCall: ["http://127.0.0.1:1/api"] },
      ],
    });
    const health = () => plane.reports.at(-1)?.health;
    await until("health of both", () => health()?.length === 3);
    expect(health()).toEqual([
      { condition: "SUCCEEDED" },
      { applicationID: up, condition: "SUCCEEDED" },
      { applicationID: down, condition: "FAILED", message: "127.0.0.1:1: ECONNREFUSED" },
    ]);
    await new Promise((resolve) => server.close(resolve));
    await until("a change", () => health()?.[1]?.condition === "FAILED");
    const reports = plane.reports.length;
    await delay(2_500);
    expect(plane.reports).toHaveLength(reports);
  }, 20_000);

  it("of applications' addresses is not looked at when the setting says so", async () => {
    await startPaired({ ...pairing(), REACH_INTERVAL: "0" });
    plane.setPlan({ rules: [{ applicationID: "a", mayCall: ["http://127.0.0.1:1/"] }] });
    await until("a report", () => plane.reports.at(-1)?.revision === 2);
    await delay(1_500);
    expect(plane.reports.at(-1)?.health).toEqual([{ condition: "SUCCEEDED" }]);
  });
});

describe("trust", () => {
  it("a plane without the pinned key gets not one request", async () => {
    const other = await otherPlane({});
    const agent = start({ ...pairing(), CA_PIN: other.caPin });
    await until("a refusal", () => event(agent, "plane not trusted"));
    expect(plane.exchanges).toEqual([]);
  });

  it("a plane of another root than the CA file's gets not one request", async () => {
    const other = await otherPlane({});
    const { CA_PIN: _pin, ...rest } = pairing();
    const agent = start({ ...rest, CA_FILE: other.caFile });
    await until("a refusal", () => event(agent, "plane not trusted"));
    expect(plane.exchanges).toEqual([]);
  });

  it("a plane with the pinned key whose certificate is for another host gets not one request", async () => {
    const other = await otherPlane({ dnsNames: ["plane.example.com"] });
    const agent = start(pairing(other));
    const refusal = await until("a refusal", () => event(agent, "plane not trusted"));
    expect(refusal["fault"]).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(other.exchanges).toEqual([]);
  });

  it("in the name of the URLs is the same where PLANE_HOST says to look for it elsewhere", async () => {
    const other = await otherPlane({ dnsNames: ["plane.example.com"] });
    other.publicUrl = other.publicUrl.replace("localhost", "plane.example.com");
    other.mtlsUrl = other.mtlsUrl.replace("localhost", "plane.example.com");
    start({ ...pairing(other), PLANE_HOST: "localhost" });
    await until("a report", () => other.reports.length > 0);
  });

  it("holds after pairing: the stored authority is what is trusted, not the settings", async () => {
    const agent = await startPaired();
    agent.kill("SIGKILL");
    await agent.ended;
    start({ AGENT_DIR: directory, CA_PIN: Buffer.alloc(32).toString("base64") });
    await until("a second report", () => plane.reports.length > 1);
  });
});

describe("a change of the plan", () => {
  it("is on disk and reported within a second, with no more requests than needed", async () => {
    await startPaired();
    await delay(500);
    const before = plane.count("/v1/runtime/plan");
    const changedAt = Date.now();
    plane.setPlan({ applications: [{ id: "shop" }], resources: [{ id: "r1" }] });
    await until("the report", () => plane.reports.length === 2);
    expect(Date.now() - changedAt).toBeLessThan(1_000);
    expect(planOnDisk()).toMatchObject({ revision: 2, applications: [{ id: "shop" }] });
    expect(plane.reports[1]).toMatchObject({
      revision: 2,
      items: [{ id: "r1", applied: true, ready: true }],
    });
    await until("the next held poll", held);
    await delay(300);
    expect(plane.count("/v1/runtime/plan")).toBe(before + 1);
  });

  it("is reported once the plane is back, and not before the time that it asked for", async () => {
    const agent = await startPaired();
    plane.failures.push(
      ...Array.from({ length: 2 }, () => ({ status: 503, headers: { "retry-after": "1" } })),
    );
    const changedAt = Date.now();
    plane.setPlan({ applications: [{ id: "one" }] });
    await until("a fault", () => event(agent, "plane not reachable"));
    await until("the report", () => plane.reports.length === 2);
    expect(Date.now() - changedAt).toBeGreaterThanOrEqual(2_000);
    expect(agent.log.filter(({ msg }) => msg === "plane not reachable")).toHaveLength(2);
    expect(planOnDisk()["revision"]).toBe(2);
  });
});

describe("a runtime without a plan", () => {
  it("is held until it has its first, which then is on disk and reported", async () => {
    plane.removePlan();
    const agent = start(pairing());
    await until("the second poll", () => plane.count("/v1/runtime/plan") === 2);
    await delay(500);
    expect(plane.count("/v1/runtime/plan")).toBe(2);
    expect(event(agent, "plane not reachable")).toBeUndefined();
    plane.setPlan({ applications: [] });
    await until("the report", () => plane.reports.length === 1);
    expect(planOnDisk()["revision"]).toBe(2);
  });
});

describe("a plane that does not hold requests", () => {
  it("is not asked without a pause", async () => {
    plane.holds = false;
    start(pairing());
    await until("a report", () => plane.reports.length > 0);
    const before = plane.count("/v1/runtime/plan");
    await delay(2_500);
    expect(plane.count("/v1/runtime/plan") - before).toBeLessThanOrEqual(3);
  });
});

describe("a restart", () => {
  it("needs neither token nor pin, pairs no second time, and tells the plane where it stands", async () => {
    const agent = await startPaired();
    agent.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    plane.setPlan({ applications: [{ id: "later" }] });
    start();
    await until("a report on the new plan", () =>
      plane.reports.find(({ revision }) => revision === 2),
    );
    expect([plane.count("configuration"), plane.count("sign")]).toEqual([1, 1]);
  });

  it("with the plan unchanged does not fetch it again, and reports it", async () => {
    const agent = await startPaired();
    agent.kill("SIGKILL");
    await agent.ended;
    const again = start();
    await until("a second report", () => plane.reports.length === 2);
    expect(event(again, "plan applied")).toBeUndefined();
  });

  it.each([
    ["before the first answer", "configuration", "received"],
    ["after the first answer", "configuration", "answered"],
    ["before the certificate was sent", "sign", "received"],
    ["after the certificate was sent", "sign", "answered"],
    ["at the first poll", "/v1/runtime/plan", "received"],
    ["at the first report", "/v1/runtime/status", "received"],
  ])(
    "after a kill %s ends paired, with one key and the token used once",
    async (_when, operation, phase) => {
      const env = pairing();
      const agent = start(env);
      plane.onExchange = (exchange) => {
        if (exchange.operation === operation && exchange.phase === phase) agent.kill("SIGKILL");
      };
      expect(await agent.ended).toBe("SIGKILL");
      plane.onExchange = undefined;
      const reports = plane.reports.length;
      start(env);
      await until("a report", () => plane.reports.length > reports);
      expect(new Set(plane.issuedKeys).size).toBe(1);
      expect(planOnDisk()["revision"]).toBe(1);
    },
  );

  it("after a kill at any moment while plans arrive finds a whole plan", async () => {
    let agent = await startPaired();
    const large = "x".repeat(500_000);
    for (let round = 0; round < 4; round += 1) {
      const reports = plane.reports.length;
      plane.setPlan({ large });
      await delay(5 + round * 7);
      agent.kill("SIGKILL");
      await agent.ended;
      expect(planOnDisk()["revision"]).toBeGreaterThan(0);
      agent = start();
      await until("a report", () => plane.reports.length > reports);
      await until("a held poll", held);
    }
    await until("the last plan", () => planOnDisk()["revision"] === 5);
  });
});

describe("a certificate", () => {
  it("is renewed over mTLS with a new key before it ends, and used from then on", async () => {
    plane.certificateLifeMs = 6_000;
    const agent = await startPaired();
    const [before] = readCertificateChain(String(identityOnDisk()["chain"]));
    await until("a renewal", () => event(agent, "certificate renewed"));
    const [after] = readCertificateChain(String(identityOnDisk()["chain"]));
    expect(after?.serial).not.toBe(before?.serial);
    expect(new Set(plane.issuedKeys).size).toBe(2);
    await until("a poll with it", () => plane.clientSerials.at(-1) === after?.serial);
    plane.setPlan({ applications: [] });
    await until("a report", () => plane.reports.at(-1)?.revision === 2);
  });

  it("is renewed when the plane's window opens, also when that is moved", async () => {
    const at = (seconds: number): Date => new Date(Date.now() + seconds * 1_000);
    plane.renewal = { start: at(3_600), end: at(7_200), retryAfterSeconds: 5 };
    const agent = await startPaired();
    await until("a window", () => event(agent, "renewal window told"));
    expect(event(agent, "renewal window told")).toMatchObject({
      renewAt: plane.renewal.start.toISOString(),
    });
    const [before] = readCertificateChain(String(identityOnDisk()["chain"]));
    plane.renewal = { start: at(-10), end: at(2), retryAfterSeconds: 5 };
    await until("a renewal", () => event(agent, "certificate renewed"));
    const [after] = readCertificateChain(String(identityOnDisk()["chain"]));
    expect(after?.serial).not.toBe(before?.serial);
    expect(plane.count("sign")).toBe(2);
  });

  it("whose renewal fails is renewed later, and the agent works and says so meanwhile", async () => {
    plane.certificateLifeMs = 9_000;
    const agent = await startPaired();
    plane.onExchange = ({ operation, phase }) => {
      if (operation === "sign" && phase === "received") plane.failures.push({ status: 503 });
    };
    await until("a failed renewal", () => event(agent, "certificate not renewed"));
    plane.setPlan({ applications: [] });
    const told = (): boolean =>
      plane.reports.some(({ health }) =>
        health.some(({ message }) => message?.includes("could not be renewed")),
      );
    await until("a report of it", told);
    plane.onExchange = undefined;
    await until("a renewal", () => event(agent, "certificate renewed"));
  });

  it("that was revoked is said clearly, and a new token brings the agent back", async () => {
    const agent = await startPaired();
    const [leaf] = readCertificateChain(String(identityOnDisk()["chain"]));
    plane.revoked.add(String(leaf?.serial));
    plane.setPlan({ applications: [] });
    // The poll that was held may still be answered; the next request is refused.
    await until("a refusal", () => event(agent, "plane refuses this agent"));
    const requests = plane.count("/v1/runtime/plan") + plane.count("/v1/runtime/status");
    await delay(1_000);
    expect(plane.count("/v1/runtime/plan") + plane.count("/v1/runtime/status")).toBe(requests);
    agent.kill("SIGTERM");
    expect(await agent.ended).toBe(0);
    start(pairing());
    await until("a report", () => plane.reports.at(-1)?.revision === 2);
    expect(plane.issuedKeys).toHaveLength(2);
  });

  it("goes on serving when a new token is refused", async () => {
    const agent = await startPaired();
    agent.kill("SIGKILL");
    await agent.ended;
    const again = start({ ...pairing(), TOKEN: "unknown.token" });
    const refusal = await until("a refusal", () => event(again, "plane refuses this agent"));
    expect(refusal["waitMs"]).toBeGreaterThanOrEqual(15_000);
    expect(plane.count("configuration")).toBe(2);
    expect(readdirSync(directory)).toContain("identity.json");
  });
});

describe("the process", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends at %s with 0, at once, while its request is held",
    async (signal) => {
      const agent = await startPaired();
      const asked = Date.now();
      agent.kill(signal);
      expect(await agent.ended).toBe(0);
      expect(Date.now() - asked).toBeLessThan(2_000);
    },
  );

  it("ends when the process that forked it is gone", async () => {
    const agent = await startPaired();
    agent.child.disconnect();
    expect(await agent.ended).toBe(0);
  });

  it("has no open port", async () => {
    const agent = await startPaired();
    expect(listeningSockets(agent)).toEqual([]);
  });

  it("tells its health and readiness where the settings say", async () => {
    const agent = await startPaired({ ...pairing(), SEXTANT_OPS_LISTEN: "127.0.0.1:0" });
    expect(listeningSockets(agent)).toHaveLength(1);
    const port = event(agent, "health is served")?.["port"];
    const status = async (path: string): Promise<number> => {
      const response = await fetch(`http://127.0.0.1:${String(port)}${path}`);
      await response.arrayBuffer();
      return response.status;
    };
    expect([await status("/healthz"), await status("/readyz"), await status("/else")]).toEqual([
      200, 200, 404,
    ]);
    await plane.close();
    await until("a fault", () => event(agent, "plane not reachable"));
    expect([await status("/healthz"), await status("/readyz")]).toEqual([200, 503]);
    plane = await startTestPlane();
  });
});

/** Inodes of the process's sockets that listen, from /proc. */
function listeningSockets({ child }: AgentProcess): string[] {
  const base = `/proc/${child.pid}`;
  const listening = ["tcp", "tcp6"].flatMap((file) =>
    readFileSync(`${base}/net/${file}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => columns[3] === "0A")
      .map((columns) => String(columns[9])),
  );
  const own = readdirSync(`${base}/fd`).flatMap((fd) => {
    try {
      return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`${base}/fd/${fd}`))?.[1] ?? ""];
    } catch {
      return [];
    }
  });
  return listening.filter((inode) => own.includes(inode));
}
