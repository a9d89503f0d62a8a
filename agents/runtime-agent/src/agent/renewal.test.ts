import { expect, it } from "vitest";
import { afterFailedRenewal, askedAgain, renewalIn } from "./renewal.ts";

const now = new Date("2026-01-01T12:00:00Z");
const inHours = (hours: number): Date => new Date(now.getTime() + hours * 3_600_000);
const hours = (date: Date): number => (date.getTime() - now.getTime()) / 3_600_000;
const identity = { receivedAt: inHours(-12).toISOString(), notAfter: inHours(12) };

it("renews when the plane's window opens", () => {
  const window = { start: inHours(3), end: inHours(6) };
  for (const random of [0, 0.999])
    expect(renewalIn(window, identity, now, () => random)).toEqual(window.start);
});

it("goes into a window that is open within a minute, and not all at once", () => {
  const window = { start: inHours(-1), end: inHours(2) };
  expect(renewalIn(window, identity, now, () => 0)).toEqual(now);
  expect(hours(renewalIn(window, identity, now, () => 0.5)) * 3_600).toBeCloseTo(30);
  const closed = { start: inHours(-3), end: inHours(-1) };
  expect(renewalIn(closed, identity, now, () => 0.999)).toEqual(now);
});

it("is renewed before its end, whatever window the plane tells", () => {
  const window = { start: inHours(40), end: inHours(41) };
  expect(hours(renewalIn(window, identity, now, () => 0))).toBeCloseTo(9.6);
});

it("asks for the window again when the plane wants it, within bounds", () => {
  expect(hours(askedAgain(now, 7_200_000))).toBe(2);
  expect(hours(askedAgain(now, 0)) * 3_600).toBe(5);
  expect(hours(askedAgain(now, 1e12))).toBe(24);
});

it("tries a failed renewal again with longer and longer pauses, and often enough before the end", () => {
  const waits = (notAfter: Date, retryAfterMs?: number) =>
    [1, 2, 3, 8].map(
      (inARow) =>
        hours(afterFailedRenewal(now, notAfter, { inARow, retryAfterMs }, () => 1)) * 3_600,
    );
  expect(waits(inHours(12))).toEqual([30, 60, 120, 3_840]);
  expect(waits(inHours(0.1))).toEqual([30, 36, 36, 36]);
  expect(waits(inHours(12), 90_000)).toEqual([90, 90, 120, 3_840]);
  expect(
    hours(afterFailedRenewal(now, inHours(12), { inARow: 1, retryAfterMs: undefined }, () => 0)) *
      3_600,
  ).toBe(15);
});
