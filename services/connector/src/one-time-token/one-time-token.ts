/** One-time tokens: their form and the rules of their use. No I/O. */
import { createHash, createHmac } from "node:crypto";
import { unauthenticated } from "@sextant/errors";
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
};

/** `<public id>.<secret>`: 16 hex digits to talk about it, and 256 bits. */
export function tokenText(id: string, secret: Buffer): string {
  return `${id.replaceAll("-", "").slice(-16)}.${secret.toString("base64url")}`;
}

/** What is stored of a token. */
export function tokenHash(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

/** The secret of the signing token that follows a pairing token: the same for a repeat of the same request. */
export function signingSecret(key: Buffer, pairingTokenID: string, usedBy: string): Buffer {
  return createHmac("sha256", key).update(`${pairingTokenID} ${usedBy}`).digest();
}

/**
 * Whether a token is to be used now (`fresh`), or was used by the same request a moment ago (`repeat`). Throws UNAUTHENTICATED
 * for anything else. `by` identifies the request; undefined: it cannot be repeated.
 */
export function useOf(
  token: StoredToken,
  purpose: Purpose,
  by: string | undefined,
  now: number,
): "fresh" | "repeat" {
  if (token.purpose !== purpose) {
    const needed =
      purpose === "SIGNING"
        ? "ask for `configuration` first: its answer has the token for signing"
        : "request a new one";
    throw unauthenticated(`the one-time token is for ${token.purpose.toLowerCase()}: ${needed}`);
  }
  if (token.usedAt !== null) {
    const isRepeat =
      by !== undefined && token.usedBy === by && now - Date.parse(token.usedAt) < REPEATABLE;
    if (isRepeat) return "repeat";
    throw unauthenticated("the one-time token was used already: request a new one");
  }
  if (Date.parse(token.expiresAt) <= now)
    throw unauthenticated("the one-time token has expired: request a new one");
  return "fresh";
}
