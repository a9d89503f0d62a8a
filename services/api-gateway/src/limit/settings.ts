import { wholeNumber } from "@sextant/config";
import { z } from "zod";
import type { BudgetKey, Budgets } from "./limits.ts";

const MOST = 10_000_000;
const entryForm = /^(address|client|tenant)=(\d+(?:\.\d+)?)\/(\d+)$/;

/** Budgets as `address=5/100 client=2/20`: after each key how many a second, and after the slash how many at once; or `off`. */
const budgets = z.string().transform((text, context): Budgets => {
  if (text === "off") return {};
  const read: Partial<Record<BudgetKey, { perSecond: number; burst: number }>> = {};
  for (const entry of text.trim().split(/[\s,]+/)) {
    const [, key, rate, most] = entryForm.exec(entry) ?? [];
    const [perSecond, burst] = [Number(rate), Number(most)];
    const isRate = perSecond > 0 && perSecond <= MOST && burst >= 1 && burst <= MOST;
    if (key === undefined || !isRate) {
      context.addIssue({
        code: "custom",
        message: `must be off, or budgets such as "address=5/100 client=2/20 tenant=50/500" (how many a second / how many at once), got "${entry}"`,
      });
      return z.NEVER;
    }
    read[key as BudgetKey] = { perSecond, burst };
  }
  return read;
});

const rate = (standard: string) => z.string().default(standard).pipe(budgets);

/** How much may be asked in a time. Keys are names of environment variables. */
export const requestLimitSettings = {
  /** With a one-time token. An office or a factory may pair from one address. */
  SEXTANT_RATE_PAIRING: rate("address=50/500 client=1/20 tenant=500/2000"),
  /** The Connector's operations by certificate. */
  SEXTANT_RATE_RENEWAL: rate("client=1/20 tenant=500/2000"),
  /** The agents' protocol. Each change of a plan is a poll and a report. */
  SEXTANT_RATE_POLLING: rate("client=20/500 tenant=5000/20000"),
  /** Everything else of the API: a unit for each field of an operation's root. */
  SEXTANT_RATE_ADMINISTRATION: rate("client=1000/5000 tenant=5000/20000"),
  /** Credentials that nobody knows. */
  SEXTANT_RATE_REFUSED: rate("address=5/100"),
  /** New connections. */
  SEXTANT_RATE_CONNECTION: rate("address=200/2000"),
  /** Operations under way at a time. */
  SEXTANT_OPERATIONS_CLIENT: wholeNumber(1, 100_000).default(64),
  SEXTANT_OPERATIONS_TENANT: wholeNumber(1, 100_000).default(256),
} as const;
