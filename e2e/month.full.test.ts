/**
 * A month under a shifted clock, with the lifetimes that the product has by default: hour by hour the clock of every process, PostgreSQL
 * included, is put forward, and each agent is seen to be served.
 */
import { execFile } from "node:child_process";
import { randomUUID, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type HandMadeAgent, startAgent } from "./clock/agent.ts";
import {
  type Complaint,
  HOUR,
  Month,
  type Passing,
  type Victim,
  type Watched,
} from "./clock/month.ts";
import { openSession, type Session } from "./clock/session.ts";
import { createShiftedClock } from "./clock/shifted-clock.ts";
import { endPlanes } from "./local-plane.ts";
import {
  anAdminRegistersTheShopWithAWebhook,
  type RegisteredApplication,
  requestToken,
  theShopPairsWithAnRSAKeyByCurlAndOpenssl,
} from "./story/application.ts";
import { type Caller, refusalOf } from "./story/caller.ts";
import { CONFIGURATION, makeRequest, pairByHand, quietly, SIGN } from "./story/pairing.ts";
import { anAdminProvisionsARuntime } from "./story/runtime.ts";
import { until } from "./story/until.ts";

const MINUTE = 60_000;
const DAY = 24 * HOUR;
const MONTH = 30 * DAY;
const LONG = 1_800_000;
const VIEWER = "{ viewer { id type } }";
const CONNECTOR = "/connector/graphql";
/** The Connector last, in the midst of a renewal each time; the others once. */
const VICTIMS: readonly Victim[] = [
  "connector",
  "postgres",
  "connector",
  "registry",
  "connector",
  "director",
  "connector",
  "api-gateway",
  "connector",
];
const KILL_EVERY = 36;
const QUIET_EVERY = 120;

const clock = createShiftedClock();
const month = new Month(clock);
let began: number;
let shop: RegisteredApplication;
/** The shop over mTLS, by a certificate that lives for longer than the month. */
let client: Caller;
/** A runtime whose agent an operator has started by hand. */
let edge: Watched & { readonly agent: HandMadeAgent };
/** Serial numbers of an application's and a runtime's certificates that are revoked on the first day, and of two that are later. */
const revoked = { application: "", runtime: "" };
const spares: [string, string] = ["", ""];

const agentDirectory = (id: string): string => join(month.plane.home, "runtimes", id, "agent");

beforeAll(async () => {
  await month.start("stand still");
  began = clock.now();
  shop = await anAdminRegistersTheShopWithAWebhook(month.stage);
  month.changing(shop.id);
  const first = await theShopPairsWithAnRSAKeyByCurlAndOpenssl(month.stage, shop);
  client = month.stage.paired("shop", first);
  const another = async (
    name: string,
    kind: "Application" | "Runtime",
    id: string,
  ): Promise<string> =>
    (await pairByHand(month.stage, name, await requestToken(month.stage, kind, id), "P-256"))
      .serialNumber;
  revoked.application = await another("other", "Application", shop.id);
  revoked.runtime = await another("retired", "Runtime", await register("retired"));
  for (const at of [0, 1]) spares[at] = await another(`spare-${at}`, "Application", shop.id);
  for (const base of ["factory", "harbour", "mill"]) {
    const { id } = await anAdminProvisionsARuntime(month.stage, base);
    month.watched.add({ id, directory: agentDirectory(id) });
  }
  edge = await edgeAgent(await register("edge"));
  month.watched.add(edge);
  await hasPlan(edge);
});
afterAll(async () => {
  await month.close();
  await endPlanes();
  clock.remove();
});

const hasPlan = ({ agent }: { readonly agent: HandMadeAgent }): Promise<boolean> =>
  until("the agent has its plan", () => agent.lines().some(({ msg }) => msg === "plan reported"));
/** As openssl writes serial numbers, whatever their length. */
const plain = (serial: string): string => serial.replace(/^0+/, "");

