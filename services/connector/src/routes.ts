import { tenantRequired } from "@sextant/errors";
import { checkedBody, type Executor, graphqlRoute } from "@sextant/graphql";
import type { Caller, Verifier } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { actorSchema } from "@sextant/registry-client";
import { internalHandler, json, type Route } from "@sextant/service";
import { z } from "zod";
import type { RevocationListService } from "./certificate/revocation-list.service.ts";
import type { RevocationService } from "./certificate/revocation.service.ts";
import type { OneTimeTokenService } from "./one-time-token/one-time-token.service.ts";

const MAX_GRAPHQL_BODY = 256 * 1024;

const subject = z.object({
  consumerType: z.enum(["APPLICATION", "RUNTIME"]),
  consumerID: z.guid(),
});
const bySomeone = subject.extend({ actor: actorSchema });

function tenantOf(caller: Caller): string {
  if (caller.identity.tenant === undefined) throw tenantRequired();
  return caller.identity.tenant;
}

/** What the Connector serves to the other services. */
export function routes(options: {
  readonly executor: Executor;
  readonly verifier: Verifier;
  readonly tokens: OneTimeTokenService;
  readonly revocations: RevocationService;
  readonly revocationLists: RevocationListService;
  readonly log: Logger;
}): readonly Route[] {
  const { executor, verifier, tokens, revocations, revocationLists, log } = options;
  return [
    graphqlRoute({
      path: "/graphql",
      executor,
      authenticate: (call) => verifier.verify(call.headers.authorization),
      maxBody: MAX_GRAPHQL_BODY,
      log,
    }),
    {
      path: "/v1/one-time-tokens",
      methods: {
        POST: internalHandler(verifier, ["director"], async (call, caller) => {
          const { actor, ...of } = await checkedBody("OneTimeTokenRequest", bySomeone, call);
          return json(await tokens.issue(tenantOf(caller), of, actor), 201);
        }),
      },
    },
    {
      path: "/v1/revocation-list",
      methods: {
        GET: internalHandler(verifier, ["api-gateway"], async (call) => {
          const list = await revocationLists.list(call.query.get("issuer") ?? undefined);
          return {
            status: 200,
            headers: {
              "content-type": "application/pkix-crl",
              "last-modified": list.thisUpdate.toUTCString(),
              expires: list.nextUpdate.toUTCString(),
            },
            body: list.der,
          };
        }),
      },
    },
    {
      path: "/v1/revocations",
      methods: {
        POST: internalHandler(verifier, ["director"], async (call, caller) => {
          const { consumerType, consumerID, actor } = await checkedBody(
            "RevocationRequest",
            bySomeone,
            call,
          );
          await revocations.revokeConsumer(tenantOf(caller), consumerType, consumerID, actor);
          return json({});
        }),
      },
    },
  ];
}
