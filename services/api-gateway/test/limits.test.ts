/** How much one may ask, and that nobody else pays for it. */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type ClientCertificate, type Plane, startPlane } from "./plane.ts";

let plane: Plane;
let first: ClientCertificate;
let second: ClientCertificate;
beforeAll(async () => {
  plane = await startPlane();
  first = (await plane.pair("Runtime", "first")).certificate;
  second = (await plane.pair("Runtime", "second")).certificate;
}, 90_000);
afterAll(() => plane.close(), 30_000);

const viewer = "{ viewer { id } }";
const codeOf = ({ json }: Answer): string =>
  String(json?.errors?.[0]?.extensions.code ?? json?.code);

/** The statuses of so many answers, one after another. */
async function statuses(count: number, ask: () => Promise<Answer>): Promise<readonly number[]> {
  const seen: number[] = [];
  for (let at = 0; at < count; at += 1) seen.push((await ask()).status);
  return seen;
}

const poll = (certificate: ClientCertificate) =>
  plane.send(`${plane.mtlsURL}/v1/runtime/plan`, { certificate });

describe("a client that asks too often", () => {
  it("is told when to come back, and another of the same tenant and address goes on", async () => {
    await plane.restartGateway({ SEXTANT_RATE_POLLING: "client=0.1/3" });
    expect(await statuses(4, () => poll(first))).toEqual([200, 200, 200, 429]);
    const refused = await poll(first);
    expect(codeOf(refused)).toBe("RATE_LIMITED");
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(5);
    expect(refused.json.message).toMatch(/too many requests: try again in \d+ s/);
    expect((await poll(second)).status).toBe(200);
    // Another class has a budget of its own.
    expect((await plane.graph(viewer, {}, { certificate: first })).status).toBe(200);
  });

  it("pays for each field of an operation's root: aliases gain nothing", async () => {
    await plane.restartGateway({ SEXTANT_RATE_ADMINISTRATION: "client=0.1/10" });
    const six = `{ ${Array.from({ length: 6 }, (_, at) => `a${at}: viewer { id }`).join(" ")} }`;
    const spread = `{ ...F } fragment F on Query { ${"a: viewer { id } b: viewer { id } c: viewer { id } d: viewer { id }"} }`;
    expect((await plane.admin(six)).status).toBe(200);
    const refused = await plane.admin(six);
    expect([refused.status, codeOf(refused)]).toEqual([429, "RATE_LIMITED"]);
    expect(refused.json.errors[0].extensions).toMatchObject({ error_code: 429 });
    expect(refused.json.errors[0].extensions.retryAfter).toBeGreaterThan(0);
    expect((await plane.admin(spread)).status).toBe(200);
    expect((await plane.admin(viewer)).status).toBe(429);
  });

  it("pairs and renews by budgets of their own", async () => {
    await plane.restartGateway({ SEXTANT_RATE_RENEWAL: "client=0.1/2" });
    const ask = () =>
      plane.graph(
        "{ configuration { token { token } } }",
        {},
        {
          certificate: first,
          path: "/connector/graphql",
        },
      );
    expect(await statuses(3, ask)).toEqual([200, 200, 429]);
    expect((await poll(first)).status).toBe(200);
  });
});

describe("a tenant that asks too often", () => {
  it("is held back, and no other", async () => {
    await plane.restartGateway({ SEXTANT_RATE_ADMINISTRATION: "tenant=0.1/5" });
    const externalID = `t-${randomUUID()}`;
    await plane.ask(`mutation($in: TenantInput!) { registerTenant(in: $in) { id } }`, {
      in: { externalID, name: externalID },
    });
    expect(await statuses(5, () => plane.admin(viewer))).toEqual([200, 200, 200, 200, 429]);
    expect((await plane.admin(viewer, {}, { tenant: externalID })).status).toBe(200);
  });
});

describe("who guesses", () => {
  it("is stopped, and who is known goes on from the same address", async () => {
    await plane.restartGateway({ SEXTANT_RATE_REFUSED: "address=0.1/5" });
    expect((await plane.admin(viewer)).status).toBe(200);
    const guess = () =>
      plane.graph(viewer, {}, { headers: { authorization: `Bearer sxt_${randomUUID()}` } });
    expect(await statuses(7, guess)).toEqual([401, 401, 401, 401, 401, 429, 429]);
    const oneTime = await plane.graph(
      "{ configuration { token { token } } }",
      {},
      { path: "/connector/graphql", headers: { "connector-token": randomUUID() } },
    );
    expect([oneTime.status, codeOf(oneTime)]).toEqual([429, "RATE_LIMITED"]);
    expect((await plane.admin(viewer)).status).toBe(200);
  });
});

describe("operations under way", () => {
  it("are at most as many as a client may have, and each that ends makes room", async () => {
    await plane.restartGateway({ SEXTANT_OPERATIONS_CLIENT: "2" });
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => plane.admin("{ runtimes { totalCount } }")),
    );
    const seen = new Set(answers.map(({ status }) => status));
    expect(seen.has(200)).toBe(true);
    expect([...seen].every((status) => status === 200 || status === 429)).toBe(true);
    expect((await plane.admin(viewer)).status).toBe(200);
  });
});

describe("a plane without limits", () => {
  it("is what the operator gets who switches them off", async () => {
    const off = Object.fromEntries(
      ["PAIRING", "RENEWAL", "POLLING", "ADMINISTRATION", "REFUSED", "CONNECTION"].map((name) => [
        `SEXTANT_RATE_${name}`,
        "off",
      ]),
    );
    await plane.restartGateway(off);
    const answers = await statuses(200, () =>
      plane.graph(viewer, {}, { headers: { authorization: "Bearer sxt_unknown" } }),
    );
    expect(new Set(answers)).toEqual(new Set([401]));
  });
});
