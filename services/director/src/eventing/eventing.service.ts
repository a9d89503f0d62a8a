import { notFound } from "@sextant/errors";
import { all, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { type ReadPlan, type Step, update } from "@sextant/registry-client";
import { knownID, requireApplication } from "../access/access.ts";
import { actFor, type ActingCall, type Context, parametersOf } from "../act/act.ts";
import { runtimesOfApplication } from "../group/group.read.ts";
import { EVENTING_LABEL, eventingLabel, eventingURL } from "./eventing.read.ts";

type Configuration = { readonly defaultURL: string };

/** Chooses where applications send their events. */
export function createEventingService(context: Context) {
  const noun = "Application";

  const authorised = (call: ActingCall, given: string) => {
    const { identity } = call.caller;
    const tenant = authorise(identity, "eventing:manage");
    const id = knownID(noun, given);
    requireApplication(identity, id);
    return { tenant, id };
  };

  return {
    async choose(
      args: { appID: string; runtimeID: string },
      call: ActingCall,
    ): Promise<Configuration> {
      const { tenant, id } = authorised(call, args.appID);
      const runtimeID = knownID("Runtime", args.runtimeID);
      const params = parametersOf(context, call.caller.identity, {
        applicationID: id,
        runtimeID,
        eventingLabel: EVENTING_LABEL,
      });
      const shares = all(
        equals("id", { param: "runtimeID" }),
        runtimesOfApplication({ param: "applicationID" }),
      );
      const plan: ReadPlan = {
        select: [
          {
            as: "application",
            read: {
              one: "application",
              where: equals("id", { param: "applicationID" }),
              select: [{ as: "id", field: "id" }],
            },
          },
          {
            as: "chosen",
            read: {
              one: "runtime",
              where: shares,
              select: eventingLabel,
            },
          },
        ],
      };
      const answer = await context.registry.read({ tenant, plan, params });
      const found = JSON.parse(answer.text) as { application: unknown; chosen: unknown };
      if (found.application === null) throw notFound(noun, id);
      if (found.chosen === null) throw notFound("Runtime", runtimeID);
      const steps: readonly Step[] = [
        { op: "check", kind: "runtime", where: shares, expect: "some" },
        update("application", id, { defaultEventingRuntimeID: runtimeID }),
      ];
      return actFor(context, call, {
        tenant,
        noun,
        id,
        action: "setDefaultEventingForApplication",
        steps,
        params: { applicationID: id, runtimeID },
        explain: (failure) =>
          failure.reason === "PRECONDITION" ? notFound("Runtime", runtimeID) : undefined,
        value: { defaultURL: eventingURL({ chosen: found.chosen, oldest: [] }) },
      });
    },

    async forget(args: { appID: string }, call: ActingCall): Promise<Configuration> {
      const { tenant, id } = authorised(call, args.appID);
      const plan: ReadPlan = {
        select: [
          {
            as: "application",
            read: {
              one: "application",
              where: equals("id", { param: "applicationID" }),
              select: [
                {
                  as: "chosen",
                  read: {
                    one: "runtime",
                    where: equals("id", { parent: "defaultEventingRuntimeID" }),
                    select: eventingLabel,
                  },
                },
              ],
            },
          },
        ],
      };
      const params = { applicationID: id, eventingLabel: EVENTING_LABEL };
      const answer = await context.registry.read({ tenant, plan, params });
      const { application } = JSON.parse(answer.text) as {
        application: { chosen: unknown } | null;
      };
      if (application === null) throw notFound(noun, id);
      return actFor(context, call, {
        tenant,
        noun,
        id,
        action: "deleteDefaultEventingForApplication",
        steps: [update("application", id, { defaultEventingRuntimeID: null })],
        value: { defaultURL: eventingURL({ chosen: application.chosen, oldest: [] }) },
      });
    },
  };
}

/** See {@link createEventingService}. */
export type EventingService = ReturnType<typeof createEventingService>;
