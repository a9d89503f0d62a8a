/** One token, many who use it at once, and processes that are killed in the middle: one certificate, and none without its record. */
import { X509Certificate } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { endPlanes, killProcess, type LocalPlane, startPlane } from "./local-plane.ts";
import type { GraphAnswer } from "./story/caller.ts";
import { type Configuration, CONFIGURATION, makeRequest, quietly, SIGN } from "./story/pairing.ts";
import { silent } from "./story/report.ts";
import { openStage, type Stage } from "./story/stage.ts";
import { until } from "./story/until.ts";

const FULL = process.env["SEXTANT_TEST_FULL"] === "1";
const USES = FULL ? 1_000 : 250;
const KILLS = FULL ? 50 : 4;
/** All that issuing goes through. */
const IN_TURNS = ["connector", "registry", "postgres", "api-gateway"];
/** Who is killed often is started again after 10 s only. */
const BACK_WITHIN = 60_000;

let plane: LocalPlane;
let stage: Stage;

beforeAll(async () => {
  plane = await startPlane({
    environment: {
      // They are what would keep such a crowd away.
      ...{ SEXTANT_RATE_PAIRING: "off", SEXTANT_RATE_RENEWAL: "off" },
      ...{ SEXTANT_OPERATIONS_CLIENT: "5000", SEXTANT_OPERATIONS_TENANT: "5000" },
    },
  });
  stage = await openStage(plane.file(), silent);
});
afterAll(async () => {
  await stage?.close();
  await endPlanes();
});

/** The services that were killed here. */
const victims: string[] = [];
beforeEach(({ onTestFailed }) => onTestFailed(() => console.error(plane.account())));

type Selected<Name extends string, Value> = Readonly<Record<Name, Value>>;
type Signed = Selected<"signCertificateSigningRequest", { readonly clientCertificate: string }>;
type Outcome = { readonly certificate?: X509Certificate; readonly refused?: string };

const quiet = { quiet: true };

