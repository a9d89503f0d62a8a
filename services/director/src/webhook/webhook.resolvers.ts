import type { Resolvers } from "@sextant/graphql";
import type { WebhookService } from "./webhook.service.ts";

/** Mutations of webhooks. */
export const webhookResolvers = (webhooks: WebhookService): Resolvers => ({
  Mutation: {
    addWebhook: webhooks.add,
    updateWebhook: webhooks.update,
    deleteWebhook: webhooks.delete,
    rotateWebhookSecret: webhooks.rotateSecret,
  },
});
