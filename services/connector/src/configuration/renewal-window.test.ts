import { expect, it } from "vitest";
import { renewalWindow } from "./renewal-window.ts";

const DAY = 86_400_000;

it("opens in the third quarter of a certificate's life and closes before its end, for every certificate", () => {
  for (let octet = 0; octet < 256; octet += 1) {
    const hash = octet.toString(16).padStart(2, "0").repeat(32);
    for (const life of [60_000, DAY, 90 * DAY, 365 * DAY]) {
      const { start, end } = renewalWindow({ from: 0, notAfter: life, hash, isCurrent: true }, 0);
      expect(start).toBeGreaterThanOrEqual(life / 2);
      expect(start).toBeLessThanOrEqual(life * 0.75);
      expect(end).toBeGreaterThan(start);
      expect(end).toBeLessThanOrEqual(life * 0.875);
    }
  }
});

it("is the same whenever it is asked for, and another for another certificate", () => {
  const of = (digit: string, now: number) =>
    renewalWindow({ from: 0, notAfter: DAY, hash: digit.repeat(64), isCurrent: true }, now).start;
  expect(of("4", 1_000)).toBe(of("4", DAY / 3));
  expect(new Set([..."0123456789abcdef"].map((digit) => of(digit, 0))).size).toBe(16);
});

it("is asked for again some times before it opens, and soon once it is open", () => {
  const at = (now: number) =>
    renewalWindow({ from: 0, notAfter: DAY, hash: "8".repeat(64), isCurrent: true }, now);
  expect(at(0).retryAfterSeconds).toBeLessThan((at(0).start / 1_000) * 0.31);
  expect(at(at(0).start).retryAfterSeconds).toBeLessThanOrEqual(36);
});

it("is open at once when the authority signs no more", () => {
  const certificate = { from: 0, notAfter: DAY, hash: "f".repeat(64), isCurrent: false };
  expect(renewalWindow(certificate, 1_000).start).toBe(1_000);
  expect(renewalWindow({ ...certificate, isCurrent: true }, 1_000).start).toBeGreaterThan(DAY / 2);
});
