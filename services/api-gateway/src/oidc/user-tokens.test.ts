import { execFileSync } from "node:child_process";
import { createSecretKey, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultRoles } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { startTestIssuer, type TestIssuer } from "@sextant/testkit";
import { decodeJwt, exportSPKI, importJWK, SignJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchJSON } from "./fetch-json.ts";
import { readIssuers } from "./issuer.ts";
import { createUserTokens } from "./user-tokens.ts";

let issuer: TestIssuer;
let now: number;
beforeEach(async () => {
  issuer = await startTestIssuer();
  now = Date.now();
});
afterEach(() => issuer.close());

const settingsOf = (more: object = {}) => ({
  name: "corp",
  issuer: issuer.url,
  audiences: ["sextant"],
  roles: { claim: "groups", map: { admins: ["admin"], staff: ["viewer"] } },
  tenants: { always: ["acme"] },
  ...more,
});

function verifier(...all: readonly object[]) {
  const text = JSON.stringify(all.length === 0 ? [settingsOf()] : all);
  const { issuers, faults } = readIssuers(text, defaultRoles, true);
  expect(faults).toEqual([]);
  const users = createUserTokens({
    issuers,
    roles: defaultRoles,
    fetchJSON,
    allowHTTP: true,
    now: () => now,
    log: silentLogger,
  });
  return (token: string) => users.verify(token, decodeJwt(token).iss);
}

const refusalOf = async (verify: (token: string) => Promise<unknown>, token: string) => {
  const refusal = await verify(token).then(
    () => ({ code: "accepted", message: "" }),
    (error: { code?: string; message: string }) => error,
  );
  return `${refusal.code ?? "other"}: ${refusal.message}`;
};

