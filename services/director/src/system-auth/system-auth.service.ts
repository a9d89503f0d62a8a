import { randomBytes } from "node:crypto";
import { invalidOperation, notFound } from "@sextant/errors";
import type { Answer } from "@sextant/graphql";
import { authorise, clientHash, type Scope } from "@sextant/identity";
import { create, type NewRecord } from "@sextant/registry-client";
import { knownID, requireAdmin, requireUser } from "../access/access.ts";
import { act, type ActingCall, type Context } from "../act/act.ts";
import { sealAuth } from "../auth/auth.ts";

/** Credentials of one object. */
const MAX_AUTHS = 1000;

type Owner = "application" | "runtime" | "integrationSystem";
const owners = {
  application: { noun: "Application", field: "applicationID", scope: "application:write" },
  runtime: { noun: "Runtime", field: "runtimeID", scope: "runtime:write" },
  integrationSystem: {
    noun: "IntegrationSystem",
    field: "integrationSystemID",
    scope: "integration_system:write",
  },
} as const satisfies Record<Owner, { noun: string; field: string; scope: Scope }>;

/** Makes and removes client credentials. `tokenURL` is where they are exchanged for access tokens. */
export function createSystemAuthService(context: Context, tokenURL: string) {
  const noun = "SystemAuth";

  const authorised = (owner: Owner, call: ActingCall): string => {
    const { identity } = call.caller;
    const tenant = authorise(identity, owners[owner].scope);
    if (owner === "integrationSystem")
      requireUser(identity, "managing credentials of integration systems");
    else requireAdmin(identity, "managing client credentials");
    return tenant;
  };

  return {
    requestFor:
      (owner: Owner) =>
      async (args: { id: string }, call: ActingCall): Promise<Answer> => {
        const tenant = authorised(owner, call);
        const { field, noun: ownerNoun } = owners[owner];
        const ownerID = knownID(ownerNoun, args.id);
        const id = context.newID();
        const clientSecret = randomBytes(32).toString("base64url");
        const auth = sealAuth(context.sealer, tenant, {
          credential: { oauth: { clientId: id, clientSecret, url: tokenURL } },
          additionalHeaders: null,
          additionalQueryParams: null,
        });
        const values: NewRecord<"systemAuth"> = {
          [field]: ownerID,
          hash: clientHash(id, clientSecret),
          auth: String(auth),
        };
        return act(context, call, {
          tenant,
          noun,
          id,
          action: `requestClientCredentialsFor${ownerNoun}`,
          steps: [
            create("systemAuth", id, values),
            { op: "limit", kind: "systemAuth", owner: { field, id: ownerID }, max: MAX_AUTHS },
          ],
          explain: (failure) => {
            if (failure.reason === "LIMIT")
              return invalidOperation(
                `${ownerNoun} ${ownerID} has ${MAX_AUTHS} client credentials: delete one first`,
              );
            return failure.reason === "REFERENCE" ? notFound(ownerNoun, ownerID) : undefined;
          },
          answer: "after",
        });
      },

    deleteFor:
      (owner: Owner) =>
      async (args: { authID: string }, call: ActingCall): Promise<Answer> => {
        const tenant = authorised(owner, call);
        const id = knownID(noun, args.authID);
        const isOwners = {
          op: "not",
          condition: { op: "isNull", field: owners[owner].field },
        } as const;
        return act(context, call, {
          tenant,
          noun,
          id,
          action: `deleteSystemAuthFor${owners[owner].noun}`,
          steps: [
            { op: "delete", kind: "systemAuth", id, where: isOwners },
            { op: "event", type: "client.changed", id, data: {} },
          ],
          answer: "before",
        });
      },
  };
}

/** See {@link createSystemAuthService}. */
export type SystemAuthService = ReturnType<typeof createSystemAuthService>;
