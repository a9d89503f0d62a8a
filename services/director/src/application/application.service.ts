import { type Answer, checked, checkedFully, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { create, update, timestamp } from "@sextant/registry-client";
import { knownID, requireAdmin, requireApplication } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import { createBundle } from "../bundle/bundle.ts";
import { staleForApplication } from "../bundle/bundle.service.ts";
import type { Trust } from "../connector-client/trust.ts";
import { unregister } from "../connector-client/unregister.ts";
import { changeProbing, probingParameters, startProbing } from "../health-check/health-probe.ts";
import { initialLabels, labelSteps } from "../label/label.ts";
import { type LabelGuard, writingLabels } from "../label-definition/label-writing.ts";
import { unknownIntegrationSystem } from "../integration-system/integration-system.service.ts";
import { requireObject } from "../read/require-object.ts";
import { createWebhook } from "../webhook/webhook.ts";
import { applicationRegisterInput, applicationUpdateInput } from "./application.ts";

type Revision = { readonly expectedRevision?: number | null };

/** What can be done with applications. */
export function createApplicationService(
  context: Context,
  dependencies: { readonly trust: Trust },
) {
  const registerInput = applicationRegisterInput(context);
  const updateInput = applicationUpdateInput(context);
  const noun = "Application";

  return {
    async register({ in: input }: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "application:write");
      requireAdmin(call.caller.identity, "registering an application");
      const values = await checkedFully("ApplicationRegisterInput", registerInput, input);
      const labels = initialLabels(values.labels, context.groups);
      const bundles = values.bundles ?? [];
      const id = context.newID();
      const write = (guard: LabelGuard) =>
        act(context, call, {
          tenant,
          noun,
          id,
          action: "registerApplication",
          unique: { application_name_key: `Application ${values.name}` },
          steps: [
            ...guard.steps,
            create("application", id, {
              name: values.name,
              providerName: values.providerName ?? null,
              description: values.description ?? null,
              healthCheckURL: values.healthCheckURL ?? null,
              integrationSystemID: values.integrationSystemID ?? null,
              statusCondition: values.statusCondition ?? "INITIAL",
              statusTimestamp: timestamp(context.now()),
            }),
            ...startProbing(id, values.healthCheckURL, timestamp(context.now())),
            ...labelSteps("application", id, labels),
            ...(values.webhooks ?? []).map((webhook) =>
              createWebhook(context, tenant, id, context.newID(), webhook),
            ),
            ...bundles.flatMap((bundle) =>
              createBundle(context, tenant, id, context.newID(), bundle),
            ),
            staleForApplication("application registered"),
          ],
          params: { ...guard.params, applicationID: id },
          explain: (failure) =>
            guard.explain(failure) ?? unknownIntegrationSystem(failure, "ApplicationRegisterInput"),
          answer: "after",
          reveal: true,
        });
      return writingLabels(context, tenant, labels, "ApplicationRegisterInput", write);
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "application:write");
      const id = knownID(noun, args.id);
      requireApplication(call.caller.identity, id);
      const values = checked("ApplicationUpdateInput", updateInput, args.in);
      const status =
        values.statusCondition === null || values.statusCondition === undefined
          ? {}
          : { statusCondition: values.statusCondition, statusTimestamp: timestamp(context.now()) };
      const columns = {
        providerName: values.providerName ?? null,
        description: values.description ?? null,
        healthCheckURL: values.healthCheckURL ?? null,
        integrationSystemID: values.integrationSystemID ?? null,
        ...status,
      };
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "updateApplication",
        steps: [
          update("application", id, columns, expecting(args.expectedRevision)),
          ...changeProbing(
            id,
            values.healthCheckURL,
            timestamp(context.now()),
            "statusCondition" in status,
          ),
          staleForApplication("application updated"),
        ],
        params: { applicationID: id, ...probingParameters(values.healthCheckURL) },
        explain: (failure) => unknownIntegrationSystem(failure, "ApplicationUpdateInput"),
        answer: "after",
      });
    },

    async unregister(args: { id: string } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "application:write");
      requireAdmin(call.caller.identity, "unregistering an application");
      const id = knownID(noun, args.id);
      await requireObject(context, tenant, "application", noun, id, args.expectedRevision);
      return unregister(context, call, dependencies.trust, {
        subject: "APPLICATION",
        tenant,
        noun,
        id,
        action: "unregisterApplication",
        steps: [
          staleForApplication("application unregistered"),
          { op: "delete", kind: "application", id, ...expecting(args.expectedRevision) },
          {
            op: "deleteAll",
            kind: "healthCheck",
            where: equals("origin", { param: "applicationID" }),
          },
          { op: "event", type: "application.unregistered", id, data: {} },
        ],
        params: { applicationID: id },
      });
    },
  };
}

/** See {@link createApplicationService}. */
export type ApplicationService = ReturnType<typeof createApplicationService>;
