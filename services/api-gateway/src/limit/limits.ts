/**
 * How much may be asked in a time: by each client, by each tenant and from each address, with separate budgets for pairing, renewal,
 * polling and everything else. What one of them spends is nobody else's.
 */
import { rateLimited } from "@sextant/errors";
import type { Identity } from "@sextant/identity";
import { addressKey } from "../door/address.ts";
import { createRateLimiter, type Rate, type RateLimiter } from "./rate-limiter.ts";

/** What a request is for. */
export type RequestClass = "pairing" | "renewal" | "polling" | "administration";

/** By what a budget is kept. */
export type BudgetKey = "address" | "client" | "tenant";

/** The budgets of one class; what is not named is not limited. */
export type Budgets = Readonly<Partial<Record<BudgetKey, Rate>>>;

/** All rates. */
export type Rates = Readonly<Record<RequestClass, Budgets>> & {
  /** Credentials that nobody knows, from one address. */
  readonly refused: Budgets;
};

/** Who asks, from where, and for how much. */
export type Asked = {
  readonly class: RequestClass;
  readonly identity: Identity;
  readonly address: string;
  /** One for each field of the operation's root. */
  readonly cost: number;
};

/** The gateway's limits. They hold for one process: two gateways let twice as much through. */
export type RequestLimits = {
  /** Takes what is asked from every budget that it concerns; throws RATE_LIMITED, and takes nothing, when one of them is spent. */
  admit(asked: Asked): void;
  /** Throws RATE_LIMITED for an address from which too many credentials came that nobody knows. */
  requireNotGuessing(address: string): void;
  /** Takes note of such a credential. */
  refused(address: string): void;
  /**
   * Takes one of the places of requests that a client, and a tenant, may have under way; throws RATE_LIMITED when there is none.
   * Answers with what gives the place back.
   */
  enter(identity: Identity): () => void;
};

/** Places of requests under way. */
export type Places = { readonly client: number; readonly tenant: number };

/** From so many clients and tenants on, those that have nothing under way are forgotten now and then. */
const FORGET_FROM = 10_000;
/** Told to who finds no place: others have to end first, and none takes longer than a statement may. */
const PLACE_AFTER = 1;

/** Whose budgets and places an identity takes from. */
type Names = { readonly client: string; readonly tenant: string };

/** Found again by the identity: the keys of maps are hashed once, and not for each request. */
const names = new WeakMap<Identity, Names>();

function namesOf(identity: Identity): Names {
  let those = names.get(identity);
  if (those === undefined) {
    const { tenant = "", consumer } = identity;
    those = { client: `${consumer.type} ${consumer.id}`, tenant: `tenant ${tenant}` };
    names.set(identity, those);
  }
  return those;
}

/** Makes them. `now` is in milliseconds and never goes back. */
export function createRequestLimits(
  rates: Rates,
  places: Places,
  now: () => number,
  onRefused: (what: RequestClass | "refused" | "places") => void,
): RequestLimits {
  const limiters = (budgets: Budgets) =>
    (Object.entries(budgets) as [BudgetKey, Rate][]).map(
      ([key, rate]) => [key, createRateLimiter(rate, now)] as const,
    );
  const byClass: Readonly<Record<RequestClass, readonly (readonly [BudgetKey, RateLimiter])[]>> = {
    pairing: limiters(rates.pairing),
    renewal: limiters(rates.renewal),
    polling: limiters(rates.polling),
    administration: limiters(rates.administration),
  };
  const guesses = limiters(rates.refused).find(([key]) => key === "address")?.[1];
  /** How many requests are under way, of each client and tenant. */
  const underWay = new Map<string, { requests: number }>();
  let forgetAt = FORGET_FROM;
  const counterOf = (key: string) => {
    let counter = underWay.get(key);
    if (counter !== undefined) return counter;
    if (underWay.size >= forgetAt) {
      for (const [other, { requests }] of underWay) if (requests === 0) underWay.delete(other);
      forgetAt = Math.max(FORGET_FROM, 2 * underWay.size);
    }
    underWay.set(key, (counter = { requests: 0 }));
    return counter;
  };

  const spent = (what: Parameters<typeof onRefused>[0], milliseconds: number): never => {
    onRefused(what);
    throw rateLimited(Math.max(1, Math.ceil(milliseconds / 1000)));
  };

  return {
    admit({ class: kind, identity, address, cost }) {
      const those = namesOf(identity);
      const keyOf = (by: BudgetKey): string => (by === "address" ? addressKey(address) : those[by]);
      let longest = 0;
      for (const [by, limiter] of byClass[kind])
        longest = Math.max(longest, limiter.wait(keyOf(by), cost));
      if (longest > 0) spent(kind, longest);
      for (const [by, limiter] of byClass[kind]) limiter.take(keyOf(by), cost);
    },
    requireNotGuessing(address) {
      const wait = guesses?.wait(addressKey(address), 1) ?? 0;
      if (wait > 0) spent("refused", wait);
    },
    refused: (address) => guesses?.take(addressKey(address), 1),
    enter(identity) {
      const those = namesOf(identity);
      const client = counterOf(those.client);
      client.requests += 1;
      const tenant = counterOf(those.tenant);
      tenant.requests += 1;
      const leave = (): void => {
        client.requests -= 1;
        tenant.requests -= 1;
      };
      if (client.requests > places.client || tenant.requests > places.tenant) {
        leave();
        spent("places", PLACE_AFTER * 1000);
      }
      return leave;
    },
  };
}
