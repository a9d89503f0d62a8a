/** Who the agent is: its key, its certificate and whom it trusts. */
import { createHash } from "node:crypto";
import { readCertificateChain } from "@sextant/x509";
import { z } from "zod";

/** What is stored, in one file so that key and certificate can never be of two generations. */
export const storedIdentity = z.object({
  version: z.literal(1),
  /** PKCS #8 PEM. */
  privateKey: z.string(),
  /** PEM: the certificate, then the authorities between it and the root. */
  chain: z.string(),
  /** PEM of the authority by which the plane's own certificate is checked. */
  ca: z.string(),
  /** Hash of the plane's trust bundle that `ca` was taken from. */
  trustBundle: z.string().optional(),
  /** The Connector's endpoint on the mTLS listener. */
  connectorUrl: z.string(),
  /** When the agent got the certificate, by its own clock. */
  receivedAt: z.iso.datetime(),
  /** Hash of the one-time token that it was paired by. */
  pairedBy: z.string(),
});

/** See {@link storedIdentity}. */
export type StoredIdentity = z.output<typeof storedIdentity>;

/** A stored identity with what is read off its certificate. */
export type Identity = StoredIdentity & {
  readonly subject: string;
  readonly notAfter: Date;
  readonly renewAt: Date;
};

/** Reads what the certificate says. Throws when it is not one. */
export function openIdentity(stored: StoredIdentity, random: () => number): Identity {
  const [leaf] = readCertificateChain(stored.chain);
  if (leaf === undefined) throw new TypeError("no certificate");
  const renewAt = renewalTime(
    { receivedAt: new Date(stored.receivedAt), notAfter: leaf.notAfter },
    random,
  );
  return { ...stored, subject: leaf.subject, notAfter: leaf.notAfter, renewAt };
}

/**
 * When two thirds of the certificate's life have passed, and up to a tenth of it more, at random, so that agents that
 * were paired together do not renew together. The life counts from when the agent got it: the beginning in the
 * certificate is set back, for clocks that are late.
 */
export function renewalTime(
  { receivedAt, notAfter }: { readonly receivedAt: Date; readonly notAfter: Date },
  random: () => number,
): Date {
  const life = Math.max(0, notAfter.getTime() - receivedAt.getTime());
  return new Date(receivedAt.getTime() + life * (2 / 3 + random() / 10));
}

/** By what a token is told from another without storing it. */
export const hashToken = (token: string): string =>
  createHash("sha256").update(token).digest("hex");