/** Asks until there is an answer that says something: what failed on the way is sent again as it was. */
async function insist(document: string, variables: object, headers: Record<string, string>) {
  for (const end = Date.now() + 90_000; ;) {
    try {
      const answer = await stage.stranger.post(document, variables, { headers, ...quiet });
      const body = JSON.parse(answer.text) as GraphAnswer;
      const code = body.errors?.[0]?.extensions?.code;
      if (answer.status < 500 && code !== "INTERNAL") return { data: body.data, code };
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    if (Date.now() > end) throw new Error("no answer for too long");
    await pause(50 + Math.random() * 100);
  }
}

async function newRuntime(name: string): Promise<string> {
  const { registerRuntime } = await stage.admin.ask<Selected<"registerRuntime", { id: string }>>(
    "mutation ($in: RuntimeInput!) { registerRuntime(in: $in) { id } }",
    { in: { name: stage.name(name) } },
    quiet,
  );
  return registerRuntime.id;
}

async function newToken(runtime: string): Promise<string> {
  const { x } = await stage.admin.ask<Selected<"x", { token: string }>>(
    "mutation ($id: ID!) { x: requestOneTimeTokenForRuntime(id: $id) { token } }",
    { id: runtime },
    quiet,
  );
  return x.token;
}

const configure = async (token: string, key: string) => {
  const { data, code } = await insist(
    CONFIGURATION,
    {},
    {
      "connector-token": token,
      "idempotency-key": key,
    },
  );
  const told = data as Selected<"configuration", Configuration> | null | undefined;
  return { configuration: told?.configuration, code };
};

async function sign(token: string, csr: string): Promise<Outcome> {
  const { data, code } = await insist(SIGN, { csr }, { "connector-token": token });
  if (code !== undefined) return { refused: code };
  const { clientCertificate } = (data as Signed).signCertificateSigningRequest;
  return { certificate: new X509Certificate(Buffer.from(clientCertificate, "base64")) };
}

async function recorded(runtime: string): Promise<readonly string[]> {
  const { certificates } = await stage.admin.ask<
    Selected<"certificates", { data: { serialNumber: string; state: string }[] }>
  >(
    `query ($id: ID!) { certificates(filter: { runtimeID: $id }) { data { serialNumber state } } }`,
    { id: runtime },
    quiet,
  );
  return certificates.data.map(({ serialNumber, state }) => `${serialNumber} ${state}`);
}

/** Kills a service, and waits for another process in its place. */
async function killed(service: string): Promise<void> {
  const pid = () => plane.file().services[service]?.pid;
  const before = pid();
  killProcess(before);
  victims.push(service);
  await until(`${service} is back`, () => ![undefined, before].includes(pid()), BACK_WITHIN);
}

/** Kills PostgreSQL, and waits until the plane has it back. */
async function killedPostgres(): Promise<void> {
  killProcess(plane.postgres());
  const { opsURL } = plane.file().services["registry"] ?? { opsURL: "" };
  const isReady = () =>
    fetch(`${opsURL}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await until("the registry misses PostgreSQL", async () => !(await isReady()), 10_000).catch(
    () => undefined,
  );
  await until("PostgreSQL is back", isReady, BACK_WITHIN);
}

/** So many keys with their requests, made four at a time. */
async function requests(count: number, subject: string): Promise<readonly string[]> {
  const made: string[] = [];
  const work = Array.from({ length: 4 }, async (_, worker) => {
    for (let nr = worker; nr < count; nr += 4)
      made[nr] = await makeRequest(quietly(stage), `use-${nr}`, "P-256", subject);
  });
  await Promise.all(work);
  return made;
}

describe("a token that many use at once", { timeout: 300_000 }, () => {
  let runtime = "";
  let csrs: readonly string[] = [];
  beforeAll(async () => {
    runtime = await newRuntime("crowd");
    const { configuration } = await configure(await newToken(runtime), "one");
    csrs = await requests(USES, configuration?.certificateSigningRequestInfo.subject ?? "");
    // Each is made by openssl, which takes long on a busy machine.
  }, 600_000);

  test.each<[string, () => Promise<void>]>([
    ["the Connector is killed", () => killed("connector")],
    ["PostgreSQL is killed", () => killedPostgres()],
  ])("gives exactly one certificate while %s", async (_what, disturb) => {
    const before = await recorded(runtime);
    const { configuration } = await configure(await newToken(runtime), "one");
    const token = configuration?.token?.token ?? "";
    const [outcomes] = await Promise.all([
      Promise.all(csrs.map((csr) => sign(token, csr))),
      pause(Math.random() * 60).then(disturb),
    ]);

    const given = outcomes.flatMap(({ certificate }) => certificate ?? []);
    expect(given).toHaveLength(1);
    const refused = outcomes.filter(({ refused: code }) => code === "UNAUTHENTICATED");
    expect(refused).toHaveLength(USES - 1);
    const [serial] = given.map(({ serialNumber }) => serialNumber.toLowerCase());
    expect(await recorded(runtime)).toEqual([...before, `${serial} VALID`]);

    const { oneTimeTokens } = await stage.admin.ask<
      Selected<"oneTimeTokens", { data: Readonly<Record<string, unknown>>[] }>
    >(
      `query ($id: String!) { oneTimeTokens(filter: { publicID: $id }) { data { purpose state usedFrom } } }`,
      { id: token.split(".")[0] },
      quiet,
    );
    const usedFrom = expect.stringMatching(/127.0.0.1|::1/) as unknown;
    expect(oneTimeTokens.data).toEqual([{ purpose: "SIGNING", state: "USED", usedFrom }]);
  });
});

describe("issuing that is cut off", { timeout: 1_500_000 }, () => {
  test("leaves no certificate without its record, wherever it is killed, and is finished when it is asked for again", async () => {
    for (let round = 0; round < KILLS; round += 1) {
      const those: { readonly runtime: string; readonly token: string }[] = [];
      for (let nr = 0; nr < 5; nr += 1) {
        const runtime = await newRuntime(`cut-${round}-${nr}`);
        those.push({ runtime, token: await newToken(runtime) });
      }
      const pairing = those.map(async ({ runtime, token }) => {
        const { configuration } = await configure(token, runtime);
        const { subject } = configuration?.certificateSigningRequestInfo ?? { subject: "" };
        const csr = await makeRequest(quietly(stage), `cut-${runtime}`, "P-256", subject);
        return sign(configuration?.token?.token ?? "", csr);
      });
      const victim = IN_TURNS[round % IN_TURNS.length] ?? "";
      const disturb = (): Promise<void> =>
        victim === "postgres" ? killedPostgres() : killed(victim);
      const [outcomes] = await Promise.all([
        Promise.all(pairing),
        pause(Math.random() * 250).then(disturb),
      ]);
      for (const [place, { certificate, refused }] of outcomes.entries()) {
        expect(refused).toBeUndefined();
        const serial = certificate?.serialNumber.toLowerCase();
        expect(await recorded(those[place]?.runtime ?? "")).toEqual([`${serial} VALID`]);
      }
    }
  });
});

test("who is killed takes no other service with it", () => {
  // PostgreSQL is refused its first starts while what it was killed in is still there.
  const others = plane.ended().filter((end) => !end.startsWith("postgres "));
  expect(others).toEqual(victims.map((service) => `${service} SIGKILL`));
});
