import { expect, it } from "vitest";
import { nextStep, type Knowledge } from "./step.ts";

const now = new Date("2026-01-01T00:00:00Z");
const inSeconds = (seconds: number): Date => new Date(now.getTime() + seconds * 1_000);
const identity = { notAfter: inSeconds(3_600), renewAt: inSeconds(2_400), pairedBy: "t1" };
const step = (change: Partial<Knowledge>) =>
  nextStep({
    ...{ now, identity, askAt: inSeconds(86_400), tokenHash: undefined, refusedToken: undefined },
    ...change,
  });

it("pairs when there is no certificate, and waits for a token when there is none", () => {
  expect(step({ identity: undefined, tokenHash: "t1" })).toEqual({ do: "pair" });
  expect(step({ identity: undefined })).toEqual({ do: "wait", why: "no token" });
});

it("keeps trying a refused token while it has nothing else", () => {
  expect(step({ identity: undefined, tokenHash: "t1", refusedToken: "t1" })).toEqual({
    do: "pair",
  });
});

it("polls with the certificate that it has, and never pairs twice by one token", () => {
  expect(step({})).toEqual({ do: "poll", holdSeconds: 50 });
  expect(step({ tokenHash: "t1" })).toEqual({ do: "poll", holdSeconds: 50 });
});

it("pairs anew by a new token, and goes on with the old certificate when that token is refused", () => {
  expect(step({ tokenHash: "t2" })).toEqual({ do: "pair" });
  expect(step({ tokenHash: "t2", refusedToken: "t2" })).toEqual({ do: "poll", holdSeconds: 50 });
});

it("renews from the renewal time to the end, and not after", () => {
  expect(step({ now: inSeconds(2_399) })).toEqual({ do: "poll", holdSeconds: 1 });
  expect(step({ now: inSeconds(2_400) })).toEqual({ do: "renew" });
  expect(step({ now: inSeconds(3_599) })).toEqual({ do: "renew" });
  expect(step({ now: inSeconds(3_600) })).toEqual({ do: "wait", why: "expired" });
  expect(step({ now: inSeconds(3_600), tokenHash: "t2", refusedToken: "t2" })).toEqual({
    do: "pair",
  });
});

it("asks to be held no longer than until the renewal", () => {
  expect(step({ now: inSeconds(2_380.5) })).toEqual({ do: "poll", holdSeconds: 20 });
});

it("asks for the renewal window when it is time to, but never in place of a renewal", () => {
  expect(step({ askAt: now })).toEqual({ do: "ask" });
  expect(step({ askAt: inSeconds(20) })).toEqual({ do: "poll", holdSeconds: 20 });
  expect(step({ askAt: now, now: inSeconds(2_400) })).toEqual({ do: "renew" });
  expect(step({ askAt: now, now: inSeconds(3_600) })).toEqual({ do: "wait", why: "expired" });
});
