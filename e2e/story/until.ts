import { setTimeout as sleep } from "node:timers/promises";

/** Asks until the answer is neither undefined nor false. Throws after `within` milliseconds. */
export async function until<Found>(
  what: string,
  ask: () => Promise<Found | undefined | false> | Found | undefined | false,
  within = 30_000,
  pause = 50,
): Promise<Found> {
  const end = performance.now() + within;
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${within} ms in vain: ${what}`);
    await sleep(pause);
  }
}
