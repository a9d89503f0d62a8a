import type { Actor, Commit, Params, Registry, Step } from "@sextant/registry-client";
import type { CertificateAuthority } from "@sextant/x509";

/** What can pair and hold a certificate. */
export type Subject = "APPLICATION" | "RUNTIME";

/** Lifetimes in seconds. */
export type Lifetimes = {
  readonly pairingToken: Readonly<Record<Subject, number>>;
  readonly signingToken: number;
  readonly certificate: Readonly<Record<Subject, number>>;
};

/** Addresses by which the plane is reached from outside. */
export type Addresses = { readonly publicURL: string; readonly mtlsURL: string };

/** What every use case of the Connector works with. */
export type Context = {
  readonly registry: Registry;
  readonly newID: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  readonly authority: CertificateAuthority;
  /** PEM of the root. */
  readonly root: string;
  /** Key of the secrets of signing tokens, which are derived and never stored. */
  readonly tokenKey: Buffer;
  readonly lifetimes: Lifetimes;
  readonly addresses: Addresses;
};

/** For so many milliseconds a repeat of the same request gets the same answer. */
export const REPEATABLE = 120_000;

/** A commit of the Connector. */
export function commitOf(
  context: Pick<Context, "newID">,
  tenant: string,
  actor: Actor,
  action: string,
  steps: readonly Step[],
  params: Params = {},
): Commit {
  return {
    id: context.newID(),
    tenant,
    actor,
    action,
    steps,
    params,
  };
}
