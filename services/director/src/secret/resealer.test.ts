import { randomBytes } from "node:crypto";
import { silentLogger } from "@sextant/logging";
import type { SealedValue } from "@sextant/registry-client";
import { afterEach, expect, it, vi } from "vitest";
import { dataKeysOf } from "./data-keys.ts";
import { startResealer } from "./resealer.ts";
import { createSealer } from "./sealer.ts";

vi.useFakeTimers();
afterEach(() => vi.clearAllTimers());

it("what an earlier version has sealed is sealed anew once after the start, though there is but one key", async () => {
  const keys = dataKeysOf([randomBytes(32)]);
  const sealer = createSealer(() => keys);
  const [, id, bytes] = sealer.seal("t1", "auth", "secret").split(".");
  let stored = `v2.${id}.${bytes}`;
  let looks = 0;
  const row = { kind: "systemAuth", field: "auth", tenant: "t1", id: "s1" } as const;
  const registry = {
    listSealed: async ({ prefix, after }: { prefix: string; after: unknown }) => {
      looks += 1;
      const isFound = after === null && !stored.startsWith(prefix);
      return isFound ? [{ ...row, value: stored }] : [];
    },
    reseal: async ({ values }: { values: readonly (SealedValue & { by: string })[] }) => {
      for (const { by } of values) stored = by;
    },
  };
  const resealer = startResealer(registry, sealer, silentLogger);
  await vi.advanceTimersByTimeAsync(15_000);
  expect(stored.startsWith(sealer.prefix())).toBe(true);
  expect(sealer.open("t1", "auth", stored)).toBe("secret");
  const before = looks;
  await vi.advanceTimersByTimeAsync(300_000);
  expect(looks).toBe(before);
  await resealer.close();
});
