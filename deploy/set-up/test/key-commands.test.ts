import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { utimesSync } from "node:fs";
import { join } from "node:path";
import { readServiceKeys, serviceNames } from "@sextant/identity";
import { readCertificateChain } from "@sextant/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { setUp } from "../src/set-up.ts";
import { startKeys } from "./keys-process.ts";

let started: Awaited<ReturnType<typeof startKeys>>;
let sealedByOthers = 0;
beforeAll(async () => {
  started = await startKeys({
    setUp: { internalHosts: ["director.plane.svc"] },
    path: "/secrets",
    opsSetting: "SEXTANT_DIRECTOR_OPS_URL",
    told: () => ({ sealedByOthers }),
  });
});
afterAll(() => started.close());

const aPlane = (): string => started.aPlane();
const keys = (home: string, words: string, running?: boolean) => started.keys(home, words, running);
const file = (home: string, name: string) => started.file(home, name);
const digest = (text: string) => createHash("sha256").update(text).digest("hex");

describe("the signing keys of the services", () => {
  const kids = (home: string) =>
    serviceNames.map((service) => {
      const { kid, trust } = readServiceKeys(join(home, "keys", service), service);
      return { signs: kid, trusted: trust.issuers[service]?.map((key) => key.kid) };
    });

  it("are trusted before they are used, and the ones before until they are retired", async () => {
    const home = aPlane();
    const [before] = kids(home);
    expect(await keys(home, "identity prepare")).toMatchObject({ status: 0 });
    for (const { signs, trusted } of kids(home))
      expect([trusted?.[0], trusted?.length]).toEqual([signs, 2]);
    expect(kids(home)[0]?.signs).toBe(before?.signs);

    expect(await keys(home, "identity activate")).toMatchObject({ status: 0 });
    const [after] = kids(home);
    expect(after?.signs).not.toBe(before?.signs);
    expect(after?.trusted).toContain(before?.signs);

    expect(await keys(home, "identity retire")).toMatchObject({
      status: 1,
      err: expect.stringContaining("tokens that were signed before are good for"),
    });
    const longAgo = new Date(Date.now() - 3_700_000);
    for (const service of serviceNames)
      utimesSync(join(home, "keys", service, "service-key.pem"), longAgo, longAgo);
    expect(await keys(home, "identity retire")).toMatchObject({ status: 0 });
    for (const { signs, trusted } of kids(home)) expect(trusted).toEqual([signs]);
    expect(kids(home)[0]?.signs).toBe(after?.signs);
  });

  it("go back by activating again, at any time before that", async () => {
    const home = aPlane();
    const before = kids(home).map(({ signs }) => signs);
    await keys(home, "identity prepare");
    await keys(home, "identity activate");
    await keys(home, "identity activate");
    expect(kids(home).map(({ signs }) => signs)).toEqual(before);
    expect(await keys(home, "identity retire --force")).toMatchObject({ status: 0 });
    expect(kids(home).map(({ trusted }) => trusted)).toEqual(before.map((kid) => [kid]));
  });

  it("are the same to a later start of the plane", async () => {
    const home = aPlane();
    await keys(home, "identity prepare");
    const before = file(home, "director/trust.json");
    await setUp({ home, internalHosts: ["director.plane.svc"], now: new Date() });
    expect(file(home, "director/trust.json")).toBe(before);
  });
});

describe("the internal authority", () => {
  const verifies = (home: string): boolean =>
    serviceNames.every((service) => {
      const [ca, cert] = ["internal-ca.pem", "internal-cert.pem"].map((name) =>
        join(home, "keys", service, name),
      ) as [string, string];
      const args = ["verify", "-x509_strict", "-verify_hostname", "director.plane.svc"];
      return execFileSync("openssl", [...args, "-CAfile", ca, cert])
        .toString()
        .includes("OK");
    });

  it("is trusted by all before any certificate is of it, and what it issues keeps its names", async () => {
    const home = aPlane();
    const before = file(home, "director/internal-cert.pem");
    expect(await keys(home, "internal prepare")).toMatchObject({ status: 0 });
    expect(file(home, "director/internal-cert.pem")).toBe(before);
    expect(readCertificateChain(file(home, "director/internal-ca.pem"))).toHaveLength(2);
    expect(verifies(home)).toBe(true);
    expect(await keys(home, "internal activate")).toMatchObject({ status: 0 });
    expect(file(home, "director/internal-cert.pem")).not.toBe(before);
    expect(verifies(home)).toBe(true);
    expect(await keys(home, "internal retire")).toMatchObject({ status: 0 });
    expect(readCertificateChain(file(home, "director/internal-ca.pem"))).toHaveLength(1);
    expect(verifies(home)).toBe(true);
    const after = file(home, "director/internal-cert.pem");
    await setUp({ home, internalHosts: ["director.plane.svc"], now: new Date() });
    expect(file(home, "director/internal-cert.pem")).toBe(after);
  });
});

describe("Director's data key", () => {
  const lines = (home: string) => file(home, "director/data-key").split("\n").filter(Boolean);

  it("is added, used and left alone in three steps, and digests stay those of the first", async () => {
    const home = aPlane();
    const [first] = lines(home);
    expect(await keys(home, "data prepare")).toMatchObject({ status: 0 });
    const [used, other] = lines(home);
    expect([used, other === first]).toEqual([first, false]);
    const digesting = file(home, "director/digest-key");
    await keys(home, "data activate");
    expect(lines(home)).toEqual([other, first]);
    sealedByOthers = 12;
    expect(await keys(home, "data retire")).toMatchObject({
      status: 1,
      err: expect.stringContaining("12 secrets are sealed by the other key"),
    });
    expect((await keys(home, "data")).out).toContain("12 secrets are sealed by another key");
    expect(await keys(home, "data retire", false)).toMatchObject({
      status: 1,
      err: expect.stringContaining("the plane is not running"),
    });
    sealedByOthers = 0;
    expect(await keys(home, "data retire")).toMatchObject({ status: 0 });
    expect(lines(home)).toEqual([other]);
    await keys(home, "data prepare");
    expect(file(home, "director/digest-key")).toBe(digesting);
  });
});

describe("every key", () => {
  it.each(["identity", "internal", "data"])(
    "of %s: a step that does not fit changes nothing, and says what does",
    async (what) => {
      const home = aPlane();
      const files = [
        "director/service-key.pem",
        "offline/internal-ca-key.pem",
        "director/data-key",
      ];
      const state = () => digest(files.map((name) => file(home, name)).join());
      const before = state();
      for (const step of ["activate", "retire --force"]) {
        expect(await keys(home, `${what} ${step}`)).toMatchObject({
          status: 1,
          err: expect.stringContaining(`${what} prepare`),
        });
      }
      expect(state()).toBe(before);
      expect((await keys(home, what)).out).toContain("one key, in use");
      await keys(home, `${what} prepare`);
      const prepared = state();
      expect(await keys(home, `${what} prepare`)).toMatchObject({
        status: 1,
        err: expect.stringContaining("is prepared already"),
      });
      expect(state()).toBe(prepared);
      expect((await keys(home, what)).out).toContain("two keys");
      expect(await keys(home, `${what} turn`)).toMatchObject({ status: 1 });
    },
  );
});
