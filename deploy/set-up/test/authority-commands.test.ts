import { execFileSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  createCertificateAuthority,
  createKeyPair,
  createSerial,
  readCertificateChain,
  type CertificateAuthority,
} from "@sextant/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TrustState } from "../src/plane-state.ts";
import { requireAuthorities, trustBundleOf } from "../src/public-authorities.ts";
import { placesOf, setUp } from "../src/set-up.ts";
import { startKeys } from "./keys-process.ts";

let started: Awaited<ReturnType<typeof startKeys>>;
/** What the plane tells of who trusts whom. */
let told: TrustState = { runtimes: [], certificates: [] };
beforeAll(async () => {
  started = await startKeys({
    setUp: { publicHosts: ["plane.example.com"] },
    path: "/trust",
    opsSetting: "SEXTANT_CONNECTOR_OPS_URL",
    told: () => told,
  });
});
afterAll(() => started.close());

const aPlane = (): string => started.aPlane();
const keys = (home: string, words: string, running?: boolean) => started.keys(home, words, running);
const file = (home: string, name: string) => started.file(home, name);
const verifies = (home: string): boolean => {
  const chain = join(home, "keys/api-gateway/tls-cert.pem");
  const args = ["-CAfile", join(home, "ca.pem"), "-untrusted", chain, chain];
  return execFileSync("openssl", [
    "verify",
    "-x509_strict",
    "-verify_hostname",
    "plane.example.com",
    ...args,
  ])
    .toString()
    .includes("OK");
};
const bundleHash = async (home: string): Promise<string> =>
  createHash("sha256")
    .update(trustBundleOf(await requireAuthorities(placesOf({ home }).authorities)))
    .digest("hex");
const keyIdentifier = async (home: string, id: string): Promise<string> => {
  const { all } = await requireAuthorities(placesOf({ home }).authorities);
  return String(all.find((one) => one.id === id)?.authority.issuer.keyId.toString("hex"));
};

