import { createSecretKey } from "node:crypto";
import { expect, it } from "vitest";
import {
  publicIDOf,
  signingToken,
  tokenHash,
  tokenText,
  type StoredToken,
  useOf,
} from "./one-time-token.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const token: StoredToken = {
  id: "0190a6d0-0000-7000-8000-000000000001",
  purpose: "PAIRING",
  consumerType: "RUNTIME",
  consumerID: "0190a6d0-0000-7000-8000-000000000002",
  expiresAt: "2026-01-01T00:05:00Z",
  usedAt: null,
  usedBy: null,
  revokedAt: null,
};
const refusal = (use: ReturnType<typeof useOf>): string =>
  use instanceof Error ? use.message : use;
const used = { ...token, usedAt: "2026-01-01T00:00:00Z", usedBy: "request-1" };

it("a token is fresh once, before its time is over, for its purpose", () => {
  expect(useOf(token, "PAIRING", "request-1", now)).toBe("fresh");
  expect(refusal(useOf(token, "SIGNING", "request-1", now))).toMatch(/is for pairing/);
  expect(refusal(useOf(token, "PAIRING", "request-1", now + 300_000))).toMatch(/has expired/);
});

it("a revoked token is neither fresh nor repeated", () => {
  const revokedAt = "2026-01-01T00:00:00Z";
  expect(refusal(useOf({ ...token, revokedAt }, "PAIRING", "request-1", now))).toMatch(
    /was revoked/,
  );
  expect(refusal(useOf({ ...used, revokedAt }, "PAIRING", "request-1", now))).toMatch(
    /was revoked/,
  );
});

it("a used token answers the same request again for two minutes, and nothing else", () => {
  expect(useOf(used, "PAIRING", "request-1", now + 119_999)).toBe("repeat");
  expect(refusal(useOf(used, "PAIRING", "request-1", now + 120_000))).toMatch(/used already/);
  expect(refusal(useOf(used, "PAIRING", "request-2", now))).toMatch(/used already/);
  expect(refusal(useOf(used, "PAIRING", undefined, now))).toMatch(/used already/);
});

it("the token for signing follows from the one for pairing and the request, and from the key alone", () => {
  const keyOf = (byte: number) => createSecretKey(Buffer.alloc(32, byte));
  const key = keyOf(1);
  const made = signingToken(key, "a", "b");
  expect(made).toBe(signingToken(key, "a", "b"));
  for (const other of [
    signingToken(key, "a", "c"),
    signingToken(key, "d", "b"),
    signingToken(keyOf(2), "a", "b"),
  ])
    for (const part of other.split(".")) expect(made).not.toContain(part);
});

it("a token's text has 256 secret bits behind its public id, and its hash tells neither", () => {
  const text = tokenText(publicIDOf(token.id), Buffer.alloc(32, 9));
  expect(text).toMatch(/^[0-9a-f]{16}\.[A-Za-z0-9_-]{43}$/);
  expect(tokenHash(text)).toMatch(/^[0-9a-f]{64}$/);
});