async function revoke(serialNumber: string): Promise<void> {
  const { revokeCertificates } = await month.admin.ask<{ revokeCertificates: number }>(
    "mutation ($those: [String!]) { revokeCertificates(serialNumbers: $those) }",
    { those: [serialNumber] },
  );
  expect(revokeCertificates).toBe(1);
  await until("it is on the list", async () =>
    (await month.revocationList()).serialNumbers.includes(plain(serialNumber)),
  );
}

async function register(base: string): Promise<string> {
  const { stage, admin } = month;
  const { registerRuntime } = await admin.ask<{ registerRuntime: { id: string } }>(
    "mutation ($in: RuntimeInput!) { registerRuntime(in: $in) { id } }",
    { in: { name: stage.name(base), labels: { group: [stage.name("production")] } } },
  );
  return registerRuntime.id;
}

/** An agent that an operator starts, with a new token. */
async function edgeAgent(id: string): Promise<Watched & { readonly agent: HandMadeAgent }> {
  const { requestOneTimeTokenForRuntime: token } = await month.admin.ask<{
    requestOneTimeTokenForRuntime: { token: string; connectorURL: string; caPin: string };
  }>(
    "mutation ($id: ID!) { requestOneTimeTokenForRuntime(id: $id) { token connectorURL caPin } }",
    { id },
  );
  const directory = join(month.stage.directory, id);
  const environment = clock.environment("stand still");
  const pairing = { CONNECTOR_URL: token.connectorURL, TOKEN: token.token, CA_PIN: token.caPin };
  return { id, directory, agent: startAgent({ directory, environment, pairing }) };
}

/** Time passes and nobody complains; the application is served, and the revocation list is in its time. */
async function calm(milliseconds: number, passing: Passing = {}): Promise<void> {
  for (let left = milliseconds; left !== 0; left -= Math.min(HOUR, left)) {
    expect(worth(await month.pass(Math.min(HOUR, left), passing))).toEqual([]);
    await everythingIsInItsTime();
  }
}

async function everythingIsInItsTime(): Promise<void> {
  const { viewer } = await client.ask<{ viewer: { id: string } }>(VIEWER, {}, { quiet: true });
  expect(viewer.id).toBe(shop.id);
  const { thisUpdate, nextUpdate } = await month.revocationList();
  expect(thisUpdate).toBeLessThanOrEqual(clock.now());
  expect(nextUpdate).toBeGreaterThan(clock.now());
}

/** Complaints of agents, and faults of services. That a service says that it tries something again is none. */
const worth = (complaints: readonly Complaint[]): readonly Complaint[] =>
  complaints.filter(({ level, from }) => from === "runtime-agent" || level !== "warn");
/** What is more than that something is tried again. */
const grave = (complaints: readonly Complaint[]): readonly Complaint[] =>
  complaints.filter(({ level }) => level !== "warn");

const byToken = (token: string) => ({
  path: CONNECTOR,
  quiet: true,
  headers: { "connector-token": token },
});

