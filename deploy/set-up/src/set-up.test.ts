import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash, createPublicKey } from "node:crypto";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readServiceKeys, serviceNames } from "@sextant/identity";
import { readCertificate, readCertificateChain, spkiPin } from "@sextant/x509";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planeHosts, setUp, SetUpError, type SetUpResult } from "./index.ts";

const now = new Date();
const inDays = (days: number): Date => new Date(now.getTime() + days * 86_400_000);
const scratch = mkdtempSync(join(tmpdir(), "sextant-set-up-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
let homes = 0;
const newHome = (): string => join(scratch, `home-${(homes += 1)}`);

const filesOf = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)))
    .toSorted();
const contents = (directory: string): Record<string, string> =>
  Object.fromEntries(
    filesOf(directory).map((file) => [file, readFileSync(join(directory, file), "base64")]),
  );
const openssl = (...args: string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", stdio: "pipe" });

/** Every statement that must be true of a plane's keys. */
function expectWhole(home: string, result: SetUpResult): void {
  const gateway = join(home, "keys", "api-gateway");
  const chain = join(gateway, "tls-cert.pem");
  const verify = (...args: string[]) => openssl("verify", "-x509_strict", ...args);
  expect(
    verify(
      "-purpose",
      "sslserver",
      "-verify_hostname",
      "localhost",
      "-CAfile",
      result.caFile,
      "-untrusted",
      chain,
      chain,
    ),
  ).toContain("OK");
  for (const service of serviceNames) {
    const directory = join(home, "keys", service);
    const internal = join(directory, "internal-cert.pem");
    for (const purpose of ["sslserver", "sslclient"]) {
      expect(
        verify(
          "-purpose",
          purpose,
          "-verify_hostname",
          service,
          "-CAfile",
          join(directory, "internal-ca.pem"),
          internal,
        ),
      ).toContain("OK");
    }
    expect(
      createPublicKey(readFileSync(join(directory, "internal-key.pem"))).equals(
        readCertificate(readFileSync(internal, "utf8")).publicKey,
      ),
    ).toBe(true);
    const keys = readServiceKeys(directory, service);
    expect(createPublicKey(keys.privateKey).export({ format: "pem", type: "spki" })).toBe(
      keys.trust.issuers[service]?.[0]?.publicKey,
    );
  }
  const bootstrap = JSON.parse(readFileSync(join(home, "bootstrap.json"), "utf8")) as Record<
    string,
    unknown
  >;
  expect(bootstrap["adminTokenHash"]).toBe(
    createHash("sha256").update(result.adminToken).digest("hex"),
  );
  expect(filesOf(home)).toEqual(LAYOUT);
}

const LAYOUT = [
  "admin-token",
  "bootstrap.json",
  "ca.pem",
  ...["internal-ca-key.pem", "internal-ca.pem", "root-key.pem"].map(
    (file) => `keys/offline/${file}`,
  ),
  ...serviceNames.flatMap((service) =>
    [
      "internal-ca.pem",
      "internal-cert.pem",
      "internal-key.pem",
      "service-key.pem",
      "trust.json",
    ].map((file) => `keys/${service}/${file}`),
  ),
  ...["client-ca.pem", "ticket-keys", "tls-cert.pem", "tls-key.pem"].map(
    (file) => `keys/api-gateway/${file}`,
  ),
  ...["cert.pem", "key.pem", "root.pem"].map((file) => `keys/connector/authorities/1/${file}`),
  "keys/connector/active-authority",
  "keys/connector/token-key",
  "keys/director/data-key",
  "keys/registry/bootstrap.json",
  "keys/registry/database-password",
  "keys/runtime-provisioner/root-cert.pem",
].toSorted();

let home: string;
let result: SetUpResult;
beforeAll(async () => {
  home = newHome();
  result = await setUp({ home, publicHosts: ["plane.example.com", "10.1.2.3"], now });
});

describe("a first run", () => {
  it("makes every file of the layout, and openssl verifies every certificate", () => {
    expectWhole(home, result);
    expect(result.created).toBe(true);
  });

  it("lets nobody but the owner read anything but the root's certificate", () => {
    for (const file of filesOf(home)) {
      expect([file, statSync(join(home, file)).mode & 0o777]).toEqual([
        file,
        file === "ca.pem" ? 0o644 : 0o600,
      ]);
    }
    for (const directory of ["offline", ...serviceNames]) {
      expect(statSync(join(home, "keys", directory)).mode & 0o777).toBe(0o700);
    }
  });

  it("gives no secret to two services", () => {
    const secrets = filesOf(home).filter((file) =>
      /-key|\/key\.pem|ticket-keys|database-password|admin-token/.test(file),
    );
    const hashes = secrets.map((file) => readFileSync(join(home, file), "base64"));
    expect(secrets.length).toBeGreaterThan(15);
    expect(new Set(hashes).size).toBe(secrets.length);
  });

  it("makes a server certificate for the public names, the loopback ones and no others", () => {
    const [leaf, intermediate, root, more] = readCertificateChain(
      readFileSync(join(home, "keys/api-gateway/tls-cert.pem"), "utf8"),
    );
    expect(leaf?.names).toEqual({
      dns: ["localhost", "plane.example.com"],
      ip: ["127.0.0.1", "::1", "10.1.2.3"],
      uri: [],
    });
    expect(intermediate?.x509.ca).toBe(true);
    expect(root?.pem).toBe(readFileSync(result.caFile, "utf8"));
    expect(more).toBeUndefined();
  });

  it("tells the root's fingerprint and pin as openssl computes them", () => {
    expect(openssl("x509", "-in", result.caFile, "-noout", "-fingerprint", "-sha256")).toContain(
      result.caFingerprint,
    );
    expect(result.caPin).toBe(spkiPin(readCertificate(readFileSync(result.caFile, "utf8"))));
  });

  it("makes an admin token of 256 bits, and stores no more than its hash for the registry", () => {
    expect(result.adminToken).toMatch(/^sxt_[A-Za-z0-9_-]{43}$/);
    const bootstrap = readFileSync(join(home, "keys/registry/bootstrap.json"), "utf8");
    expect(JSON.parse(bootstrap)).toMatchObject({
      tenant: { externalID: "default", name: "Default" },
    });
    expect(bootstrap).not.toContain(result.adminToken);
  });
});

describe("another run", () => {
  const copy = (): string => {
    const target = newHome();
    cpSync(home, target, { recursive: true });
    return target;
  };
  const hosts = ["plane.example.com", "10.1.2.3"];

  it("changes nothing at all", async () => {
    const before = contents(home);
    const again = await setUp({ home, publicHosts: hosts.toReversed(), now: inDays(300) });
    expect(again).toEqual({ ...result, created: false });
    expect(contents(home)).toEqual(before);
  });

  it("completes what a run has left that was cut short after any of its files", async () => {
    const inOrder = filesOf(home).toSorted((left, right) =>
      Number(
        statSync(join(home, left), { bigint: true }).mtimeNs -
          statSync(join(home, right), { bigint: true }).mtimeNs,
      ),
    );
    const lastOfAuthority = inOrder.findLast((file) => file.includes("/authorities/")) ?? "";
    for (let made = 0; made < inOrder.length; made += 3) {
      const target = newHome();
      mkdirSync(target);
      const isHalf = (file: string): boolean =>
        file.includes("/authorities/") && !inOrder.slice(0, made).includes(lastOfAuthority);
      // An authority's directory appears whole.
      for (const file of inOrder.slice(0, made).filter((one) => !isHalf(one))) {
        mkdirSync(dirname(join(target, file)), { recursive: true });
        cpSync(join(home, file), join(target, file));
      }
      const kept = contents(target);
      expectWhole(target, await setUp({ home: target, publicHosts: hosts, now }));
      expect(contents(target)).toMatchObject(kept);
    }
  }, 60_000);

  it("survives being killed at any moment", async () => {
    const target = newHome();
    for (const wait of [60, 90, 120, 150, 180]) {
      const child = spawn(process.execPath, [join(import.meta.dirname, "main.ts")], {
        env: { PATH: process.env["PATH"], SEXTANT_HOME: target },
        stdio: "ignore",
      });
      await delay(wait);
      child.kill("SIGKILL");
    }
    const finished = await setUp({ home: target, now });
    const temporary = filesOf(target).filter((file) => /\.tmp(?:\/|$)/.test(file));
    for (const file of temporary) rmSync(join(target, file));
    expectWhole(target, finished);
  });

  it("at the same time as a third ends with one set of keys", async () => {
    const target = newHome();
    const [left, right] = await Promise.all([
      setUp({ home: target, now }),
      setUp({ home: target, now }),
    ]);
    expect({ ...left, created: true }).toEqual({ ...right, created: true });
    expectWhole(target, left);
  });

  it("removes what a killed run left half written, once it is old", async () => {
    const target = copy();
    const left = join(
      target,
      "keys/connector/.ca-key.pem.3e64ebae-38b5-46a0-b1ed-9ccee153a0ae.tmp",
    );
    writeFileSync(left, "secret");
    await setUp({ home: target, publicHosts: hosts, now });
    expect(filesOf(target)).toContain(relative(target, left));
    await setUp({ home: target, publicHosts: hosts, now: new Date(Date.now() + 7_200_000) });
    expect(filesOf(target)).toEqual(LAYOUT);
  });

  it("issues the server certificate again for other host names, with the same key", async () => {
    const target = copy();
    const before = contents(target);
    await setUp({ home: target, publicHosts: ["other.example.com"], now });
    const { "keys/api-gateway/tls-cert.pem": _old, ...others } = before;
    expect(contents(target)).toMatchObject(others);
    const [leaf] = readCertificateChain(
      readFileSync(join(target, "keys/api-gateway/tls-cert.pem"), "utf8"),
    );
    expect(leaf?.names.dns).toEqual(["localhost", "other.example.com"]);
    expect(
      leaf?.publicKey.equals(
        createPublicKey(readFileSync(join(target, "keys/api-gateway/tls-key.pem"))),
      ),
    ).toBe(true);
  });

  it("issues server and internal certificates again when a year has passed, before they end", async () => {
    const target = copy();
    const certificates = filesOf(target).filter((file) => /(?:tls|internal)-cert\.pem$/.test(file));
    expect(certificates).toHaveLength(6);
    const before = contents(target);
    await setUp({ home: target, publicHosts: hosts, now: inDays(365) });
    const after = contents(target);
    expect(filesOf(target).filter((file) => before[file] !== after[file])).toEqual(certificates);
  });

  it("needs no root key, which may be kept elsewhere", async () => {
    const target = copy();
    rmSync(join(target, "keys/offline/root-key.pem"));
    await setUp({ home: target, publicHosts: ["new.example.com"], now });
    expect(filesOf(target)).not.toContain("keys/offline/root-key.pem");
  });

  it("makes no new key for an authority whose key is lost, but says what to do", async () => {
    const target = copy();
    rmSync(join(target, "keys/connector/authorities/1/key.pem"));
    await expect(setUp({ home: target, publicHosts: hosts, now })).rejects.toThrow(
      "restore it from a backup",
    );
    expect(filesOf(target)).not.toContain("keys/connector/authorities/1/key.pem");
  });

  it("makes a new admin token after the old one was removed, and tells the registry", async () => {
    const target = copy();
    rmSync(join(target, "admin-token"));
    const renewed = await setUp({ home: target, publicHosts: hosts, now });
    expect(renewed.adminToken).not.toBe(result.adminToken);
    expectWhole(target, renewed);
  });

  it("refuses keys that belong to another plane", async () => {
    const target = newHome();
    const keys = newHome();
    await setUp({ home: target, keys, now });
    await expect(setUp({ home, keys, now })).rejects.toThrow("belong to another plane");
  });

  it("finds the root again in the connector's keys when the home directory was lost", async () => {
    const keys = newHome();
    const first = await setUp({ home: newHome(), keys, now });
    const second = await setUp({ home: newHome(), keys, now });
    expect(second).toMatchObject({ caFingerprint: first.caFingerprint, created: false });
  });
});

describe("host names", () => {
  it("come from the URLs, the machine and the operator, each once", () => {
    expect(
      planeHosts({
        urls: [
          "https://plane.example.com:8443",
          "https://plane.example.com:8444",
          "https://[2001:db8::1]",
          undefined,
        ],
        extra: ["10.0.0.1"],
        hostname: "build_host",
      }),
    ).toEqual(["plane.example.com", "2001:db8::1", "10.0.0.1"]);
    expect(planeHosts({ hostname: "laptop" })).toEqual(["laptop"]);
  });

  it("that a certificate cannot have are refused before anything is made", async () => {
    const target = newHome();
    await expect(setUp({ home: target, publicHosts: ["a b"], now })).rejects.toThrow(SetUpError);
    await expect(setUp({ home: target, internalHosts: ["x_y"], now })).rejects.toThrow(
      '"x_y" is neither',
    );
    expect(() => statSync(target)).toThrow("ENOENT");
  });
});

describe("the process", () => {
  const run = (env: Record<string, string>, ...words: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dirname, "main.ts"), ...words], {
      env,
      encoding: "utf8",
    });

  it("fills one directory for each service, and keeps the offline keys apart", () => {
    const target = newHome();
    const keys = newHome();
    const { status, stdout } = run({
      SEXTANT_HOME: target,
      SEXTANT_KEYS_TARGETS: keys,
      SEXTANT_PUBLIC_URL: "https://plane.example.com:8443",
      SEXTANT_TLS_HOSTS: "api-gateway, 10.0.0.9",
    });
    expect([status, stdout]).toEqual([0, expect.stringContaining("the plane is set up")]);
    expect(readdirSync(keys).toSorted()).toEqual(serviceNames.toSorted());
    expect(filesOf(target)).toEqual(
      LAYOUT.filter((file) => !file.startsWith("keys/") || file.startsWith("keys/offline/")),
    );
    const [leaf] = readCertificateChain(
      readFileSync(join(keys, "api-gateway/tls-cert.pem"), "utf8"),
    );
    expect(leaf?.names).toMatchObject({
      dns: ["localhost", "plane.example.com", "api-gateway"],
      ip: ["127.0.0.1", "::1", "10.0.0.9"],
    });
    expect(stdout).not.toContain(readFileSync(join(target, "admin-token"), "utf8"));
  });

  it("makes the database owner's password once, and lets whoever has its directory read it", () => {
    const password = join(newHome(), "database-password");
    mkdirSync(dirname(password));
    const env = { SEXTANT_HOME: newHome(), SEXTANT_DATABASE_PASSWORD_FILE: password };
    expect(run(env).status).toBe(0);
    const first = readFileSync(password, "utf8");
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(statSync(password).mode & 0o777).toBe(0o444);
    expect(run(env).status).toBe(0);
    expect(readFileSync(password, "utf8")).toBe(first);
  });

  it("shows how to reach the plane and its root, and makes nothing for that", () => {
    const urls = {
      SEXTANT_PUBLIC_URL: "https://plane.example.com:8443",
      SEXTANT_MTLS_URL: "https://plane.example.com:8444",
    };
    const { status, stdout } = run({ SEXTANT_HOME: home, ...urls }, "show");
    expect([status, JSON.parse(stdout)]).toEqual([
      0,
      {
        publicURL: urls.SEXTANT_PUBLIC_URL,
        mtlsURL: urls.SEXTANT_MTLS_URL,
        tenant: "default",
        adminToken: result.adminToken,
        ca: readFileSync(result.caFile, "utf8"),
        caFingerprint: result.caFingerprint,
        caPin: `sha256//${result.caPin}`,
      },
    ]);
    expect(run({ SEXTANT_HOME: home }, "show", "ca").stdout).toBe(
      readFileSync(result.caFile, "utf8"),
    );
    const target = newHome();
    const early = run({ SEXTANT_HOME: target, ...urls }, "show");
    expect([early.status, early.stderr]).toEqual([1, expect.stringContaining("not set up yet")]);
    expect(() => statSync(target)).toThrow("ENOENT");
    expect(run({ SEXTANT_HOME: home }, "sow").stderr).toContain('"sow" is not understood');
  });

  it("names every wrong setting, or the path that it cannot use, and ends with 1", () => {
    const faulty = run({ SEXTANT_PUBLIC_URL: "x", SEXTANT_KEYS_OWNER: "node" });
    expect([faulty.status, faulty.stderr]).toEqual([
      1,
      expect.stringMatching(/SEXTANT_HOME[^]*SEXTANT_PUBLIC_URL[^]*SEXTANT_KEYS_OWNER/),
    ]);
    const half = run({ SEXTANT_HOME: newHome(), SEXTANT_CA_CHAIN_FILE: "chain.pem" });
    expect([half.status, half.stderr]).toEqual([1, expect.stringContaining("SEXTANT_CA_KEY_FILE")]);
    const file = newHome();
    writeFileSync(file, "");
    const blocked = run({ SEXTANT_HOME: file });
    expect([blocked.status, blocked.stderr]).toEqual([
      1,
      expect.stringContaining("is not a directory"),
    ]);
  });
});