describe("a user's token", () => {
  it("says who the user is, stable by issuer and subject, and by claims what the user may do", async () => {
    const user = await verifier()(
      await issuer.token({ groups: ["staff", "others"], preferred_username: "ada@acme" }),
    );
    expect(user).toMatchObject({
      id: "corp:ada",
      name: "ada@acme",
      scopes: defaultRoles["viewer"],
      tenants: ["acme"],
    });
    const odd = await issuer.token({ preferred_username: "a\0b\n\u202ec" });
    expect((await verifier()(odd)).name).toBe("a b c");
    expect((await verifier()(await issuer.token())).scopes).toEqual([]);
  });

  it("is accepted with each of the algorithms that use a public key", async () => {
    for (const alg of ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"]) {
      await issuer.rotate(alg);
      expect((await verifier()(await issuer.token())).id).toBe("corp:ada");
    }
  });

  it("is refused without a signature, and with one by a shared secret that is the public key", async () => {
    const verify = verifier();
    const body = (await issuer.token()).split(".")[1] as string;
    const none = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${body}.`;
    expect(await refusalOf(verify, none)).toMatch(/^UNAUTHENTICATED: the token's algorithm/);
    const [key] = issuer.keys();
    const spki = await exportSPKI((await importJWK(key?.publicJWK ?? {}, "RS256")) as CryptoKey);
    const forged = await new SignJWT(decodeJwt(await issuer.token()))
      .setProtectedHeader({ alg: "HS256", kid: key?.kid ?? "" })
      .sign(createSecretKey(Buffer.from(spki)));
    expect(await refusalOf(verify, forged)).toMatch(/^UNAUTHENTICATED: the token's algorithm/);
  });

  it("is refused with a changed claim, and with an algorithm that the issuer is not set to", async () => {
    const verify = verifier(settingsOf({ algorithms: ["ES256"] }));
    expect(await refusalOf(verify, await issuer.token())).toMatch(/algorithm is not accepted/);
    const [head, , signature] = (await issuer.token()).split(".") as [string, string, string];
    const other = (await issuer.token({ sub: "eve" })).split(".")[1] as string;
    expect(await refusalOf(verifier(), `${head}.${other}.${signature}`)).toMatch(
      /signature is wrong/,
    );
  });

  it("is refused for another audience, before and after its time, from the future and without what it must say", async () => {
    const verify = verifier();
    const second = Math.floor(now / 1000);
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ aud: "another" }, /for another audience/],
      [{ aud: undefined }, /for another audience|claim aud/],
      [{ aud: ["sextant-2", "account"] }, /for another audience/],
      [{ exp: second - 61 }, /has expired/],
      [{ nbf: second + 120 }, /not valid yet/],
      [{ iat: second + 120 }, /issued in the future/],
      [{ exp: undefined }, /claim exp/],
      [{ iat: undefined }, /claim iat/],
      [{ sub: undefined }, /claim sub/],
      [{ sub: "" }, /claim sub/],
      [{ sub: "x".repeat(256) }, /claim sub/],
      [{ sub: "a\0b" }, /claim sub/],
    ];
    for (const [claims, message] of cases) {
      const refusal = await refusalOf(verify, await issuer.token({ ...claims }));
      expect(refusal).toMatch(/^UNAUTHENTICATED/);
      expect(refusal).toMatch(message);
    }
    for (const claims of [{ exp: second - 30 }, { nbf: second + 30 }, { aud: ["a", "sextant"] }])
      expect((await verify(await issuer.token(claims))).id).toBe("corp:ada");
  });

  it("of another issuer is refused, also when it names a key of this one, and so is one that differs by a slash", async () => {
    const other = await startTestIssuer();
    try {
      const verify = verifier();
      expect(await refusalOf(verify, await other.token())).toMatch(/issuer is not known here/);
      const foreign = await issuer.token({}, { kid: issuer.keys()[0]?.kid ?? "" }, other.keys()[0]);
      expect(await refusalOf(verify, foreign)).toMatch(/signature is wrong/);
      const both = verifier(settingsOf(), settingsOf({ name: "two", issuer: other.url }));
      const crossed = await issuer.token({ iss: other.url });
      expect(await refusalOf(both, crossed)).toMatch(/signature is wrong/);
      expect((await both(await other.token())).id).toBe("two:ada");
      expect(await refusalOf(verify, await issuer.token({ iss: `${issuer.url}/` }))).toMatch(
        /not known/,
      );
    } finally {
      await other.close();
    }
  });

  it("cannot name a key of its own: by address, certificate or value", async () => {
    const attacker = await startTestIssuer();
    try {
      const [key] = attacker.keys();
      const headers: readonly object[] = [
        { jku: `${attacker.url}/keys` },
        { jwk: key?.publicJWK },
        { x5u: `${attacker.url}/cert` },
        { x5c: ["MIIB"] },
      ];
      for (const header of headers) {
        const token = await issuer.token({}, { ...header, kid: "theirs" }, key);
        expect(await refusalOf(verifier(), token)).toMatch(
          /^UNAUTHENTICATED: the token's key is none/,
        );
      }
      expect(attacker.asked).toEqual({ configuration: 0, keys: 0 });
    } finally {
      await attacker.close();
    }
  });

  it("with a critical header that is not understood, or of another type, is refused", async () => {
    const [key] = issuer.keys();
    const body = decodeJwt(await issuer.token());
    const critical = await new SignJWT(body)
      .setProtectedHeader({ alg: "RS256", kid: key?.kid ?? "", crit: ["exp2"], exp2: 1 })
      .sign(key?.privateKey as CryptoKey, { crit: { exp2: true } });
    expect(await refusalOf(verifier(), critical)).toMatch(/^UNAUTHENTICATED/);
    for (const typ of ["logout+jwt", "dpop+jwt"])
      expect(await refusalOf(verifier(), await issuer.token({}, { typ }))).toMatch(/of the type/);
    for (const typ of ["JWT", "at+jwt", "application/at+jwt"])
      expect((await verifier()(await issuer.token({}, { typ }))).id).toBe("corp:ada");
  });
});

describe("an issuer's keys", () => {
  it("are read once, for many tokens at a time", async () => {
    const verify = verifier();
    const tokens = await Promise.all(Array.from({ length: 20 }, () => issuer.token()));
    await Promise.all(tokens.map((token) => verify(token)));
    expect(issuer.asked).toEqual({ configuration: 1, keys: 1 });
  });

  it("are read again for a key that is not known, but not for every token that names one", async () => {
    const verify = verifier();
    await verify(await issuer.token());
    await issuer.rotate("ES256");
    now += 11_000;
    await verify(await issuer.token());
    expect(issuer.asked.keys).toBe(2);
    const unknown = await issuer.token({}, { kid: "nobody's" });
    for (let times = 0; times < 10; times += 1)
      expect(await refusalOf(verify, unknown)).toMatch(/key is none of its issuer's/);
    expect(issuer.asked.keys).toBe(2);
  });

  it("go on for a day while the issuer is away, and without any the caller is told to come back", async () => {
    const verify = verifier();
    const token = await issuer.token({ exp: Math.floor(now / 1000) + 1_000_000 });
    await verify(token);
    issuer.turned.away = true;
    now += 86_000_000;
    expect((await verify(token)).id).toBe("corp:ada");
    now += 1_000_000;
    const fresh = await issuer.token({ exp: Math.floor(now / 1000) + 1000 });
    await expect(verify(fresh)).rejects.toMatchObject({ name: "ServiceAwayError" });
    issuer.turned.away = false;
    now += 2_000;
    expect((await verify(fresh)).id).toBe("corp:ada");
  });

  it("that was withdrawn verifies no token any more once they were read again", async () => {
    const verify = verifier();
    const token = await issuer.token({ exp: Math.floor(now / 1000) + 10_000 });
    await verify(token);
    await issuer.rotate();
    now += 601_000;
    await verify(token);
    await expect.poll(() => issuer.asked.keys).toBe(2);
    await expect.poll(() => refusalOf(verify, token)).toMatch(/key is none of its issuer's/);
  });

  it("are not taken from a configuration of another issuer, nor without https where that is asked for", async () => {
    issuer.turned.configuration = { issuer: "https://elsewhere.example" };
    await expect(verifier()(await issuer.token())).rejects.toMatchObject({
      name: "ServiceAwayError",
    });
    const faults = readIssuers(JSON.stringify([settingsOf()]), defaultRoles, false).faults;
    expect(faults).toEqual(["0.issuer: must be https"]);
  });

  it("without shared secrets are none when those are all there is", async () => {
    const secret = randomBytes(32).toString("base64url");
    const users = createUserTokens({
      issuers: readIssuers(JSON.stringify([settingsOf()]), defaultRoles, true).issuers,
      roles: defaultRoles,
      fetchJSON: async (url) =>
        url.endsWith("/keys")
          ? { keys: [{ kty: "oct", k: secret, kid: "key-1" }] }
          : { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` },
      allowHTTP: true,
      now: () => now,
      log: silentLogger,
    });
    expect(
      await refusalOf((token) => users.verify(token, issuer.url), await issuer.token()),
    ).toMatch(/key is none of its issuer's/);
  });

  it("are read over TLS from who has a certificate of the named authority, and from nobody else", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sextant-ca-"));
    const [caFile, keyFile] = [join(folder, "ca.pem"), join(folder, "key.pem")];
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=idp -addext subjectAltName=IP:127.0.0.1 -keyout ${keyFile} -out ${caFile}`;
    execFileSync("openssl", words.split(" "), { stdio: "ignore" });
    const tls = { cert: readFileSync(caFile), key: readFileSync(keyFile) };
    const server = createServer(tls, (_request, response) => {
      response.end(JSON.stringify({ keys: issuer.keys().map(({ publicJWK }) => publicJWK) }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const jwksURL = `https://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
      const token = await issuer.token();
      expect((await verifier(settingsOf({ jwksURL, caFile }))(token)).id).toBe("corp:ada");
      await expect(verifier(settingsOf({ jwksURL }))(token)).rejects.toMatchObject({
        name: "ServiceAwayError",
      });
    } finally {
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});