describe("what is good for a time", () => {
  test("is a one-time token: until its end, and not after it", async () => {
    const { stage } = month;
    const { stranger } = stage;
    const late = await register("late");
    // See the end of the month.
    await revoke(revoked.application);
    await revoke(revoked.runtime);
    expect((await month.revocationList()).serialNumbers).toHaveLength(2);
    const runtime = (): Promise<{ token: string }> =>
      requestToken(stage, "Runtime", late, { quiet: true });
    const application = (): Promise<{ token: string }> =>
      requestToken(stage, "Application", shop.id, { quiet: true });
    const [runtimes, applications] = [
      [await runtime(), await runtime()],
      [await application(), await application()],
    ];
    type Answer = {
      configuration: {
        token: { token: string };
        certificateSigningRequestInfo: { subject: string };
      };
    };
    await calm(4 * MINUTE);
    const { configuration } = await stranger.ask<Answer>(
      CONFIGURATION,
      {},
      byToken(applications[0]?.token ?? ""),
    );
    await calm(2 * MINUTE);
    expect(
      await stranger.refused(CONFIGURATION, {}, byToken(applications[1]?.token ?? "")),
    ).toMatchObject({ status: 401 });
    await calm(4 * MINUTE);
    const { subject } = configuration.certificateSigningRequestInfo;
    const csr = await makeRequest(quietly(stage), "late", "P-256", subject);
    expect(await stranger.refused(SIGN, { csr }, byToken(configuration.token.token))).toMatchObject(
      { status: 401 },
    );
    await calm(49 * MINUTE);
    await stranger.ask<Answer>(CONFIGURATION, {}, byToken(runtimes[0]?.token ?? ""));
    await calm(2 * MINUTE);
    expect(
      await stranger.refused(CONFIGURATION, {}, byToken(runtimes[1]?.token ?? "")),
    ).toMatchObject({ status: 401 });
  });

  test("is an access token, for an hour", async () => {
    const { stage, admin } = month;
    const { requestClientCredentialsForApplication: made } = await admin.ask<{
      requestClientCredentialsForApplication: {
        auth: { credential: { clientId: string; clientSecret: string } };
      };
    }>(
      `mutation ($id: ID!) { requestClientCredentialsForApplication(id: $id) {
        auth { credential { ... on OAuthCredentialData { clientId clientSecret } } }
      } }`,
      { id: shop.id },
    );
    const { clientId, clientSecret } = made.auth.credential;
    const form = {
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
    };
    const newToken = async (): Promise<string> => {
      const answer = await stage.stranger.send({
        method: "POST",
        path: "/oauth2/token",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams(form).toString(),
        quiet: true,
      });
      return (JSON.parse(answer.text) as { access_token: string }).access_token;
    };
    const ask = async (token: string): Promise<number> =>
      (
        await stage.stranger.post(
          VIEWER,
          {},
          { headers: { authorization: `Bearer ${token}` }, quiet: true },
        )
      ).status;
    const token = await newToken();
    await calm(59 * MINUTE);
    expect(await ask(token)).toBe(200);
    await calm(2 * MINUTE);
    expect(await ask(token)).toBe(401);
    expect(await ask(await newToken())).toBe(200);
  });

  test("are an API token until it ends, and the answer to a repeated request for a day", async () => {
    const { stage, admin } = month;
    const { createAPIToken } = await admin.ask<{ createAPIToken: { token: string } }>(
      "mutation ($in: APITokenInput!) { createAPIToken(in: $in) { token } }",
      {
        in: {
          name: stage.name("nightly"),
          roles: ["viewer"],
          expiresAt: new Date(clock.now() + DAY).toISOString(),
        },
      },
    );
    const asViewer = { headers: { authorization: `Bearer ${createAPIToken.token}` }, quiet: true };
    const key = randomUUID();
    const registerOnce = () =>
      admin.post(
        "mutation ($name: String!) { registerApplication(in: { name: $name }) { id } }",
        { name: stage.name("once") },
        { headers: { "idempotency-key": key }, quiet: true },
      );
    const first = await registerOnce();
    expect(refusalOf(first)).toBeUndefined();
    await calm(23 * HOUR);
    expect((await stage.stranger.post(VIEWER, {}, asViewer)).status).toBe(200);
    expect((await registerOnce()).text).toBe(first.text);
    await calm(2 * HOUR);
    expect((await stage.stranger.post(VIEWER, {}, asViewer)).status).toBe(401);
    // The key is forgotten with the next clean-up, and the name is taken.
    const refusal = await until(
      "the key is forgotten",
      async () => refusalOf(await registerOnce()),
      90_000,
      1_000,
    );
    expect(refusal.code).toBe("NOT_UNIQUE");
  });
});

