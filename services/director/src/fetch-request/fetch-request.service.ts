import { invalidOperation } from "@sextant/errors";
import { type Answer, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { timestamp } from "@sextant/registry-client";
import { act, type ActingCall, type Context } from "../act/act.ts";
import { requireOwned } from "../bundle/bundle.service.ts";
import { waiting } from "./fetch-request.ts";

/** What can be done with fetch requests. */
export function createFetchRequestService(context: Context) {
  const refetch = async (
    call: ActingCall,
    kind: "apiDefinition" | "eventDefinition",
    given: string,
  ): Promise<Answer> => {
    const { identity } = call.caller;
    const tenant = authorise(identity, "application:write");
    const { id, applicationID } = await requireOwned(context, identity, tenant, kind, given);
    const noun = kind === "apiDefinition" ? "APIDefinition" : "EventDefinition";
    const isOwned = equals(kind === "apiDefinition" ? "apiDefinitionID" : "eventDefinitionID", {
      param: "id",
    });
    return act(context, call, {
      tenant,
      noun,
      id,
      action: kind === "apiDefinition" ? "refetchAPISpec" : "refetchEventDefinitionSpec",
      steps: [
        { op: "check", kind: "fetchRequest", where: isOwned, expect: "some" },
        {
          op: "updateAll",
          kind: "fetchRequest",
          where: isOwned,
          values: waiting(timestamp(context.now())),
        },
      ],
      params: { applicationID, id },
      explain: (failure) =>
        failure.reason === "PRECONDITION"
          ? invalidOperation(
              `${noun} ${id} has no fetch request: give it one by update${noun} with spec.fetchRequest`,
            )
          : undefined,
      answer: "after",
    });
  };

  return {
    refetchAPI: (args: { apiID: string }, call: ActingCall) =>
      refetch(call, "apiDefinition", args.apiID),
    refetchEvent: (args: { eventID: string }, call: ActingCall) =>
      refetch(call, "eventDefinition", args.eventID),
  };
}

/** See {@link createFetchRequestService}. */
export type FetchRequestService = ReturnType<typeof createFetchRequestService>;
