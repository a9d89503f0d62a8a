import { createKeyPair, readCertificate } from "@sextant/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CONFIGURATION,
  requestFor,
  SIGN,
  startConnector,
  type TestConnector,
} from "../../test/given.ts";

type Tenant = Awaited<ReturnType<TestConnector["tenant"]>>;
let connector: TestConnector;
let tenant: Tenant;

beforeAll(async () => {
  connector = await startConnector();
  tenant = await connector.tenant();
});
afterAll(() => connector.close());

/** An object that has paired, with so many certificates. */
const paired = async (type: "APPLICATION" | "RUNTIME", count = 1, of: Tenant = tenant) => {
  const id = await of.holder(type);
  const pairing = await connector.withToken(await of.issue(type, id));
  const { configuration } = await pairing.ask(CONFIGURATION);
  const signing = await connector.withToken(configuration.token.token);
  const answers = [(await signing.ask(SIGN, requestFor(type, id))).x];
  const as = await connector.withCertificate(answers[0]);
  while (answers.length < count)
    answers.push((await as.ask(SIGN, requestFor(type, id, createKeyPair()))).x);
  const serials = answers.map(
    (one) =>
      readCertificate(Buffer.from(one.clientCertificate as string, "base64").toString()).serial,
  );
  return { id, as, serials };
};
const states = async (filter: object, as = tenant.admin): Promise<string[]> => {
  const { certificates } = await as.ask(
    `query($filter: CertificateFilter) { certificates(filter: $filter) { totalCount data { state } } }`,
    { filter },
  );
  expect(certificates.totalCount).toBe(certificates.data.length);
  return certificates.data.map(({ state }: { state: string }) => state) as string[];
};
const revoke = `mutation($s: [String!], $a: ID, $r: ID) { x: revokeCertificates(serialNumbers: $s, applicationID: $a, runtimeID: $r) }`;

describe("revocation", () => {
  it("by the holder ends the certificate that was shown, and no other of its own", async () => {
    const { id, as } = await paired("APPLICATION", 3);
    expect((await as.ask("mutation { x: revokeCertificate }")).x).toBe(true);
    expect((await as.ask("mutation { x: revokeCertificate }")).x).toBe(false);
    expect(await states({ applicationID: id })).toEqual(["REVOKED", "VALID", "VALID"]);
  });

  it("by an admin is by serial number, by application and by runtime, and counts what it ended", async () => {
    const application = await paired("APPLICATION", 3);
    const runtime = await paired("RUNTIME", 2);
    const [serial] = application.serials as [string];
    expect((await tenant.admin.ask(revoke, { s: [serial.toUpperCase(), "unknown"] })).x).toBe(1);
    expect((await tenant.admin.ask(revoke, { a: application.id, r: runtime.id })).x).toBe(4);
    expect((await tenant.admin.ask(revoke, { a: application.id, r: runtime.id })).x).toBe(0);
    expect(await states({ runtimeID: runtime.id })).toEqual(["REVOKED", "REVOKED"]);
  });

  it("is told to the feed in the same commit, by the certificate's hash", async () => {
    const gateway = connector.inside.registryFor("api-gateway");
    const { as, id } = await paired("RUNTIME");
    await as.ask("mutation { revokeCertificate }");
    // Events of other tests may be told between.
    const told = async () => {
      const request = { after: 0, types: ["certificate.revoked" as const], waitSeconds: 1 };
      const { events } = await gateway.watch(request);
      return events.filter((event) => event.data["consumerID"] === id);
    };
    await expect
      .poll(told, { timeout: 10_000 })
      .toMatchObject([
        { tenant: tenant.id, data: { hash: expect.stringMatching(/^[0-9a-f]{64}$/) } },
      ]);
  });

  it("of one who is unregistered takes its certificates and its unused tokens, and those of nobody else", async () => {
    const leaving = await paired("RUNTIME", 2);
    const staying = await paired("RUNTIME");
    const token = await connector.withToken(await tenant.issue("RUNTIME", leaving.id));
    await connector.revocations.revokeConsumer(tenant.id, "RUNTIME", leaving.id, {
      type: "SERVICE",
      id: "director",
    });
    expect(await states({ runtimeID: leaving.id })).toEqual(["REVOKED", "REVOKED"]);
    expect(await states({ runtimeID: staying.id })).toEqual(["VALID"]);
    expect(await token.refusal(CONFIGURATION)).toMatch(/^UNAUTHENTICATED/);
  });

  it("needs the scope, something that is named, and reaches no other tenant's certificate", async () => {
    const { id, as, serials } = await paired("APPLICATION");
    expect(await as.refusal(revoke, { a: id })).toMatch(/^INSUFFICIENT_SCOPES/);
    expect(await tenant.admin.refusal(revoke, {})).toMatch(/^INVALID_DATA/);
    expect(
      await tenant.admin.refusal(revoke, { s: Array.from({ length: 201 }, () => "aa") }),
    ).toMatch(/^INVALID_DATA/);
    const other = await connector.tenant();
    expect((await other.admin.ask(revoke, { s: serials, a: id, r: id })).x).toBe(0);
    expect(await states({ applicationID: id })).toEqual(["VALID"]);
  });
});

describe("the list of certificates", () => {
  it("is filtered by holder, serial number and state", async () => {
    const own = await connector.tenant();
    const one = await paired("APPLICATION", 2, own);
    const two = await paired("RUNTIME", 1, own);
    await one.as.ask("mutation { revokeCertificate }");
    const cases: readonly (readonly [object, readonly string[]])[] = [
      [{}, ["REVOKED", "VALID", "VALID"]],
      [{ state: "REVOKED" }, ["REVOKED"]],
      [{ state: "VALID" }, ["VALID", "VALID"]],
      [{ state: "EXPIRED" }, []],
      [{ applicationID: one.id, state: "VALID" }, ["VALID"]],
      [{ runtimeID: one.id }, []],
      [{ applicationID: "x" }, []],
      [{ serialNumber: two.serials[0]?.toUpperCase() }, ["VALID"]],
      [{ serialNumber: two.serials[0], applicationID: one.id }, []],
    ];
    for (const [filter, expected] of cases)
      expect([filter, await states(filter, own.admin)]).toEqual([filter, expected]);
  });

  it("has for a paired caller its own alone, by list and as a part of what the supergraph asks", async () => {
    const one = await paired("APPLICATION");
    const two = await paired("RUNTIME");
    expect(await states({}, one.as)).toEqual(["VALID"]);
    expect(await states({ runtimeID: two.id }, one.as)).toEqual([]);
    const entities = `query($r: [_Any!]!) { _entities(representations: $r) { ... on Runtime { certificates { totalCount } } } }`;
    const r = [{ __typename: "Runtime", id: two.id }];
    expect((await one.as.ask(entities, { r }))._entities).toEqual([
      { certificates: { totalCount: 0 } },
    ]);
    expect((await two.as.ask(entities, { r }))._entities).toEqual([
      { certificates: { totalCount: 1 } },
    ]);
    const other = await connector.tenant();
    expect((await other.admin.ask(entities, { r }))._entities).toEqual([
      { certificates: { totalCount: 0 } },
    ]);
    expect(await states({ runtimeID: two.id }, other.admin)).toEqual([]);
  });
});
