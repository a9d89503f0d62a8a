import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  CONFIGURATION,
  requestFor,
  SIGN,
  startConnector,
  type TestConnector,
} from "../../test/given.ts";

type Tenant = Awaited<ReturnType<TestConnector["tenant"]>>;

const directory = mkdtempSync(join(tmpdir(), "sextant-crl-"));
let connector: TestConnector;

beforeAll(async () => {
  connector = await startConnector();
  const { context } = connector;
  writeFileSync(join(directory, "root.pem"), context.authorities.current().root);
  writeFileSync(join(directory, "intermediate.pem"), context.authorities.current().certificate.pem);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await connector.close();
});

const openssl = (...words: readonly string[]): string => {
  try {
    return execFileSync("openssl", words, { cwd: directory, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return `refused: ${stdout}${stderr}`;
  }
};

const paired = async (tenant: Tenant, name: string) => {
  const id = await tenant.holder("APPLICATION");
  const pairing = await connector.withToken(await tenant.issue("APPLICATION", id));
  const { configuration } = await pairing.ask(CONFIGURATION);
  const signing = await connector.withToken(configuration.token.token);
  const { x } = await signing.ask(SIGN, requestFor("APPLICATION", id));
  const pem = Buffer.from(x.clientCertificate as string, "base64");
  writeFileSync(join(directory, `${name}.pem`), pem);
  const as = await connector.withCertificate(x);
  return { id, as, verify: () => verify(name) };
};
const publish = async (): Promise<string> => {
  const { der } = await connector.revocationLists.list();
  writeFileSync(join(directory, "list.der"), der);
  openssl("crl", "-inform", "DER", "-in", "list.der", "-out", "list.pem");
  const checked = spawnSync(
    "openssl",
    ["crl", "-in", "list.pem", "-CAfile", "intermediate.pem", "-verify", "-noout"],
    {
      cwd: directory,
      encoding: "utf8",
    },
  );
  expect(checked.stderr).toContain("verify OK");
  return openssl("crl", "-in", "list.pem", "-noout", "-text");
};
const verify = (name: string): string =>
  openssl(
    ...["verify", "-x509_strict", "-crl_check", "-CRLfile", "list.pem"],
    ...["-CAfile", "root.pem", "-untrusted", "intermediate.pem", `${name}.pem`],
  );

it("openssl verifies the list, and by it accepts what is in force and refuses what was revoked, of every tenant", async () => {
  const [one, two] = [await connector.tenant(), await connector.tenant()];
  const [kept, own] = [await paired(one, "kept"), await paired(one, "own")];
  const [others, gone] = [await paired(two, "others"), await paired(two, "gone")];
  expect(await publish()).toContain("No Revoked Certificates");
  for (const { verify: verified } of [kept, own, others, gone]) expect(verified()).toMatch(/OK/);

  await own.as.ask("mutation { revokeCertificate(reason: KEY_COMPROMISE) }");
  await two.admin.ask("mutation($id: ID!) { revokeCertificates(applicationID: $id) }", {
    id: others.id,
  });
  const actor = { type: "SERVICE", id: "director" };
  await connector.revocations.revokeConsumer(two.id, "APPLICATION", gone.id, actor);
  const text = await publish();
  expect(kept.verify()).toMatch(/OK/);
  for (const { verify: refused } of [own, others, gone])
    expect(refused()).toMatch(/refused: [^]*certificate revoked/);
  expect(text.match(/Serial Number: /g)).toHaveLength(3);
  expect(text).toMatch(/CRL Reason Code:\s+Key Compromise/);
  expect(text).toMatch(/CRL Reason Code:\s+Cessation Of Operation/);
  expect(text.match(/CRL Reason Code/g)).toHaveLength(2);
  const { keyId } = connector.context.authorities.current();
  const authority = (keyId.toUpperCase().match(/../g) ?? []).join(":");
  expect(text).toMatch(new RegExp(`Authority Key Identifier:\\s+${authority}`));
  for (const hidden of [one.id, two.id, own.id]) expect(text).not.toContain(hidden);
});

it("each list has a greater number than those before, and times that the setting says", async () => {
  const numberOf = async (): Promise<bigint> =>
    BigInt(/X509v3 CRL Number:\s+(\d+|0x[0-9A-F]+)/.exec(await publish())?.[1] ?? "0");
  const [first, second] = [await numberOf(), await numberOf()];
  expect(second).toBeGreaterThan(first);
  const { thisUpdate, nextUpdate } = await connector.revocationLists.list();
  expect(nextUpdate.getTime() - thisUpdate.getTime()).toBe(86_400_000);
  expect(Math.abs(thisUpdate.getTime() - connector.clock.now)).toBeLessThan(60_000);
});

it("lists that are asked for at once are made once for those who wait, and know what was revoked before they were asked for", async () => {
  const tenant = await connector.tenant();
  const { registry } = connector.context;
  const asked = registry.revoked;
  let made = 0;
  registry.revoked = (request) => {
    if (request.after === null) made += 1;
    return asked(request);
  };
  const lists = Array.from({ length: 50 }, () => connector.revocationLists.list());
  const { as, verify: verified } = await paired(tenant, "between");
  await as.ask("mutation { revokeCertificate }");
  await publish();
  expect(verified()).toMatch(/certificate revoked/);
  await Promise.all(lists);
  registry.revoked = asked;
  expect(made).toBeLessThanOrEqual(3);
});

it("there is none of an authority that is not known", async () => {
  await expect(connector.revocationLists.list("0".repeat(40))).rejects.toMatchObject({
    code: "NOT_FOUND",
  });
});
