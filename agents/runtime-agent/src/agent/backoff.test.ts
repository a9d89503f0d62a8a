import fc from "fast-check";
import { expect, it } from "vitest";
import { LONGEST_MS, readRetryAfter, waitAfter } from "./backoff.ts";

const now = new Date("2026-01-01T00:00:00Z");
const kind = fc.constantFrom(
  "unavailable" as const,
  "refused" as const,
  "untrusted" as const,
  "invalid" as const,
);

it("no wait is longer than 30 s or shorter than a quarter of a second, whatever happened how often", () => {
  fc.assert(
    fc.property(
      kind,
      fc.integer({ min: 1, max: 2_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (what, attempt, random) => {
        const wait = waitAfter({ kind: what, attempt }, () => random);
        return wait >= 250 && wait <= LONGEST_MS;
      },
    ),
  );
});

it("waits double at each fault in a row until the longest", () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) =>
    waitAfter({ kind: "unavailable", attempt }, () => 1),
  );
  expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
});

it("does not bring two agents back at the same moment", () => {
  expect(waitAfter({ kind: "unavailable", attempt: 5 }, () => 0)).toBe(4_000);
  expect(waitAfter({ kind: "unavailable", attempt: 5 }, () => 1)).toBe(8_000);
});

it("waits long from the first refusal, for it does not pass soon", () => {
  expect(waitAfter({ kind: "refused", attempt: 1 }, () => 1)).toBe(LONGEST_MS);
  expect(waitAfter({ kind: "untrusted", attempt: 1 }, () => 0)).toBe(LONGEST_MS / 2);
});

it("never comes back before the plane wants it, within ten minutes", () => {
  expect(waitAfter({ kind: "unavailable", attempt: 1, retryAfterMs: 45_000 }, () => 0)).toBe(
    45_000,
  );
  expect(waitAfter({ kind: "unavailable", attempt: 7, retryAfterMs: 1_000 }, () => 1)).toBe(30_000);
  expect(waitAfter({ kind: "unavailable", attempt: 1, retryAfterMs: 1e12 }, () => 0)).toBe(600_000);
});

it("reads Retry-After as seconds and as a date, and nothing else", () => {
  expect(readRetryAfter("7", now)).toBe(7_000);
  expect(readRetryAfter("Thu, 01 Jan 2026 00:00:10 GMT", now)).toBe(10_000);
  expect(readRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now)).toBe(0);
  expect(readRetryAfter("soon", now)).toBeUndefined();
  expect(readRetryAfter(undefined, now)).toBeUndefined();
});
