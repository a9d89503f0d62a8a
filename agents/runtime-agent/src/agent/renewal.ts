/** When the agent renews: in the window that the plane tells, and by its own reckoning while it tells none. Pure. */
import type { RenewalWindow } from "../pairing/connector-client.ts";
import { LONGEST_MS } from "./backoff.ts";

/** The part of an identity that decides. */
type Renewable = { readonly receivedAt: string; readonly notAfter: Date };

/** No window is asked for more often, or more seldom. */
const SOONEST_MS = 5_000;
const LATEST_MS = 86_400_000;
/** A window that is open already is gone into within so long, so that not all come at once. */
const SPREAD_MS = 60_000;
/** Whatever the plane tells, a renewal is begun after this part of the life, by the agent's own clock. */
const AT_LATEST = 0.9;

/** When to renew by a window: as it opens, or soon when it is open. */
export function renewalIn(
  { start, end }: Pick<RenewalWindow, "start" | "end">,
  { receivedAt, notAfter }: Renewable,
  now: Date,
  random: () => number,
): Date {
  const left = Math.max(0, end.getTime() - now.getTime());
  const chosen =
    start > now ? start.getTime() : now.getTime() + random() * Math.min(SPREAD_MS, left / 2);
  const from = Date.parse(receivedAt);
  return new Date(Math.min(chosen, from + (notAfter.getTime() - from) * AT_LATEST));
}

/** When to ask for the window again. */
export const askedAgain = (now: Date, retryAfterMs: number): Date =>
  new Date(now.getTime() + Math.min(LATEST_MS, Math.max(SOONEST_MS, retryAfterMs)));

/**
 * When to try a failed renewal again: doubled at each failure in a row, at random between half and the whole of it, and never later
 * than a tenth of what is left of the certificate, nor sooner than the plane asks.
 */
export function afterFailedRenewal(
  now: Date,
  notAfter: Date,
  failure: { readonly inARow: number; readonly retryAfterMs: number | undefined },
  random: () => number,
): Date {
  const left = Math.max(0, notAfter.getTime() - now.getTime());
  const whole = Math.min(LONGEST_MS * 2 ** (failure.inARow - 1), left / 10);
  const wait = Math.max(
    whole * (0.5 + random() / 2),
    Math.min(failure.retryAfterMs ?? 0, left / 2),
  );
  return new Date(now.getTime() + wait);
}
