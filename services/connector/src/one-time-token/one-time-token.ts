/** One-time tokens: their form and the rules of their use. No I/O. */
import { createHash, createHmac, type KeyObject } from "node:crypto";
import { type SextantError, unauthenticated } from "@sextant/errors";
import { all, equals } from "@sextant/graphql";
import { type Step, timestamp, update } from "@sextant/registry-client";
import { REPEATABLE } from "../context.ts";

/** What a token is good for. */
export type Purpose = "PAIRING" | "SIGNING";

/** A token as it is stored, as far as its use goes. */
export type StoredToken = {
  readonly id: string;
  readonly purpose: string;
  readonly consumerType: string;
  readonly consumerID: string;
  readonly expiresAt: string;
  readonly usedAt: string | null;
  readonly usedBy: string | null;
  readonly revokedAt: string | null;
};

/** The part of a token that is no secret: 16 hex digits to talk about it. */
export const publicIDOf = (id: string): string => id.replaceAll("-", "").slice(-16);

/** `<public id>.<secret>`, the secret of 256 bits. */
export function tokenText(publicID: string, secret: Buffer): string {
  return `${publicID}.${secret.toString("base64url")}`;
}

/** What is stored of a token. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** The token for signing that follows a token for pairing: the same for a repeat of the same request, and for nobody else. */
export function signingToken(key: KeyObject, pairingTokenID: string, usedBy: string): string {
  const derived = (what: string): Buffer =>
    createHmac("sha256", key).update(`${what} ${pairingTokenID} ${usedBy}`).digest();
  return tokenText(derived("public id").toString("hex", 0, 8), derived("secret"));
}

/**
 * Whether a token is to be used now (`fresh`), or was used by the same request a moment ago (`repeat`); else why it cannot be:
 * UNAUTHENTICATED. `by` identifies the request; undefined: it cannot be repeated.
 */
export function useOf(
  token: StoredToken,
  purpose: Purpose,
  by: string | undefined,
  now: number,
): "fresh" | "repeat" | SextantError {
  if (token.purpose !== purpose) {
    const needed =
      purpose === "SIGNING"
        ? "ask for `configuration` first: its answer has the token for signing"
        : "request a new one";
    return unauthenticated(`the one-time token is for ${token.purpose.toLowerCase()}: ${needed}`);
  }
  if (token.revokedAt !== null)
    return unauthenticated("the one-time token was revoked: request a new one");
  if (token.usedAt !== null) {
    const isRepeat =
      by !== undefined && token.usedBy === by && now - Date.parse(token.usedAt) < REPEATABLE;
    return isRepeat ? "repeat" : usedAlready();
  }
  if (Date.parse(token.expiresAt) <= now)
    return unauthenticated("the one-time token has expired: request a new one");
  return "fresh";
}

/** The refusal of a token that is used. */
export const usedAlready = (): SextantError =>
  unauthenticated("the one-time token was used already: request a new one");

/** What of a token is not used, not revoked and in its time. The time is the parameter `now`. */
const isUsable = all(
  { op: "isNull", field: "usedAt" },
  { op: "isNull", field: "revokedAt" },
  { op: "later", field: "expiresAt", than: { param: "now" } },
  equals("purpose", { param: "purpose" }),
  equals("consumerType", { param: "type" }),
  equals("consumerID", { param: "me" }),
);

/** Who uses a token, for what, and by which request. */
export type TokenUse = {
  readonly tokenID: string;
  readonly purpose: Purpose;
  readonly consumerType: string;
  readonly consumerID: string;
  readonly by: string;
  readonly from: string | undefined;
  readonly now: number;
};

/** The step that uses a token up; the commit is refused when it cannot be used, or another request was faster. */
export function useUp(use: TokenUse): {
  readonly step: Step;
  readonly params: Readonly<Record<string, string>>;
} {
  const now = timestamp(use.now);
  const values = { usedAt: now, usedBy: use.by, usedFrom: use.from ?? null };
  return {
    step: update("oneTimeToken", use.tokenID, values, { where: isUsable }),
    params: { now, purpose: use.purpose, type: use.consumerType, me: use.consumerID },
  };
}
