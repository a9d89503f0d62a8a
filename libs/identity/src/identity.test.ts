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
const unknownCaller = expect.objectContaining({ code: "UNAUTHENTICATED" }) as Error;

describe("a signed identity", () => {
  it("is what the gateway said", () => {
    const caller = verifier.verify(signer("api-gateway").authorizationFor("director", admin));
    expect(caller).toEqual({ service: "api-gateway", identity: admin });
  });

  it("is refused by another service than the one it was made for", () => {
    const token = signer("api-gateway").authorizationFor("connector", admin);
    expect(() => verifier.verify(token)).toThrow(unknownCaller);
  });

  it("is refused after its time, also when it was accepted before", () => {
    const token = signer("api-gateway").authorizationFor("director", admin);
    verifier.verify(token);
    now += 310_000;
    expect(() => verifier.verify(token)).toThrow(unknownCaller);
  });

  it("is refused when a byte of it was changed, when it is unsigned and when there is none", () => {
    const token = signer("api-gateway").authorizationFor("director", admin);
    const [header, body, signature] = token.split(".") as [string, string, string];
    const changed = Buffer.from(
      Buffer.from(body, "base64url").toString().replace("t1", "t2"),
    ).toString("base64url");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    for (const wrong of [
      `${header}.${changed}.${signature}`,
      `Bearer ${none}.${body}.`,
      "Bearer ",
      token.slice("Bearer ".length),
      "",
      undefined,
    ]) {
      expect(() => verifier.verify(wrong)).toThrow(unknownCaller);
    }
  });

  it("of a service that speaks for a user counts as its own, with the service's scopes and no more", () => {
    const token = signer("runtime-provisioner").authorizationFor("director", {
      ...admin,
      scopes: ["tenant:write"],
    });
    expect(verifier.verify(token)).toEqual({
      service: "runtime-provisioner",
      identity: {
        tenant: "t1",
        consumer: { type: "SERVICE", id: "runtime-provisioner" },
        scopes: ["runtime:read", "runtime:write"],
      },
    });
  });

  it("is refused when one service signs in another's name", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const forger = createSigner({
      service: "api-gateway",
      kid: "api-gateway-1",
      privateKey,
      now: clock,
    });
    expect(() => verifier.verify(forger.authorizationFor("director", admin))).toThrow(
      unknownCaller,
    );
  });

  it("is signed once and used again for the same caller until it is nearly over", () => {
    const first = signer("api-gateway").authorizationFor("director", admin);
    expect(signer("api-gateway").authorizationFor("director", admin)).toBe(first);
    now += 241_000;
    expect(signer("api-gateway").authorizationFor("director", admin)).not.toBe(first);
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

  it("are used from the next token on, and the tokens of both are accepted until one is trusted no longer", () => {
    const [first, second] = [aKey("first"), aKey("second")];
    const trusting = (...keys: (typeof first)[]): Trust => ({ issuers: { "api-gateway": keys } });
    const current = { service: "api-gateway" as const, now: clock, ...first };
    const gateway = createSigner(current);
    const callee = { service: "director" as const, now: clock, trust: trusting(first) };
    const director = createVerifier(callee);
    const old = gateway.authorizationFor("director", admin);
    director.verify(old);

    Object.assign(current, second);
    const fresh = gateway.authorizationFor("director", admin);
    expect(fresh).not.toBe(old);
    expect(() => director.verify(fresh)).toThrow(unknownCaller);
    callee.trust = trusting(second, first);
    expect(director.verify(fresh).identity).toEqual(admin);
    expect(director.verify(old).identity).toEqual(admin);
    callee.trust = trusting(second);
    expect(director.verify(fresh).identity).toEqual(admin);
    expect(() => director.verify(old)).toThrow(unknownCaller);
  });
});
