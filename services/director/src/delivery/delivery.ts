/** Webhook messages: their signature (Standard Webhooks), and when a failed one is tried again. No I/O. */
import { createHmac } from "node:crypto";

/** Attempts before a message is given up. */
export const MAX_ATTEMPTS = 12;

/** Pauses in seconds after the first, second, … failed attempt; the last one repeats. */
const PAUSES = [5, 15, 60, 300, 900, 3_600, 7_200, 14_400, 28_800];

/** Seconds until the next attempt, with up to a tenth of jitter; undefined when the message is given up. */
export function pauseAfter(
  attempts: number,
  retryInterval: number | null,
  random: () => number,
): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const pause = retryInterval ?? PAUSES[Math.min(attempts, PAUSES.length) - 1] ?? 5;
  return pause * (1 + random() / 10);
}

/** Headers that identify and sign a message. `secret` is `whsec_…`; `seconds` is the time of this attempt. */
export function signedHeaders(
  id: string,
  secret: string,
  seconds: number,
  body: string,
): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    "webhook-signature": `v1,${signature}`,
  };
}
