import { randomBytes } from "node:crypto";
import { expect, it } from "vitest";
import { dataKeysOf } from "./data-keys.ts";
import { createSealer } from "./sealer.ts";

const sealerOf = (...keys: Buffer[]) => {
  const made = dataKeysOf(keys);
  return createSealer(() => made);
};
const sealer = sealerOf(randomBytes(32));

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
  expect(() => sealerOf(randomBytes(32)).open("t1", "auth", sealed)).toThrow(/is not there/);
  expect(() => sealer.open("t1", "auth", changed)).toThrow(/unable to authenticate/);
});

it("compresses what is large, and opens what an earlier version has sealed whole", () => {
  const large = JSON.stringify(Array.from({ length: 200 }, (_, n) => ({ name: `é ${n}` })));
  const sealed = sealer.seal("t1", "plan", large);
  expect(sealed.length).toBeLessThan(large.length / 2);
  expect(sealer.open("t1", "plan", sealed)).toBe(large);
  const key = randomBytes(32);
  const [, id, bytes] = sealerOf(key).seal("t1", "auth", "pässword").split(".");
  expect(sealerOf(key).open("t1", "auth", `v2.${id}.${bytes}`)).toBe("pässword");
});

it("opens texts of every length around that from which they are compressed", () => {
  for (const length of [0, 1, 1022, 1023, 1024, 1025, 100_000])
    for (const text of ["x".repeat(length), "é".repeat(length)])
      expect(sealer.open("t1", "plan", sealer.seal("t1", "plan", text))).toBe(text);
});

it("gives equal texts of a tenant the same digest, and of two tenants different ones", () => {
  expect(sealer.digest("t1", "a")).toBe(sealer.digest("t1", "a"));
  expect(sealer.digest("t1", "a")).not.toBe(sealer.digest("t2", "a"));
  expect(sealerOf(randomBytes(32)).digest("t1", "a")).not.toBe(sealer.digest("t1", "a"));
});

it("opens what each of its keys has sealed, seals by the first, and names the key", () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)];
  const before = sealerOf(old).seal("t1", "auth", "secret");
  const both = sealerOf(fresh, old);
  expect(both.open("t1", "auth", before)).toBe("secret");
  const after = both.seal("t1", "auth", "secret");
  expect(after.startsWith(both.prefix())).toBe(true);
  expect(before.startsWith(both.prefix())).toBe(false);
  expect(sealerOf(fresh).open("t1", "auth", after)).toBe("secret");
  expect(() => sealerOf(fresh).open("t1", "auth", before)).toThrow(/is not there/);
  expect([both.hasOthers(), sealerOf(fresh).hasOthers()]).toEqual([true, false]);
});

it("opens what was sealed before keys had names", () => {
  const key = randomBytes(32);
  const [, , bytes] = sealerOf(key).seal("t1", "auth", "secret").split(".");
  expect(sealerOf(randomBytes(32), key).open("t1", "auth", `v1.${bytes}`)).toBe("secret");
});

it("gives the same digests when a key is added, and when it is used", () => {
  const [old, fresh] = [randomBytes(32), randomBytes(32)];
  const digesting = dataKeysOf([old]).digesting.export();
  const digests = [[old], [old, fresh], [fresh, old], [fresh]].map((keys) => {
    const made = dataKeysOf(keys, digesting);
    return createSealer(() => made).digest("t1", "a");
  });
  expect(new Set(digests)).toEqual(new Set([sealerOf(old).digest("t1", "a")]));
});
