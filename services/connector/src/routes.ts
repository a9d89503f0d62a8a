import { invalidData, tenantRequired } from "@sextant/errors";
import { type Executor, graphqlRoute } from "@sextant/graphql";
import type { Caller, Verifier } from "@sextant/identity";
import type { Logger } from "@sextant/logging";
import { bearerToken, type Call, internalHandler, json, type Route } from "@sextant/service";
import { z } from "zod";
import type { RevocationService } from "./certificate/revocation.service.ts";
import type { OneTimeTokenService } from "./one-time-token/one-time-token.service.ts";

const MAX_GRAPHQL_BODY = 256 * 1024;

const subject = z.object({ consumerType: z.enum(["APPLICATION", "RUNTIME"]), consumerID: z.guid() });
const tokenRequest = subject.extend({ actor: z.object({ type: z.string(), id: z.string() }) });

async function checkedBody<Schema extends z.ZodType>(call: Call, schema: Schema): Promise<z.output<Schema>> {
  let body: unknown;
  try {
    body = JSON.parse((await call.body()).toString("utf8"));
  } catch {
    body = undefined;
  }
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw invalidData(
    call.path,
    result.error.issues.map((issue) => ({ field: issue.path.join(".") || "body", message: issue.message })),
  );
}

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
  readonly log: Logger;
}): readonly Route[] {
  const { executor, verifier, tokens, revocations, log } = options;
  return [
    graphqlRoute({
      path: "/graphql",
      executor,
      authenticate: (call) => verifier.verify(bearerToken(call.headers.authorization)),
      maxBody: MAX_GRAPHQL_BODY,
      log,
    }),
    {
      path: "/v1/one-time-tokens",
      methods: {
        POST: internalHandler(verifier, ["director"], async (call, caller) => {
          const { actor, ...of } = await checkedBody(call, tokenRequest);
          return json(await tokens.issue(tenantOf(caller), of, actor), 201);
        }),
      },
    },
    {
      path: "/v1/revocations",
      methods: {
        POST: internalHandler(verifier, ["director"], async (call, caller) => {
          const { consumerType, consumerID } = await checkedBody(call, subject);
          await revocations.revokeConsumer(tenantOf(caller), consumerType, consumerID, caller.identity.consumer);
          return json({});
        }),
      },
    },
  ];
}
