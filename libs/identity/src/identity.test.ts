import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createSigner,
  createVerifier,
  type Identity,
  type ServiceName,
  type Signer,
  type Trust,
  type Verifier,
} from "./index.ts";

let now = Date.parse("2026-01-01T00:00:00Z");
const clock = () => now;
const trust: Trust = { issuers: {} };
const signers = new Map<ServiceName, Signer>();
let verifier: Verifier;
const admin: Identity = {
  tenant: "t1",
  consumer: { type: "USER", id: "u1" },
  scopes: ["application:read"],
};

beforeAll(() => {
  for (const service of ["api-gateway", "director", "runtime-provisioner"] as const) {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const publicPEM = publicKey.export({ type: "spki", format: "pem" }).toString();
    trust.issuers[service] = [{ kid: `${service}-1`, publicKey: publicPEM }];
    signers.set(service, createSigner({ service, kid: `${service}-1`, privateKey, now: clock }));
  }
  verifier = createVerifier({ service: "director", trust, now: clock });
});

const signer = (service: ServiceName): Signer => signers.get(service) as Signer;

describe("a signed identity", () => {
  it("is what the gateway said", async () => {
    const caller = await verifier.verify(signer("api-gateway").tokenFor("director", admin));
    expect(caller).toEqual({ service: "api-gateway", identity: admin });
  });

  it("is refused by another service than the one it was made for", async () => {
    const token = signer("api-gateway").tokenFor("connector", admin);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("is refused after its time, also when it was accepted before", async () => {
    const token = signer("api-gateway").tokenFor("director", admin);
    await verifier.verify(token);
    now += 310_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });

  it("is refused when a byte of it was changed, when it is unsigned and when there is none", async () => {
    const token = signer("api-gateway").tokenFor("director", admin);
    const [header, body, signature] = token.split(".") as [string, string, string];
    const changed = Buffer.from(
      Buffer.from(body, "base64url").toString().replace("t1", "t2"),
    ).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const wrong of [`${header}.${changed}.${signature}`, `${none}.${body}.`, "", undefined]) {
      await expect(verifier.verify(wrong)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    }
  });

  it("of a service that speaks for a user counts as its own, with the service's scopes and no more", async () => {
    const token = signer("runtime-provisioner").tokenFor("director", {
      ...admin,
      scopes: ["tenant:write"],
    });
    expect(await verifier.verify(token)).toEqual({
      service: "runtime-provisioner",
      identity: {
        tenant: "t1",
        consumer: { type: "SERVICE", id: "runtime-provisioner" },
        scopes: ["runtime:read", "runtime:write"],
      },
    });
  });

  it("is refused when one service signs in another's name", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const forger = createSigner({
      service: "api-gateway",
      kid: "api-gateway-1",
      privateKey,
      now: clock,
    });
    await expect(verifier.verify(forger.tokenFor("director", admin))).rejects.toMatchObject({
      code: "UNAUTHENTICATED",
    });
  });

  it("is signed once and used again for the same caller until it is nearly over", async () => {
    const first = signer("api-gateway").tokenFor("director", admin);
    expect(signer("api-gateway").tokenFor("director", admin)).toBe(first);
    now += 241_000;
    expect(signer("api-gateway").tokenFor("director", admin)).not.toBe(first);
  });
});

describe("keys that change", () => {
  const aKey = (kid: string) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    return {
      kid,
      privateKey,
      publicKey: publicKey.export({ type: "spki", format: "pem" }).toString(),
    };
  };

  it("are used from the next token on, and the tokens of both are accepted until one is trusted no longer", async () => {
    const [first, second] = [aKey("first"), aKey("second")];
    const trusting = (...keys: (typeof first)[]): Trust => ({ issuers: { "api-gateway": keys } });
    const current = { service: "api-gateway" as const, now: clock, ...first };
    const gateway = createSigner(current);
    const callee = { service: "director" as const, now: clock, trust: trusting(first) };
    const director = createVerifier(callee);
    const old = gateway.tokenFor("director", admin);
    await director.verify(old);

    Object.assign(current, second);
    const fresh = gateway.tokenFor("director", admin);
    expect(fresh).not.toBe(old);
    await expect(director.verify(fresh)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
    callee.trust = trusting(second, first);
    expect((await director.verify(fresh)).identity).toEqual(admin);
    expect((await director.verify(old)).identity).toEqual(admin);
    callee.trust = trusting(second);
    expect((await director.verify(fresh)).identity).toEqual(admin);
    await expect(director.verify(old)).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  });
});
