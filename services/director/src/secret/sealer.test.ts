import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { createSealer } from "./sealer.ts";

const sealer = createSealer(randomBytes(32));

it("opens what it sealed, and never seals the same text to the same", () => {
  const sealed = sealer.seal("t1", "auth", "pässword");
  expect(sealer.open("t1", "auth", sealed)).toBe("pässword");
  expect(sealer.seal("t1", "auth", "pässword")).not.toBe(sealed);
  expect(sealed).not.toContain("pässword");
});

it("does not open for another tenant, another use, another key, or after a change", () => {
  const sealed = sealer.seal("t1", "auth", "secret");
  const changed = sealed.slice(0, -2) + (sealed.endsWith("AA") ? "BB" : "AA");
  expect(() => sealer.open("t2", "auth", sealed)).toThrow(/unable to authenticate/);
  expect(() => sealer.open("t1", "plan", sealed)).toThrow(/unable to authenticate/);
  expect(() => createSealer(randomBytes(32)).open("t1", "auth", sealed)).toThrow(
    /unable to authenticate/,
  );
  expect(() => sealer.open("t1", "auth", changed)).toThrow(/unable to authenticate/);
});

it("gives equal texts of a tenant the same digest, and of two tenants different ones", () => {
  expect(sealer.digest("t1", "a")).toBe(sealer.digest("t1", "a"));
  expect(sealer.digest("t1", "a")).not.toBe(sealer.digest("t2", "a"));
  expect(createSealer(randomBytes(32)).digest("t1", "a")).not.toBe(sealer.digest("t1", "a"));
});
