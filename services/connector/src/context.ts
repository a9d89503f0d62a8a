import type { KeyObject } from "node:crypto";
import {
  type Actor,
  type Commit,
  type CommitGroups,
  type Condition,
  type Params,
  recordNote,
  type Registry,
  type Step,
} from "@sextant/registry-client";
import { actorOf, equals, type GraphCall } from "@sextant/graphql";
import type { SextantError } from "@sextant/errors";
import type { Authorities } from "./authority/authorities.ts";

/** What can pair and hold a certificate. */
export type Subject = "APPLICATION" | "RUNTIME";

/** Lifetimes in seconds. */
export type Lifetimes = {
  readonly pairingToken: Readonly<Record<Subject, number>>;
  readonly signingToken: number;
  readonly certificate: Readonly<Record<Subject, number>>;
  readonly revocationList: number;
};

/** Addresses by which the plane is reached from outside. */
export type Addresses = {
  readonly publicURL: string;
  readonly mtlsURL: string;
  /** Where certificates say that the revocation list of their issuer is: `{issuer}` stands for its key identifier. */
  readonly revocationListURL: string;
};

/** What every use case of the Connector works with. */
export type Context = {
  readonly registry: Registry;
  /** Where commits of many requests go together. */
  readonly commits: CommitGroups;
  readonly newID: () => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly randomBytes: (size: number) => Buffer;
  readonly authorities: Authorities;
  /** Key of the secrets of signing tokens, which are derived and never stored. */
  readonly tokenKey: KeyObject;
  readonly lifetimes: Lifetimes;
  readonly addresses: Addresses;
};

/** The part of a call that a use case needs. */
export type ActingCall = Pick<
  GraphCall,
  "caller" | "requestID" | "clientAddress" | "idempotencyKey"
>;

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

/** Not revoked, and its time not over: of certificates and of what is being issued. */
export const inForce: Condition = {
  op: "all",
  of: [
    { op: "isNull", field: "revokedAt" },
    { op: "not", condition: { op: "past", field: "notAfter" } },
  ],
};

/** Holds the application or runtime with the id in the parameter `me`; refuses the commit when it is gone. */
export const mustExist = (type: Subject): Step => ({
  op: "check",
  kind: type === "APPLICATION" ? "application" : "runtime",
  where: equals("id", { param: "me" }),
  expect: "some",
  hold: true,
});

/** Records that an act was refused, then throws why. */
export async function refuse(
  context: Pick<Context, "commits" | "newID">,
  call: ActingCall,
  refused: {
    readonly tenant: string;
    readonly action: string;
    readonly kind: "oneTimeToken" | "certificate";
    readonly id: string;
  },
  error: SextantError,
): Promise<never> {
  const { tenant, action, kind, id } = refused;
  const recorder = { newID: context.newID, registry: context.commits };
  const objects = [{ kind, id }];
  await recordNote(recorder, tenant, actorOf(call), action, { code: error.code, objects });
  throw error;
}
