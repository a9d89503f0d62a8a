/** Webhooks: checked inputs, their columns, their signing secrets. */
import { randomBytes } from "node:crypto";
import { create, type Step } from "@sextant/registry-client";
import { z } from "zod";
import type { Context } from "../act/act.ts";
import { authInput, sealAuth } from "../auth/auth.ts";
import { absoluteURL, text } from "../input/input.ts";
import { targetFault } from "../outbound/target.ts";

/** Webhooks of one owner. */
export const MAX_WEBHOOKS = 100;
const MAX_TEMPLATE = 10_000;

const template = text(0, MAX_TEMPLATE).nullish();
const seconds = (max: number) =>
  z
    .int()
    .refine((value) => value >= 1 && value <= max, { error: `must be from 1 to ${max} seconds` })
    .nullish();

/** WebhookInput. */
export const webhookInput = (allowPrivateTargets: boolean) =>
  z
    .object({
      type: z.enum(["CONFIGURATION_CHANGED", "REGISTER_APPLICATION", "UNREGISTER_APPLICATION"]),
      url: absoluteURL.nullish(),
      auth: authInput.nullish(),
      mode: z.enum(["SYNC", "ASYNC"]).nullish(),
      correlationIdKey: text(1, 256).nullish(),
      retryInterval: seconds(86_400),
      timeout: seconds(60),
      urlTemplate: template,
      inputTemplate: template,
      headerTemplate: template,
      outputTemplate: template,
      statusTemplate: template,
    })
    .superRefine((webhook, context) => {
      const url = webhook.url ?? undefined;
      if (url === undefined && (webhook.urlTemplate ?? undefined) === undefined) {
        context.addIssue({
          code: "custom",
          path: ["url"],
          message: "is required unless urlTemplate is given",
        });
      }
      const fault = url === undefined || allowPrivateTargets ? undefined : targetFault(url);
      if (fault !== undefined) context.addIssue({ code: "custom", path: ["url"], message: fault });
    });

/** A checked webhook. */
export type WebhookValues = z.output<ReturnType<typeof webhookInput>>;

/** A new signing secret, as Standard Webhooks writes it: 32 random bytes. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

/** The columns of a webhook but for its owner and secret. */
export function webhookColumns(
  context: Pick<Context, "sealer">,
  tenant: string,
  input: WebhookValues,
) {
  return {
    type: input.type,
    mode: input.mode ?? "SYNC",
    url: input.url ?? null,
    auth: sealAuth(context.sealer, tenant, input.auth),
    correlationIdKey: input.correlationIdKey ?? null,
    retryInterval: input.retryInterval ?? null,
    timeout: input.timeout ?? null,
    urlTemplate: input.urlTemplate ?? null,
    inputTemplate: input.inputTemplate ?? null,
    headerTemplate: input.headerTemplate ?? null,
    outputTemplate: input.outputTemplate ?? null,
    statusTemplate: input.statusTemplate ?? null,
  };
}

/** The step that stores an application's webhook, with a new signing secret. */
export function createWebhook(
  context: Pick<Context, "sealer">,
  tenant: string,
  applicationID: string,
  id: string,
  input: WebhookValues,
): Step {
  const signingSecret = context.sealer.seal(tenant, "signing-secret", newSigningSecret());
  return create("webhook", id, {
    applicationID,
    signingSecret,
    ...webhookColumns(context, tenant, input),
  });
}
