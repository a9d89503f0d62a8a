import { invalidOperation, notFound } from "@sextant/errors";
import { type Answer, checked } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { update } from "@sextant/registry-client";
import { knownID, requireApplication } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import { removeOwned, requireOwned } from "../bundle/bundle.service.ts";
import {
  createWebhook,
  MAX_WEBHOOKS,
  newSigningSecret,
  webhookColumns,
  webhookInput,
} from "./webhook.ts";

type Revision = { readonly expectedRevision?: number | null };

/** What can be done with webhooks. */
export function createWebhookService(context: Context) {
  const noun = "Webhook";
  const input = webhookInput(context.allowPrivateTargets);

  return {
    async add(args: { applicationID: string; in: unknown }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const applicationID = knownID("Application", args.applicationID);
      requireApplication(identity, applicationID);
      const values = checked("WebhookInput", input, args.in);
      const id = context.newID();
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "addWebhook",
        steps: [
          createWebhook(context, tenant, applicationID, id, values),
          {
            op: "limit",
            kind: "webhook",
            owner: { field: "applicationID", id: applicationID },
            max: MAX_WEBHOOKS,
          },
        ],
        explain: (failure) => {
          if (failure.reason === "LIMIT")
            return invalidOperation(
              `the application has ${MAX_WEBHOOKS} webhooks: delete one first`,
            );
          return failure.reason === "REFERENCE"
            ? notFound("Application", applicationID)
            : undefined;
        },
        answer: "after",
        reveal: true,
      });
    },

    async update(
      args: { webhookID: string; in: unknown } & Revision,
      call: ActingCall,
    ): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const { id } = await requireOwned(context, identity, tenant, "webhook", args.webhookID);
      const values = webhookColumns(context, tenant, checked("WebhookInput", input, args.in));
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "updateWebhook",
        steps: [update("webhook", id, values, expecting(args.expectedRevision))],
        answer: "after",
      });
    },

    async rotateSecret(args: { webhookID: string }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const { id } = await requireOwned(context, identity, tenant, "webhook", args.webhookID);
      const signingSecret = context.sealer.seal(tenant, "signing-secret", newSigningSecret());
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "rotateWebhookSecret",
        steps: [update("webhook", id, { signingSecret })],
        answer: "after",
        reveal: true,
      });
    },

    delete: (args: { webhookID: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "webhook", { ...args, id: args.webhookID }),
  };
}

/** See {@link createWebhookService}. */
export type WebhookService = ReturnType<typeof createWebhookService>;