describe("an agent that is switched off for longer than its certificate lives", () => {
  test("is refused from the end of its certificate on: on a connection that is open, on one that resumes a session, on a new one", async () => {
    const { stage } = month;
    await edge.agent.end();
    month.watched.delete(edge);
    const identity = edge.agent.identity();
    const ends = new X509Certificate(identity.chain).validToDate.getTime();
    const open = (ticket?: Buffer): Session => {
      const ca = readFileSync(stage.plane.caFile, "utf8");
      const origin = stage.plane.mtlsURL;
      return openSession({ origin, ca, identity, ...(ticket === undefined ? {} : { ticket }) });
    };
    const path = "/v1/runtime/plan";
    const served = { status: 200, kept: false, resumed: false };

    await calm(ends - clock.now() - 2 * MINUTE);
    const kept = open();
    expect(await kept.get(path)).toMatchObject(served);
    const ticket = kept.ticket();
    expect(await open(ticket).get(path)).toMatchObject({ ...served, resumed: true });
    await calm(3 * MINUTE);
    const refused = {
      status: 401,
      text: expect.stringContaining("the client certificate has expired"),
    };
    expect(await kept.get(path)).toMatchObject({ ...refused, kept: true });
    expect(await open(ticket).get(path)).toMatchObject({ ...refused, resumed: true });
    expect(await open().get(path)).toMatchObject({
      status: 401,
      text: expect.stringContaining("its time is over"),
      resumed: false,
    });
    kept.close();
  });

  test("says so when it is switched on again, and works again with a new token", async () => {
    await calm(2 * HOUR);
    const { id, directory } = edge;
    const environment = clock.environment("stand still");
    const again = startAgent({ directory, environment });
    await until("it says so", () =>
      again.lines().some(({ level, why }) => level >= 50 && why === "expired"),
    );
    await again.end();
    edge = await edgeAgent(id);
    month.watched.add(edge);
    await hasPlan(edge);
    await calm(HOUR);
  });
});

test("a clock that was ahead and is put right stops nothing", async () => {
  /** Within fewer minutes than the clock is put back by. An agent that polls is noted once in half a minute. */
  const areHeardAnew = async (): Promise<boolean> => {
    const since = clock.now();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await calm(31_000);
      await sleep(1_000);
      if (await month.areHeard(since)) return true;
    }
    return false;
  };
  // Not by more than the agents' certificates are old: those of the future are refused.
  await calm(20 * MINUTE);
  expect(await areHeardAnew()).toBe(true);
  await revoke(spares[0]);
  await calm(-10 * MINUTE);
  await revoke(spares[1]);
  expect(await areHeardAnew()).toBe(true);
});

test(
  "in thirty days no agent is refused, whoever is killed meanwhile",
  async () => {
    const left = [...VICTIMS];
    for (let hour = 1; clock.now() < began + MONTH; hour += 1) {
      const isQuiet = hour % QUIET_EVERY === 0;
      const isDue = (at: number): boolean => at > clock.now() && at <= clock.now() + HOUR;
      const kill =
        !isQuiet &&
        hour > (VICTIMS.length - left.length + 1) * KILL_EVERY &&
        month.renewals().some(isDue)
          ? left.shift()
          : undefined;
      if (kill === undefined) await calm(HOUR, { quiet: isQuiet });
      else {
        expect(grave(await month.pass(HOUR, { kill }))).toEqual([]);
        await everythingIsInItsTime();
      }
    }
    expect(left).toEqual([]);
    expect(month.quietHours).toBeGreaterThan(3);
    expect(month.changes).toBeGreaterThan(700);
  },
  LONG,
);

test("each certificate was renewed in its time, and every agent has had one at any moment", async () => {
  for (const { id } of month.watched) {
    const certificates = await certificatesOf(id);
    expect(certificates.length).toBeGreaterThan(id === edge.id ? 30 : 35);
    for (const [at, next] of certificates.slice(1).entries()) {
      const before = certificates[at] as Certificate;
      const life = Date.parse(before.notAfter) - Date.parse(before.createdAt);
      const age = Date.parse(next.createdAt) - Date.parse(before.createdAt);
      // That of the agent that was switched off is the one exception.
      if (id === edge.id && age > life) continue;
      expect(life).toBeGreaterThan(DAY - MINUTE);
      expect(age / life).toBeGreaterThanOrEqual(0.5);
      expect(age / life).toBeLessThan(0.95);
    }
  }
});

test("the plane has refused no agent but the one that was switched off", async () => {
  const { auditEntries } = await month.admin.ask<{
    auditEntries: {
      data: { actorType: string; actorID: string; action: string; objects: { id: string }[] }[];
    };
  }>(
    `{ auditEntries(filter: { outcome: REFUSED }) { data { actorType actorID action objects { id } } } }`,
    {},
    { quiet: true },
  );
  const refused = new Set(
    auditEntries.data
      .filter(({ actorType }) => actorType === "RUNTIME")
      .map(({ actorID }) => actorID),
  );
  expect([...refused]).toEqual([edge.id]);
});

