import type { Identity } from "@sextant/identity";
import { silentLogger } from "@sextant/logging";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createContacts } from "./contacts.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const agent: Identity = {
  tenant: "5c1f8a52-0d0e-4f3c-8a63-1f7f5a0b5f10",
  consumer: { type: "RUNTIME", id: "0b1d6f2e-52a4-4b58-9d0e-0a3f8f3b2c11" },
  scopes: [],
};

const start = () => {
  let told = 0;
  const director = {
    text: async ({ body }: { body?: string }) => {
      told += (JSON.parse(body ?? "[]") as unknown[]).length;
      return "";
    },
  };
  const contacts = createContacts(director as never, silentLogger, Date.now);
  const heard = async (milliseconds: number): Promise<number> => {
    await vi.advanceTimersByTimeAsync(milliseconds);
    contacts.heard(agent);
    await vi.advanceTimersByTimeAsync(1_000);
    return told;
  };
  return { contacts, heard };
};

describe("who was heard", () => {
  it("is told once in half a minute, however often it is heard", async () => {
    const { contacts, heard } = start();
    expect(await heard(0)).toBe(1);
    expect(await heard(10_000)).toBe(1);
    expect(await heard(20_000)).toBe(2);
    await contacts.close();
  });

  it("is told on after the clock was put back", async () => {
    const { contacts, heard } = start();
    expect(await heard(0)).toBe(1);
    vi.setSystemTime(Date.now() - 3_600_000);
    expect(await heard(1_000)).toBe(2);
    expect(await heard(1_000)).toBe(2);
    await contacts.close();
  });
});
