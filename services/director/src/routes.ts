import { forbidden } from "@sextant/errors";
import { checkedBody, type Executor, graphqlRoute } from "@sextant/graphql";
import type { Caller, Verifier } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { internalHandler, json, type Route } from "@sextant/service";
import { contactList, type ContactService } from "./contact/contact.service.ts";
import { type PlanService, statusReport } from "./plan/plan.service.ts";

/** A specification of 10 MiB with JSON's escapes, and a few more. */
const MAX_GRAPHQL_BODY = 32 * 1024 * 1024;
const MAX_REPORT = 4 * 1024 * 1024;
const MAX_CONTACTS = 8 * 1024 * 1024;

function requireRuntimeAgent(caller: Caller): void {
  if (caller.identity.consumer.type !== "RUNTIME")
    throw forbidden("only a runtime's agent may do this, by its certificate");
}

/** What Director serves to the other services. */
export function routes(options: {
  readonly executor: Executor;
  readonly verifier: Verifier;
  readonly plans: PlanService;
  readonly contacts: ContactService;
  readonly log: Logger;
}): readonly Route[] {
  const { executor, verifier, plans, contacts, log } = options;
  return [
    graphqlRoute({
      path: "/graphql",
      executor,
      authenticate: (call) => verifier.verify(call.headers.authorization),
      maxBody: MAX_GRAPHQL_BODY,
      log,
    }),
    {
      path: "/v1/runtime/plan",
      methods: {
        GET: internalHandler(verifier, ["api-gateway"], async (_call, caller) => {
          requireRuntimeAgent(caller);
          const plan = await plans.current(caller.identity);
          if (plan === undefined) return { status: 204 };
          return {
            status: 200,
            headers: { "content-type": "application/json", etag: plan.tag },
            body: plan.body,
          };
        }),
      },
    },
    {
      path: "/v1/runtime/status",
      maxBody: MAX_REPORT,
      methods: {
        POST: internalHandler(verifier, ["api-gateway"], async (call, caller) => {
          requireRuntimeAgent(caller);
          await plans.report(
            caller.identity,
            await checkedBody("RuntimeStatus", statusReport, call),
          );
          return { status: 204 };
        }),
      },
    },
    {
      path: "/v1/contacts",
      maxBody: MAX_CONTACTS,
      methods: {
        POST: internalHandler(verifier, ["api-gateway"], async (call) => {
          await contacts.heard(await checkedBody("Contacts", contactList, call));
          return json({});
        }),
      },
    },
  ];
}
