import { expect, it } from "vitest";
import { signingSecret, tokenHash, tokenText, type StoredToken, useOf } from "./one-time-token.ts";

const now = Date.parse("2026-01-01T00:00:00Z");
const token: StoredToken = {
  id: "0190a6d0-0000-7000-8000-000000000001",
  purpose: "PAIRING",
  consumerType: "RUNTIME",
  consumerID: "0190a6d0-0000-7000-8000-000000000002",
  expiresAt: "2026-01-01T00:05:00Z",
  usedAt: null,
  usedBy: null,
};
const used = { ...token, usedAt: "2026-01-01T00:00:00Z", usedBy: "request-1" };

it("a token is fresh once, before its time is over, for its purpose", () => {
  expect(useOf(token, "PAIRING", "request-1", now)).toBe("fresh");
  expect(() => useOf(token, "SIGNING", "request-1", now)).toThrow(/is for pairing/);
  expect(() => useOf(token, "PAIRING", "request-1", now + 300_000)).toThrow(/has expired/);
});

it("a used token answers the same request again for two minutes, and nothing else", () => {
  expect(useOf(used, "PAIRING", "request-1", now + 119_999)).toBe("repeat");
  expect(() => useOf(used, "PAIRING", "request-1", now + 120_000)).toThrow(/used already/);
  expect(() => useOf(used, "PAIRING", "request-2", now)).toThrow(/used already/);
  expect(() => useOf(used, "PAIRING", undefined, now)).toThrow(/used already/);
});

it("the signing secret follows from the pairing token and the request, and from the key alone", () => {
  const key = Buffer.alloc(32, 1);
  expect(signingSecret(key, "a", "b")).toEqual(signingSecret(key, "a", "b"));
  expect(signingSecret(key, "a", "b")).not.toEqual(signingSecret(key, "a", "c"));
  expect(signingSecret(Buffer.alloc(32, 2), "a", "b")).not.toEqual(signingSecret(key, "a", "b"));
});

it("a token's text has 256 secret bits behind its public id, and its hash tells neither", () => {
  const text = tokenText(token.id, Buffer.alloc(32, 9));
  expect(text).toMatch(/^[0-9a-f]{16}\.[A-Za-z0-9_-]{43}$/);
  expect(tokenHash(text)).toMatch(/^[0-9a-f]{64}$/);
});
