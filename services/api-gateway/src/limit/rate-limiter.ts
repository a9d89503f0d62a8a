/**
 * The generic cell rate algorithm (ITU-T I.371): of each key one number is kept, the time at which a steady sender would send next.
 * Who is ahead of it by no more than the burst goes on; who is refused costs and changes nothing.
 */

/** So many units a second for as long as one likes, and so many at once after a rest. */
export type Rate = { readonly perSecond: number; readonly burst: number };

/** Keys that are remembered. Beyond, those that were quiet longest start with a full burst again. */
const MAX_KEYS = 100_000;

/** Limits what senders do, each by a key. */
export type RateLimiter = {
  /** Milliseconds until `cost` units are free; 0: they are. Takes nothing. */
  wait(key: string, cost: number): number;
  /** Takes `cost` units, whether they are free or not. More than the burst counts as the burst: it passes after a rest. */
  take(key: string, cost: number): void;
};

/** Makes a limiter. `now` is in milliseconds and never goes back. */
export function createRateLimiter(
  { perSecond, burst }: Rate,
  now: () => number,
  maxKeys = MAX_KEYS,
): RateLimiter {
  const interval = 1000 / perSecond;
  const tolerance = interval * burst;
  // A sender is changed in place. A map that loses and gets an entry with each request is copied again and again, and its old
  // copies keep alive what the garbage collector would take.
  const senders = new Map<string, { arrival: number }>();
  const next = (key: string, cost: number): number =>
    Math.max(senders.get(key)?.arrival ?? 0, now()) + Math.min(cost, burst) * interval;

  /** A tenth of them at a time: looking for who was quiet longest costs as much as it has to look at. */
  const forget = (): void => {
    const quietFirst = [...senders].toSorted(([, a], [, b]) => a.arrival - b.arrival);
    for (const [key] of quietFirst.slice(0, Math.max(1, Math.floor(maxKeys / 10))))
      senders.delete(key);
  };

  return {
    // A thousandth of a millisecond is forgiven: times are sums of fractions.
    wait: (key, cost) => Math.max(0, Math.ceil(next(key, cost) - tolerance - now() - 0.001)),
    take(key, cost) {
      const arrival = next(key, cost);
      const known = senders.get(key);
      if (known !== undefined) known.arrival = arrival;
      else {
        senders.set(key, { arrival });
        if (senders.size > maxKeys) forget();
      }
    },
  };
}
