/** A certificate for a signing request: the second step of pairing, and renewal. */
import { createHash } from "node:crypto";
import { invalidData, type SextantError, unauthenticated } from "@sextant/errors";
import { actorOf, all, equals } from "@sextant/graphql";
import {
  type CommitFailure,
  type Condition,
  type ReadPlan,
  type Step,
  timestamp,
  update,
} from "@sextant/registry-client";
import {
  type CertificateRequest,
  MAX_REQUEST_BYTES,
  parseCertificateRequest,
  readBase64,
} from "@sextant/x509";
import { type Consumer, pairedCaller, type PairedCaller, shownToken } from "../caller.ts";
import {
  type ActingCall,
  commitOf,
  type Context,
  inForce,
  mustExist,
  REPEATABLE,
  refuse,
  type Subject,
} from "../context.ts";
import type { OneTimeTokenService } from "../one-time-token/one-time-token.service.ts";
import { usedAlready, useOf, useUp } from "../one-time-token/one-time-token.ts";
import { createIssuing, type Issued, type Stored, storedFields } from "./issuing.ts";
import { checkSubject, subjectOf } from "./subject.ts";

const ACTION = "signCertificate";
/** Seconds within which certificates of a key are looked for: more than they are repeatable, for clocks that differ. */
const RECENT = 600;
const SUBJECTS: readonly Subject[] = ["APPLICATION", "RUNTIME"];

/** A request with the hash of its key. */
type Request = CertificateRequest & { readonly publicKeyHash: string };
type Recent = Stored & { readonly createdAt: string };
type Shown = { readonly revokedAt: string | null; readonly notAfter: string };

const isRecentOfKey: Condition = all(
  equals("publicKeyHash", { param: "publicKeyHash" }),
  equals("consumerID", { param: "me" }),
  { op: "within", field: "createdAt", seconds: { param: "recent" } },
);
const ofTheKey = {
  as: "recent",
  read: {
    list: "certificate",
    where: isRecentOfKey,
    select: [...storedFields, "createdAt"].map((field) => ({ as: field, field })),
    max: 1000,
  },
} as const;
const keyPlan: ReadPlan = { select: [ofTheKey] };
const renewalPlan: ReadPlan = {
  select: [
    ofTheKey,
    {
      as: "shown",
      read: {
        one: "certificate",
        where: equals("id", { param: "shown" }),
        select: ["revokedAt", "notAfter"].map((field) => ({ as: field, field })),
      },
    },
  ],
};

const anothersKey = () =>
  invalidData("CertificateSigningRequest", [
    { field: "csr", message: "its key belongs to another: make a new key" },
  ]);
const holderGone = () => unauthenticated("its holder is gone: pair anew");

function readRequest(csr: string): Request {
  const wrong = (message: string) =>
    invalidData("CertificateSigningRequest", [{ field: "csr", message }]);
  if (csr.length > MAX_REQUEST_BYTES * 1.5)
    throw wrong(`is larger than ${MAX_REQUEST_BYTES} bytes`);
  const bytes = readBase64(csr);
  if (bytes === undefined) throw wrong("must be base64 of a PEM text");
  const request = parseCertificateRequest(bytes.toString("latin1"));
  const publicKeyHash = createHash("sha256").update(request.spki).digest("hex");
  return { ...request, publicKeyHash };
}

function answerOf({ certificate, issuer, root }: Issued) {
  const base64 = (pem: string) => Buffer.from(pem).toString("base64");
  return {
    certificateChain: base64(certificate + issuer),
    caCertificate: base64(root),
    clientCertificate: base64(certificate),
  };
}