describe("a change of the authority", () => {
  it("goes from prepared to active to the only one, and the plane can be verified at each step", async () => {
    const home = aPlane();
    const old = file(home, "connector/authorities/1/cert.pem");
    const oldRoot = readFileSync(join(home, "ca.pem"), "utf8");

    told = { runtimes: [], certificates: [] };
    const prepared = await keys(home, "ca prepare --new-root");
    expect(prepared).toMatchObject({ status: 0, out: expect.stringContaining("ca activate 2") });
    const next = file(home, "connector/authorities/2/cert.pem");
    expect(file(home, "api-gateway/client-ca.pem")).toContain(next);
    expect(file(home, "connector/active-authority")).toBe("1\n");
    expect(file(home, "api-gateway/tls-cert.pem")).toContain(old);
    expect(readFileSync(join(home, "ca.pem"), "utf8").startsWith(oldRoot)).toBe(true);
    expect(verifies(home)).toBe(true);

    const hash = await bundleHash(home);
    told = { runtimes: [{ trustBundle: hash, count: 3 }], certificates: [] };
    expect(await keys(home, "ca activate 2")).toMatchObject({ status: 0 });
    expect(file(home, "connector/active-authority")).toBe("2\n");
    expect(file(home, "api-gateway/tls-cert.pem")).toContain(next);
    expect(file(home, "api-gateway/client-ca.pem")).toContain(old);
    expect(file(home, "runtime-provisioner/root-cert.pem")).toBe(
      file(home, "connector/authorities/2/root.pem"),
    );
    expect(verifies(home)).toBe(true);

    expect(await keys(home, "ca retire 1")).toMatchObject({ status: 0 });
    expect(existsSync(join(home, "keys/connector/authorities/1"))).toBe(false);
    expect(file(home, "api-gateway/client-ca.pem")).not.toContain(old);
    expect(readFileSync(join(home, "ca.pem"), "utf8")).toBe(
      file(home, "connector/authorities/2/root.pem"),
    );
    expect(verifies(home)).toBe(true);
    expect(file(home, "offline/retired-1.pem")).toBe(old);
    // A later start changes nothing of it.
    const server = file(home, "api-gateway/tls-cert.pem");
    await setUp({ home, publicHosts: ["plane.example.com"], now: new Date() });
    expect(file(home, "api-gateway/tls-cert.pem")).toBe(server);
  });

  it("keeps the names of the server certificate, and is below the same root unless told otherwise", async () => {
    const home = aPlane();
    const root = readFileSync(join(home, "ca.pem"), "utf8");
    await keys(home, "ca prepare");
    expect(readFileSync(join(home, "ca.pem"), "utf8")).toBe(root);
    await keys(home, "ca activate 2 --force");
    const [leaf, above] = readCertificateChain(file(home, "api-gateway/tls-cert.pem"));
    expect(leaf?.names.dns).toEqual(["localhost", "plane.example.com"]);
    expect(above?.subject).toBe("O=Sextant,CN=Sextant Intermediate CA 2");
    expect(verifies(home)).toBe(true);
  });

  it("is undone by activating the one before, at any time before that is retired", async () => {
    const home = aPlane();
    const before = file(home, "api-gateway/tls-cert.pem").split(/(?<=END CERTIFICATE-----\n)/)[1];
    await keys(home, "ca prepare --new-root");
    await keys(home, "ca activate 2 --force");
    expect(await keys(home, "ca activate 1 --force")).toMatchObject({ status: 0 });
    expect(file(home, "api-gateway/tls-cert.pem")).toContain(before);
    expect(verifies(home)).toBe(true);
    expect(await keys(home, "ca retire 2 --force")).toMatchObject({ status: 0 });
    expect(verifies(home)).toBe(true);
  });

  it("is refused while too few runtimes know the authority, and says how many do", async () => {
    const home = aPlane();
    await keys(home, "ca prepare");
    const hash = await bundleHash(home);
    told = {
      runtimes: [
        { trustBundle: hash, count: 9 },
        { trustBundle: "0".repeat(64), count: 2 },
        { trustBundle: null, count: 1 },
      ],
      certificates: [],
    };
    const refused = await keys(home, "ca activate 2");
    expect(refused).toMatchObject({ status: 1, err: expect.stringContaining("9 of 12 runtimes") });
    expect((await keys(home, "ca")).out).toContain("9 know these authorities");
    expect(file(home, "connector/active-authority")).toBe("1\n");
    expect(await keys(home, "ca activate 2 --at-least=80")).toMatchObject({ status: 1 });
    expect(await keys(home, "ca activate 2 --at-least=75")).toMatchObject({ status: 0 });
    expect(await keys(home, "ca activate 2 --at-least=75")).toMatchObject({
      status: 0,
      out: "authority 2 signs already\n",
    });
  });

  it("removes no authority that signs, or whose certificates are in force", async () => {
    const home = aPlane();
    await keys(home, "ca prepare");
    expect(await keys(home, "ca retire 1")).toMatchObject({
      status: 1,
      err: expect.stringContaining("activate another one first"),
    });
    await keys(home, "ca activate 2 --force");
    const issuerKeyID = await keyIdentifier(home, "1");
    told = { runtimes: [], certificates: [{ issuerKeyID, count: 7 }] };
    expect(await keys(home, "ca retire 1")).toMatchObject({
      status: 1,
      err: expect.stringContaining("7 client certificates of authority 1 are in force"),
    });
    expect((await keys(home, "ca")).out).toMatch(/^1 +trusted .* 7$/m);
    told = { runtimes: [], certificates: [] };
    expect(await keys(home, "ca retire 1")).toMatchObject({ status: 0 });
  });

  it("is refused when there is no plane to ask, unless told not to ask", async () => {
    const home = aPlane();
    await keys(home, "ca prepare", false);
    expect(await keys(home, "ca activate 2", false)).toMatchObject({
      status: 1,
      err: expect.stringContaining("the plane is not running"),
    });
    expect(await keys(home, "ca activate 2 --force", false)).toMatchObject({ status: 0 });
    expect((await keys(home, "ca", false)).out).toContain("The plane is not running");
  });

  it("below the same root needs the root's key, and says so", async () => {
    const home = aPlane();
    renameSync(join(home, "keys/offline/root-key.pem"), join(home, "kept-elsewhere"));
    expect(await keys(home, "ca prepare")).toMatchObject({
      status: 1,
      err: expect.stringContaining("put root-key.pem back for this run"),
    });
    expect(existsSync(join(home, "keys/connector/authorities/2"))).toBe(false);
    expect(await keys(home, "ca prepare --new-root")).toMatchObject({ status: 0 });
  });

  it("names what is not understood, and shows what is", async () => {
    const home = aPlane();
    for (const words of ["ca sign", "ca activate", "ca activate 1 2", "cb", "ca --nonsense"])
      expect(await keys(home, words)).toMatchObject({
        status: 1,
        err: expect.stringContaining("npm run keys -- <command>"),
      });
    expect(await keys(home, "ca activate 7 --force")).toMatchObject({
      status: 1,
      err: expect.stringContaining("there is no authority 7: there are 1"),
    });
    expect(await keys(home, "ca activate 1 --at-least=x")).toMatchObject({
      status: 1,
      err: expect.stringContaining("--at-least must be a percentage"),
    });
    expect(await keys(home, "--help")).toMatchObject({ status: 0 });
  });
});

