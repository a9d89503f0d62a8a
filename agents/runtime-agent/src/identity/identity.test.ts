import { expect, it } from "vitest";
import { hashToken, renewalTime } from "./identity.ts";

const receivedAt = new Date("2026-01-01T00:00:00Z");
const notAfter = new Date("2026-01-02T06:00:00Z");
const hours = (date: Date): number => (date.getTime() - receivedAt.getTime()) / 3_600_000;

it("renews between two thirds and 77 % of the certificate's life", () => {
  expect(hours(renewalTime({ receivedAt, notAfter }, () => 0))).toBeCloseTo(20);
  expect(hours(renewalTime({ receivedAt, notAfter }, () => 1))).toBeCloseTo(23);
});

it("renews a certificate at once that had ended when it came", () => {
  expect(renewalTime({ receivedAt, notAfter: new Date(0) }, () => 1)).toEqual(receivedAt);
});

it("tells tokens apart without storing them", () => {
  expect(hashToken("a")).not.toBe(hashToken("b"));
  expect(hashToken("secret")).not.toContain("secret");
});