/** Signs for who pairs and for who has paired. */
export function createSigningService(context: Context, tokens: OneTimeTokenService) {
  const issuing = createIssuing(context);

  /** The answer to a request that was answered a moment ago, or was to be; undefined: there was none. */
  const again = async (
    { tenant }: Consumer,
    { publicKey }: Request,
    recent: readonly Recent[],
  ): Promise<Issued | undefined> => {
    const newest = recent.at(-1);
    if (newest === undefined || newest.revokedAt !== null) return undefined;
    if (context.now() - Date.parse(newest.createdAt) >= REPEATABLE) return undefined;
    return newest.hash === null
      ? issuing.finish(tenant, newest, publicKey)
      : issuing.repeated(newest);
  };

  const read = async <Answer>(consumer: Consumer, request: Request, plan: ReadPlan, more = {}) => {
    const { publicKeyHash } = request;
    const params = { publicKeyHash, me: consumer.id, recent: RECENT, ...more };
    const answer = await context.registry.read({ tenant: consumer.tenant, plan, params });
    return JSON.parse(answer.text) as Answer;
  };

  /** What the steps that both ways have in common were refused for; they come after so many others. */
  const commonFault = (failure: CommitFailure, before: number): SextantError | undefined => {
    if (failure.step === before) return holderGone();
    return failure.reason === "UNIQUE" || failure.reason === "REFERENCE"
      ? anothersKey()
      : undefined;
  };

  /** Everything is decided by the commit, and nothing is read before: what is read after a refusal only says why. */
  const pair = async (request: Request, call: ActingCall, attempt = 1): Promise<Issued> => {
    const { tenant, tokenID, holderID } = shownToken(call.caller.identity);
    const about = { tenant, action: ACTION, kind: "oneTimeToken", id: tokenID } as const;
    const { publicKeyHash } = request;
    const now = context.now();
    const type = SUBJECTS.find((one) => subjectOf(one, holderID) === request.subject);
    if (type !== undefined) {
      const consumer: Consumer = { tenant, type, id: holderID };
      const use = useUp({
        ...{ tokenID, purpose: "SIGNING", consumerType: type, consumerID: holderID },
        ...{ by: publicKeyHash, from: call.clientAddress, now },
      });
      const { record, steps } = issuing.prepare(consumer, request, publicKeyHash);
      const actor = { ...actorOf(call), type, id: holderID };
      const all = [use.step, mustExist(type), ...steps];
      const commit = commitOf(context, tenant, actor, ACTION, all, use.params);
      const stored = await context.commits.commit(commit, tokenID);
      if (stored.ok) return issuing.finish(tenant, record, request.publicKey);
      const fault = commonFault(stored.failure, 1);
      if (fault !== undefined) return refuse(context, call, about, fault);
    }

    const token = await tokens.find(tenant, tokenID);
    if (token === undefined) throw unauthenticated("the one-time token is not known");
    const use = useOf(token, "SIGNING", publicKeyHash, now);
    if (typeof use !== "string") return refuse(context, call, about, use);
    const consumer = { tenant, type: token.consumerType as Subject, id: token.consumerID };
    checkSubject(subjectOf(consumer.type, consumer.id), request.subject);
    if (use === "repeat") {
      const { recent } = await read<{ recent: Recent[] }>(consumer, request, keyPlan);
      const given = await again(consumer, request, recent);
      return given ?? refuse(context, call, about, usedAlready());
    }
    if (attempt === 1) return pair(request, call, 2);
    return refuse(context, call, about, usedAlready());
  };

  /** The steps that make a renewal the only answer to its request. */
  const renewalSteps = (caller: PairedCaller): readonly Step[] => [
    // Holds the shown certificate: it cannot be revoked while it is renewed.
    update(
      "certificate",
      caller.certificateID,
      {},
      {
        where: all(inForce, { op: "later", field: "notAfter", than: { param: "now" } }),
        quiet: true,
      },
    ),
    {
      op: "check",
      kind: "certificate",
      where: all(isRecentOfKey, {
        op: "not",
        condition: { op: "in", field: "id", values: { param: "seen" } },
      }),
      expect: "none",
    },
    mustExist(caller.type),
  ];

  const renew = async (
    caller: PairedCaller,
    request: Request,
    call: ActingCall,
    attempt = 1,
  ): Promise<Issued> => {
    const { tenant, type, id, certificateID } = caller;
    const about = { tenant, action: ACTION, kind: "certificate", id: certificateID } as const;
    checkSubject(subjectOf(type, id), request.subject);
    const known = await read<{ recent: Recent[]; shown: Shown | null }>(
      ...([caller, request, renewalPlan, { shown: certificateID }] as const),
    );
    const { shown, recent } = known;
    const isOver = shown === null || Date.parse(shown.notAfter) <= context.now();
    if (isOver || shown.revokedAt !== null) {
      const what = isOver ? "has expired" : "was revoked";
      const fault = unauthenticated(`the client certificate ${what}: pair anew`);
      return refuse(context, call, about, fault);
    }
    const given = await again(caller, request, recent);
    if (given !== undefined) return given;

    const { record, steps } = issuing.prepare(caller, request, request.publicKeyHash);
    const params = {
      publicKeyHash: request.publicKeyHash,
      me: id,
      recent: RECENT,
      seen: recent.map((one) => one.id),
      now: timestamp(context.now()),
    };
    const commit = commitOf(
      ...([context, tenant, { ...actorOf(call), type, id }, ACTION] as const),
      [...renewalSteps(caller), ...steps],
      params,
    );
    const once = `${certificateID} ${request.publicKeyHash}`;
    const stored = await context.commits.commit(commit, once);
    if (stored.ok) return issuing.finish(tenant, record, request.publicKey);
    const fault = commonFault(stored.failure, 2);
    if (fault !== undefined) return refuse(context, call, about, fault);
    // Another request was faster. With the same key it was this one, sent twice: both get the same answer.
    if (attempt === 1) return renew(caller, request, call, 2);
    const lost = unauthenticated(
      "the client certificate was revoked, or its holder is gone: pair anew",
    );
    return refuse(context, call, about, lost);
  };

  return {
    /** See the SDL: `signCertificateSigningRequest`. */
    async sign({ csr }: { readonly csr: string }, call: ActingCall) {
      const caller = pairedCaller(call.caller.identity);
      const request = readRequest(csr);
      const issued =
        caller === undefined ? await pair(request, call) : await renew(caller, request, call);
      return answerOf(issued);
    },
  };
}

/** See {@link createSigningService}. */
export type SigningService = ReturnType<typeof createSigningService>;