describe("the operator's own authority", () => {
  const time = {
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + 86_400_000 * 90),
  };
  const whole = (date: Date): Date => new Date(Math.floor(date.getTime() / 1000) * 1000);
  async function anAuthority(parent?: CertificateAuthority, notAfter = time.notAfter) {
    const keyPair = createKeyPair();
    const authority = await createCertificateAuthority({
      keyPair,
      subject: parent === undefined ? "O=Company,CN=Company Root" : "O=Company,CN=Company Plane CA",
      serial: createSerial(randomBytes),
      notBefore: whole(time.notBefore),
      notAfter: whole(notAfter),
      ...(parent === undefined ? {} : { parent }),
    });
    const key = keyPair.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    return { authority, pem: authority.certificate.pem, key };
  }
  let files = 0;
  const stored = (name: string, content: string): string => {
    const path = join(started.scratch, `${(files += 1)}-${name}`);
    writeFileSync(path, content);
    return path;
  };

  it("takes the place of the one that the first run would make, and comes to a plane that has one by a rotation", async () => {
    const root = await anAuthority();
    const own = await anAuthority(root.authority);
    const ownAuthority = {
      chainFile: stored("chain.pem", own.pem + root.pem),
      keyFile: stored("key.pem", own.key),
    };
    const home = join(started.scratch, "own");
    const result = await setUp({
      home,
      publicHosts: ["plane.example.com"],
      ownAuthority,
      now: new Date(),
    });
    expect(readFileSync(result.caFile, "utf8")).toBe(root.pem);
    expect(existsSync(join(home, "keys/offline/root-key.pem"))).toBe(false);
    expect(verifies(home)).toBe(true);
    await setUp({ home, publicHosts: ["plane.example.com"], ownAuthority, now: new Date() });

    const other = aPlane();
    await expect(setUp({ home: other, ownAuthority, now: new Date() })).rejects.toThrow(
      "keys ca prepare",
    );
    const words = `--chain=${ownAuthority.chainFile} --key=${ownAuthority.keyFile}`;
    expect(await keys(other, `ca prepare ${words}`)).toMatchObject({ status: 0 });
    expect(await keys(other, `ca prepare ${words}`)).toMatchObject({ status: 1 });
    await keys(other, "ca activate 2 --force");
    expect(verifies(other)).toBe(true);
  });

  it("is refused when it could not sign or be verified, and nothing is made", async () => {
    const root = await anAuthority();
    const stranger = await anAuthority();
    const own = await anAuthority(root.authority);
    const over = await anAuthority(root.authority, new Date(Date.now() - 1_000));
    const server = readFileSync(join(started.made, "keys/api-gateway/tls-cert.pem"), "utf8");
    const cases: readonly (readonly [string, string, string])[] = [
      [own.pem, own.key, "must hold two certificates"],
      [own.pem + stranger.pem, own.key, "is not signed by the second"],
      [own.pem + root.pem, stranger.key, "cannot be used"],
      [own.pem + root.pem, "no key", "is not a private key"],
      [over.pem + root.pem, over.key, "is not in its time"],
      [
        server
          .split(/(?<=END CERTIFICATE-----\n)/)
          .slice(0, 2)
          .join(""),
        own.key,
        "may not sign certificates",
      ],
      ["nothing", own.key, "not a PEM text"],
    ];
    for (const [chain, key, message] of cases) {
      const home = aPlane();
      const words = `ca prepare --chain=${stored("chain.pem", chain)} --key=${stored("key.pem", key)}`;
      expect(await keys(home, words)).toMatchObject({
        status: 1,
        err: expect.stringContaining(message),
      });
      expect(existsSync(join(home, "keys/connector/authorities/2"))).toBe(false);
    }
  });
});

it("a plane that was made when there was one authority goes on with it", async () => {
  const home = aPlane();
  const from = join(home, "keys/connector/authorities/1");
  for (const [now, before] of [
    ["cert.pem", "ca-cert.pem"],
    ["key.pem", "ca-key.pem"],
    ["root.pem", "root-cert.pem"],
  ] as const)
    renameSync(join(from, now), join(home, "keys/connector", before));
  rmSync(join(home, "keys/connector/authorities"), { recursive: true });
  rmSync(join(home, "keys/connector/active-authority"));
  const server = file(home, "api-gateway/tls-cert.pem");
  await setUp({ home, publicHosts: ["plane.example.com"], now: new Date() });
  expect(file(home, "connector/active-authority")).toBe("1\n");
  expect(file(home, "api-gateway/tls-cert.pem")).toBe(server);
  expect(existsSync(join(home, "keys/connector/ca-key.pem"))).toBe(false);
});
