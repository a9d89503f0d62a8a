/** What a caller needs to get a certificate: the first step of pairing, and what renewal begins with. */
import { createHash } from "node:crypto";
import { unauthenticated } from "@sextant/errors";
import { actorOf, equals } from "@sextant/graphql";
import { readOne } from "@sextant/registry-client";
import { pairedCaller, type PairedCaller, shownToken } from "../caller.ts";
import {
  type ActingCall,
  commitOf,
  type Context,
  mustExist,
  refuse,
  type Subject,
} from "../context.ts";
import { type OneTimeTokenService, storeToken } from "../one-time-token/one-time-token.service.ts";
import { signingToken, usedAlready, useOf, useUp } from "../one-time-token/one-time-token.ts";
import { subjectOf } from "../signing/subject.ts";
import { renewalWindow } from "./renewal-window.ts";

const ACTION = "configuration";

/** By what a pairing may be repeated: the caller's key, not in the clear. */
const requestOf = ({ idempotencyKey }: ActingCall): string | undefined =>
  idempotencyKey === undefined
    ? undefined
    : createHash("sha256").update(idempotencyKey).digest("hex");

/** Tells who pairs and who renews what it needs. */
export function createConfigurationService(context: Context, tokens: OneTimeTokenService) {
  const told = (type: Subject, id: string) => ({
    certificateSigningRequestInfo: { subject: subjectOf(type, id), keyAlgorithm: "rsa2048" },
    managementPlaneInfo: {
      directorURL: `${context.addresses.mtlsURL}/director/graphql`,
      certificateSecuredConnectorURL: `${context.addresses.mtlsURL}/connector/graphql`,
    },
  });

  const pairing = async (call: ActingCall, attempt = 1): Promise<unknown> => {
    const { tenant, tokenID } = shownToken(call.caller.identity);
    const about = { tenant, action: ACTION, kind: "oneTimeToken", id: tokenID } as const;
    const token = await tokens.find(tenant, tokenID);
    if (token === undefined) throw unauthenticated("the one-time token is not known");
    const now = context.now();
    const by = requestOf(call);
    const use = useOf(token, "PAIRING", by, now);
    if (typeof use !== "string") return refuse(context, call, about, use);
    const usedBy = by ?? context.randomBytes(32).toString("hex");
    const repeatable = use === "repeat" ? (token.usedBy ?? "") : usedBy;
    const id = context.newID();
    const text = signingToken(context.tokenKey, tokenID, repeatable);
    const type = token.consumerType as Subject;
    const answer = { ...told(type, token.consumerID), token: { token: text }, renewal: null };
    if (use === "repeat") return answer;

    const { consumerID } = token;
    const used = useUp({
      ...{ tokenID, purpose: "PAIRING", consumerType: type, consumerID },
      ...{ by: usedBy, from: call.clientAddress, now },
    });
    const expiresAt = now + context.lifetimes.signingToken * 1_000;
    const issuedBy = call.caller.identity.consumer;
    const next = { text, purpose: "SIGNING", consumerType: type, consumerID } as const;
    const steps = [used.step, mustExist(type), storeToken(id, { ...next, expiresAt, issuedBy })];
    const commit = commitOf(context, tenant, actorOf(call), ACTION, steps, used.params);
    const stored = await context.commits.commit(commit, tokenID);
    if (stored.ok) return answer;
    // The same request may have been faster than itself: then it gets the same answer.
    if (stored.failure.step === 0 && attempt === 1) return pairing(call, 2);
    const fault = stored.failure.step === 1 ? unauthenticated("its holder is gone") : usedAlready();
    return refuse(context, call, about, fault);
  };

  const renewal = async ({ tenant, certificateID }: PairedCaller) => {
    const certificate = await readOne(
      ...([context.registry, tenant, "certificate", equals("id", { param: "id" })] as const),
      ["createdAt", "notAfter", "hash", "issuerKeyID"],
      { id: certificateID },
    );
    if (certificate === undefined) return null;
    const { createdAt, notAfter, hash, issuerKeyID } = certificate;
    const { start, end, retryAfterSeconds } = renewalWindow(
      {
        from: Date.parse(createdAt),
        notAfter: Date.parse(notAfter),
        hash: hash ?? "0",
        isCurrent: issuerKeyID === context.authorities.current().keyId,
      },
      context.now(),
    );
    const written = (time: number): string => new Date(time).toISOString();
    return { start: written(start), end: written(end), retryAfterSeconds };
  };

  return {
    /** See the SDL: `configuration`. */
    async configuration(_args: unknown, call: ActingCall) {
      const caller = pairedCaller(call.caller.identity);
      if (caller === undefined) return pairing(call);
      return { ...told(caller.type, caller.id), token: null, renewal: await renewal(caller) };
    },
  };
}

/** See {@link createConfigurationService}. */
export type ConfigurationService = ReturnType<typeof createConfigurationService>;
