/** What the agent does next. Pure: everything it depends on is in its arguments. */
/** What the agent knows of itself. */
export type Knowledge = {
  readonly now: Date;
  /** The certificate that it has. */
  readonly identity:
    | { readonly notAfter: Date; readonly renewAt: Date; readonly pairedBy: string }
    | undefined;
  /** When to ask the plane for the renewal window. */
  readonly askAt: Date;
  /** Hash of the one-time token in its settings. */
  readonly tokenHash: string | undefined;
  /** Hash of a token that the plane has refused since the start. */
  readonly refusedToken: string | undefined;
};

/** The next thing to do. */
export type Step =
  | { readonly do: "pair" }
  | { readonly do: "renew" }
  | { readonly do: "ask" }
  | { readonly do: "poll"; readonly holdSeconds: number }
  | { readonly do: "wait"; readonly why: "expired" | "no token" };

/** The longest that a poll asks to be held: proxies often cut at 60 s, and the plane allows 55. */
const LONGEST_HOLD_S = 50;

/** Decides. A token that the certificate was not made with is an operator's wish to pair anew. */
export function nextStep({ now, identity, askAt, tokenHash, refusedToken }: Knowledge): Step {
  const isNewToken = tokenHash !== undefined && tokenHash !== identity?.pairedBy;
  if (identity === undefined) return isNewToken ? { do: "pair" } : { do: "wait", why: "no token" };
  const expired = now >= identity.notAfter;
  if (isNewToken && (expired || tokenHash !== refusedToken)) return { do: "pair" };
  if (expired) return { do: "wait", why: "expired" };
  if (now >= identity.renewAt) return { do: "renew" };
  if (now >= askAt) return { do: "ask" };
  const next = Math.min(identity.renewAt.getTime(), askAt.getTime());
  const until = Math.ceil((next - now.getTime()) / 1_000);
  return { do: "poll", holdSeconds: Math.min(LONGEST_HOLD_S, until) };
}
