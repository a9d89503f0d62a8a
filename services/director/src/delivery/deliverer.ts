/** Delivers webhook messages: signed, and tried again with growing pauses until they are taken or given up. */
import { equals } from "@sextant/graphql";
import { type Claimed, type Outcome, readOne, timestamp } from "@sextant/registry-client";
import { type Context } from "../act/act.ts";
import { openStoredAuth } from "../auth/auth.ts";
import { authenticated, bearer } from "../outbound/authentication.ts";
import type { Outbound } from "../outbound/outbound-client.ts";
import { pauseAfter, signedHeaders } from "./delivery.ts";

const DEFAULT_TIMEOUT = 15;
const GONE = 410;
/** Bytes of an answer that are read, so that its connection can be used again. */
const MAX_ANSWER = 64 * 1024;
const fields = ["url", "auth", "signingSecret", "timeout", "retryInterval"] as const;

/** Makes the handler of one claimed delivery. `random` is in [0, 1). */
export function createDeliverer(context: Context, outbound: Outbound, random: () => number) {
  return async (work: Claimed<"delivery">): Promise<Outcome> => {
    const { tenant, webhookID } = work;
    const isIt = equals("id", { param: "id" });
    const webhook = await readOne(context.registry, tenant, "webhook", isIt, fields, {
      id: webhookID,
    });
    const gaveUp = (lastError: string): Outcome => ({
      done: true,
      values: { state: "FAILED", lastError },
    });
    if (webhook === undefined) return gaveUp("the webhook was removed");
    if (webhook.url === null) return gaveUp("the webhook has no url");

    const timeout = (webhook.timeout ?? DEFAULT_TIMEOUT) * 1000;
    const body = JSON.stringify(work.body);
    let status: number | null = null;
    let problem: string;
    try {
      const auth =
        webhook.auth === null ? undefined : openStoredAuth(context.sealer, tenant, webhook.auth);
      const secret = context.sealer.open(tenant, "signing-secret", webhook.signingSecret);
      const target = authenticated(webhook.url, auth);
      const headers = {
        "content-type": "application/json",
        ...target.headers,
        ...(await bearer(outbound, auth?.credential, AbortSignal.timeout(timeout))),
        ...signedHeaders(work.id, secret, Math.floor(context.now() / 1000), body),
      };
      ({ status } = await outbound.exchange({
        method: "POST",
        url: target.url,
        headers,
        body,
        signal: AbortSignal.timeout(timeout),
        maxBytes: MAX_ANSWER,
      }));
      if (status >= 200 && status < 300) {
        const deliveredAt = timestamp(context.now());
        return {
          done: true,
          values: { state: "DELIVERED", lastStatus: status, lastError: null, deliveredAt },
        };
      }
      problem = `the receiver answered ${status}`;
    } catch (error) {
      problem = error instanceof Error ? error.message.slice(0, 500) : "the attempt failed";
    }
    const pause =
      status === GONE
        ? undefined
        : pauseAfter(Number(work.attempts), webhook.retryInterval, random);
    const values = { lastStatus: status, lastError: problem };
    return pause === undefined
      ? { done: true, values: { ...values, state: "FAILED" } }
      : { done: false, values, nextAttemptAt: timestamp(context.now() + pause * 1000) };
  };
}
