import { silentLogger } from "@sextant/logging";
import type { Call } from "@sextant/service";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createRevocationLists } from "./revocation-lists.ts";

const HOUR = 3_600_000;

beforeEach(() => void vi.useFakeTimers({ now: Date.parse("2026-01-01T12:00:00Z") }));
afterEach(() => void vi.useRealTimers());

const start = () => {
  let made = 0;
  const connector = {
    send: async () => {
      made += 1;
      const headers = {
        "last-modified": new Date().toUTCString(),
        expires: new Date(Date.now() + 24 * HOUR).toUTCString(),
      };
      const text = `list ${made}`;
      return { status: 200, headers, body: Buffer.from(text), text };
    },
    errorOf: () => new Error("not expected"),
  };
  const lists = createRevocationLists(connector, () => true, Date.now, silentLogger);
  const call = { query: new URLSearchParams(), headers: {} } as unknown as Call;
  const ask = async (): Promise<string> => {
    const reply = lists.route.methods.GET?.(call);
    await vi.advanceTimersByTimeAsync(1_000);
    return String((await reply)?.body);
  };
  const revoke = (): void => lists.event({ type: "certificate.revoked" } as never);
  return { ask, revoke };
};

describe("a revocation list", () => {
  it("is kept until half of its time is over, or something is revoked", async () => {
    const { ask, revoke } = start();
    expect(await ask()).toBe("list 1");
    await vi.advanceTimersByTimeAsync(11 * HOUR);
    expect(await ask()).toBe("list 1");
    revoke();
    expect(await ask()).toBe("list 2");
    await vi.advanceTimersByTimeAsync(12 * HOUR);
    expect(await ask()).toBe("list 3");
  });

  it("that was made before the clock was put back is not served as one of the future", async () => {
    const { ask } = start();
    expect(await ask()).toBe("list 1");
    vi.setSystemTime(Date.now() - HOUR);
    expect(await ask()).toBe("list 2");
  });

  it("is not waited for longer because the clock was put back", async () => {
    const { ask, revoke } = start();
    expect(await ask()).toBe("list 1");
    vi.setSystemTime(Date.now() - HOUR);
    revoke();
    expect(await ask()).toBe("list 2");
  });
});
