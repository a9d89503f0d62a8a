/** How long to wait after a fault. */

/** What kind of fault an exchange with the plane ended in. */
export type FaultKind =
  /** Not reachable, overloaded or broken: it will come back. */
  | "unavailable"
  /** The plane does not accept this agent's token or certificate. */
  | "refused"
  /** The plane cannot prove that it is the plane. */
  | "untrusted"
  /** The answer makes no sense to this agent. */
  | "invalid";

const FIRST_MS = 500;
/** No wait is longer than this, unless the plane asks for it. */
export const LONGEST_MS = 30_000;
/** The longest wait that the plane may ask for. */
const LONGEST_ASKED_MS = 600_000;

/** What the wait depends on. */
export type Fault = {
  readonly kind: FaultKind;
  /** How many faults there were in a row, this one included. */
  readonly attempt: number;
  /** What the plane asked for in Retry-After. */
  readonly retryAfterMs?: number | undefined;
};

/**
 * Milliseconds to wait: doubled at each fault in a row, at random between half and the whole of it so that agents do not
 * come back all at once. A refusal does not pass soon, so it waits long from the first.
 */
export function waitAfter({ kind, attempt, retryAfterMs }: Fault, random: () => number): number {
  const whole =
    kind === "refused" || kind === "untrusted"
      ? LONGEST_MS
      : Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  const chosen = whole * (0.5 + random() / 2);
  return Math.round(Math.max(chosen, Math.min(retryAfterMs ?? 0, LONGEST_ASKED_MS)));
}

/** Reads Retry-After: seconds or a date (RFC 9110 10.2.3). */
export function readRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
