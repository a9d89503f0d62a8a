/** When a certificate is to be renewed: steered from here, so that those that were issued together are not renewed together. No I/O. */

/** What decides when a certificate is to be renewed. Times in milliseconds since 1970. */
export type Renewable = {
  /** When it was issued. */
  readonly from: number;
  readonly notAfter: number;
  /** SHA-256 of the certificate in hexadecimal: what makes its window its own, and always the same. */
  readonly hash: string;
  /** Whether the authority that issued it still signs. */
  readonly isCurrent: boolean;
};

/** A window, and in how many seconds to ask for it again. */
export type RenewalWindow = {
  readonly start: number;
  readonly end: number;
  readonly retryAfterSeconds: number;
};

const SOONEST = 30;
const LATEST = 6 * 3_600;

/**
 * A window of an eighth of the certificate's life, which begins somewhere between its half and three quarters. When its authority
 * signs no more it is open from now on.
 */
export function renewalWindow(certificate: Renewable, now: number): RenewalWindow {
  const { from, notAfter, hash, isCurrent } = certificate;
  const share = Number.parseInt(hash.slice(0, 8), 16) / 0x1_0000_0000;
  const life = Math.max(0, notAfter - from);
  const begin = from + life * (0.5 + share / 4);
  const start = isCurrent ? begin : Math.min(begin, now);
  const end = Math.min(start + life / 8, notAfter);
  const until = Math.max(0, start - now) / 1_000;
  // Asked again some times before it opens, so that it can be moved; and not by all at once.
  const pause = Math.min(LATEST, Math.max(SOONEST, until / 4)) * (0.8 + share * 0.4);
  return { start, end, retryAfterSeconds: Math.round(pause) };
}
