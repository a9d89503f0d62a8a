/** Delivers webhook messages: signed, and tried again with growing pauses until they are taken or given up. */
import { equals } from "@sextant/graphql";
import { type Claimed, type Outcome, readOne, timestamp } from "@sextant/registry-client";
import { type Context } from "../act/act.ts";
import { openStoredAuth, type StoredAuth } from "../auth/auth.ts";
import { authenticated, pauseAfter, signedHeaders } from "./delivery.ts";
import type { Sender } from "./sender.ts";

const DEFAULT_TIMEOUT = 15;
const GONE = 410;
const fields = ["url", "auth", "signingSecret", "timeout", "retryInterval"] as const;

/** A bearer token by OAuth 2.0 client credentials (RFC 6749, 4.4). */
async function bearer(
  sender: Sender,
  auth: StoredAuth | undefined,
  timeout: number,
): Promise<Record<string, string>> {
  const oauth = auth?.credential?.oauth;
  if (oauth === null || oauth === undefined) return {};
  const client = [oauth.clientId, oauth.clientSecret].map(encodeURIComponent).join(":");
  const answer = await sender.send({
    url: oauth.url,
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from(client).toString("base64")}`,
    },
    body: "grant_type=client_credentials",
    timeout,
  });
  if (answer.status !== 200) throw new Error(`the token endpoint answered ${answer.status}`);
  const token = accessToken(answer.body);
  if (token === undefined) throw new Error("the token endpoint gave no access_token");
  return { authorization: `Bearer ${token}` };
}

/** The token in an answer. The parser's own error would repeat a part of it. */
function accessToken(body: string): string | undefined {
  try {
    const { access_token: token } = JSON.parse(body) as { access_token?: unknown };
    return typeof token === "string" ? token : undefined;
  } catch {
    return undefined;
  }
}

/** Makes the handler of one claimed delivery. `random` is in [0, 1). */
export function createDeliverer(context: Context, sender: Sender, random: () => number) {
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
        ...target.headers,
        ...(await bearer(sender, auth, timeout)),
        ...signedHeaders(work.id, secret, Math.floor(context.now() / 1000), body),
      };
      ({ status } = await sender.send({ url: target.url, headers, body, timeout }));
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
