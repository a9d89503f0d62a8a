import type { Resolvers } from "@sextant/graphql";
import type { Context } from "./act/act.ts";
import { applicationResolvers } from "./application/application.resolvers.ts";
import { createApplicationService } from "./application/application.service.ts";
import { apiTokenResolvers } from "./api-token/api-token.resolvers.ts";
import { createAPITokenService } from "./api-token/api-token.service.ts";
import { applicationTemplateResolvers } from "./application-template/application-template.resolvers.ts";
import { createApplicationTemplateService } from "./application-template/application-template.service.ts";
import { eventingResolvers } from "./eventing/eventing.resolvers.ts";
import { createEventingService } from "./eventing/eventing.service.ts";
import { integrationSystemResolvers } from "./integration-system/integration-system.resolvers.ts";
import { createIntegrationSystemService } from "./integration-system/integration-system.service.ts";
import { systemAuthResolvers } from "./system-auth/system-auth.resolvers.ts";
import { createSystemAuthService } from "./system-auth/system-auth.service.ts";
import { automaticGroupAssignmentResolvers } from "./automatic-group-assignment/automatic-group-assignment.resolvers.ts";
import { createAutomaticGroupAssignmentService } from "./automatic-group-assignment/automatic-group-assignment.service.ts";
import { bundleResolvers } from "./bundle/bundle.resolvers.ts";
import { createBundleService } from "./bundle/bundle.service.ts";
import { createDefinitionService } from "./bundle/definition.service.ts";
import type { Trust } from "./connector-client/trust.ts";
import { fetchRequestResolvers } from "./fetch-request/fetch-request.resolvers.ts";
import { createFetchRequestService } from "./fetch-request/fetch-request.service.ts";
import { instanceAuthResolvers } from "./instance-auth/instance-auth.resolvers.ts";
import { createInstanceAuthService } from "./instance-auth/instance-auth.service.ts";
import { labelResolvers } from "./label/label.resolvers.ts";
import { createLabelService } from "./label/label.service.ts";
import { labelDefinitionResolvers } from "./label-definition/label-definition.resolvers.ts";
import { createLabelDefinitionService } from "./label-definition/label-definition.service.ts";
import { oneTimeTokenResolvers } from "./one-time-token/one-time-token.resolvers.ts";
import { createOneTimeTokenService } from "./one-time-token/one-time-token.service.ts";
import { runtimeContextResolvers } from "./runtime-context/runtime-context.resolvers.ts";
import { createRuntimeContextService } from "./runtime-context/runtime-context.service.ts";
import { runtimeResolvers } from "./runtime/runtime.resolvers.ts";
import { createRuntimeService } from "./runtime/runtime.service.ts";
import { tenantResolvers } from "./tenant/tenant.resolvers.ts";
import { createTenantService } from "./tenant/tenant.service.ts";
import { viewerResolvers } from "./viewer/viewer.resolvers.ts";
import { createViewerService } from "./viewer/viewer.service.ts";
import { webhookResolvers } from "./webhook/webhook.resolvers.ts";
import { createWebhookService } from "./webhook/webhook.service.ts";

/** Everything that Director carries out, noun by noun. */
export function resolvers(
  context: Context,
  dependencies: { readonly trust: Trust; readonly tokenURL: string },
): Resolvers {
  const { trust, tokenURL } = dependencies;
  const applications = createApplicationService(context, dependencies);
  const nouns = [
    applicationResolvers(applications),
    applicationTemplateResolvers(createApplicationTemplateService(context, applications)),
    integrationSystemResolvers(createIntegrationSystemService(context)),
    systemAuthResolvers(createSystemAuthService(context, tokenURL)),
    apiTokenResolvers(createAPITokenService(context)),
    eventingResolvers(createEventingService(context)),
    runtimeResolvers(createRuntimeService(context, dependencies)),
    labelResolvers(createLabelService(context)),
    labelDefinitionResolvers(createLabelDefinitionService(context)),
    automaticGroupAssignmentResolvers(createAutomaticGroupAssignmentService(context)),
    runtimeContextResolvers(createRuntimeContextService(context)),
    bundleResolvers(createBundleService(context), createDefinitionService(context)),
    fetchRequestResolvers(createFetchRequestService(context)),
    instanceAuthResolvers(createInstanceAuthService(context)),
    webhookResolvers(createWebhookService(context)),
    tenantResolvers(createTenantService(context)),
    oneTimeTokenResolvers(createOneTimeTokenService(context, trust)),
    viewerResolvers(createViewerService()),
  ];
  return {
    Query: Object.assign({}, ...nouns.map((noun) => noun.Query ?? {})) as NonNullable<
      Resolvers["Query"]
    >,
    Mutation: Object.assign({}, ...nouns.map((noun) => noun.Mutation ?? {})) as NonNullable<
      Resolvers["Mutation"]
    >,
  };
}