test("what is over for long enough has been removed, and nothing of the audit log", async () => {
  const { serialNumbers } = await month.revocationList();
  // A runtime's certificate lives for a day and stays on the list for a week more; an application's lives for 90 days.
  expect(serialNumbers).not.toContain(plain(revoked.runtime));
  expect(serialNumbers).toContain(plain(revoked.application));
  await calm(3 * HOUR);
  const kept = await until(
    "the one-time tokens of the first hour have been removed",
    async () => {
      const { oneTimeTokens } = await month.admin.ask<{
        oneTimeTokens: { data: { createdAt: string }[] };
      }>("{ oneTimeTokens { data { createdAt } } }", {}, { quiet: true });
      const { data } = oneTimeTokens;
      return data.every(({ createdAt }) => Date.parse(createdAt) > began + HOUR) && data;
    },
    90_000,
    1_000,
  );
  // That of the agent which was switched off meanwhile.
  expect(kept.length).toBeGreaterThan(0);
  const verified = await promisify(execFile)("npm", ["run", "-s", "audit", "--", "verify"], {
    cwd: dirname(import.meta.dirname),
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], SEXTANT_HOME: month.plane.home },
  });
  expect(verified.stdout).toMatch(/^default \S+: whole, \d{3,} entries$/m);
});

describe("a machine whose processes are paused for an hour, again and again", () => {
  test("goes on where it was: each agent is heard again, and renews", async () => {
    await edge.agent.end();
    month.watched.delete(edge);
    await month.end();
    await month.start("go on");
    const before = new Map<string, number>();
    for (const { id } of month.watched) before.set(id, (await certificatesOf(id)).length);
    for (let hour = 0; hour < 36; hour += 1)
      expect(grave(await month.pass(HOUR, { quiet: true }))).toEqual([]);
    for (const { id } of month.watched)
      expect((await certificatesOf(id)).length).toBeGreaterThan((before.get(id) ?? 0) + 1);
  });
});

describe("a plane that was switched off for two days", () => {
  test("starts, and its agents, whose certificates are over, are paired anew by an admin", async () => {
    await month.end();
    await clock.shift(2 * DAY, []);
    await month.start("stand still");
    const { admin } = month;
    await until("each agent says that its certificate is over", () =>
      [...month.watched].every(({ id }) =>
        new RegExp(`error +runtime-agent .*no usable certificate.*runtime=${id}.*why=expired`).test(
          month.plane.output(),
        ),
      ),
    );
    const since = clock.now();
    const operations: string[] = [];
    for (const { id } of month.watched) {
      const { reconnectRuntimeAgent } = await admin.ask<{ reconnectRuntimeAgent: { id: string } }>(
        "mutation ($id: String!) { reconnectRuntimeAgent(id: $id) { id } }",
        { id },
      );
      operations.push(reconnectRuntimeAgent.id);
    }
    for (const id of operations)
      await until("the operation has ended", async () => {
        const { runtimeOperationStatus } = await admin.ask<{
          runtimeOperationStatus: { state: string };
        }>("query ($id: String!) { runtimeOperationStatus(id: $id) { state } }", { id });
        return runtimeOperationStatus.state === "Succeeded";
      });
    await until("every agent is heard", () => month.areHeard(since));
    expect(grave(month.complaints())).not.toEqual([]);
    await calm(3 * HOUR);
  });
});

type Certificate = { readonly createdAt: string; readonly notAfter: string };

/** A runtime's certificates, the oldest first. */
async function certificatesOf(id: string): Promise<readonly Certificate[]> {
  const answer = await month.admin.ask<{ runtime: { certificates: { data: Certificate[] } } }>(
    "query ($id: ID!) { runtime(id: $id) { certificates { data { createdAt notAfter } } } }",
    { id },
    { quiet: true },
  );
  return answer.runtime.certificates.data.toSorted((a, b) =>
    a.createdAt.localeCompare(b.createdAt),
  );
}
