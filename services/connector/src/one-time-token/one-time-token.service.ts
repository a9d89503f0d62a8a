import { type Actor, carryOut, create, readOne, timestamp } from "@sextant/registry-client";
import { commitOf, type Context, type Subject } from "../context.ts";
import { type StoredToken, tokenHash, tokenText } from "./one-time-token.ts";

const fields = [
  "id",
  "purpose",
  "consumerType",
  "consumerID",
  "expiresAt",
  "usedAt",
  "usedBy",
] as const;

/** Makes one-time tokens and finds those that were shown. */
export function createOneTimeTokenService(context: Context) {
  return {
    /** A new token with which an application or runtime can pair. Only its hash is stored. */
    async issue(
      tenant: string,
      subject: { readonly consumerType: Subject; readonly consumerID: string },
      actor: Actor,
    ): Promise<{ readonly token: string; readonly connectorURL: string }> {
      const id = context.newID();
      const token = tokenText(id, context.randomBytes(32));
      const life = context.lifetimes.pairingToken[subject.consumerType];
      const step = create("oneTimeToken", id, {
        ...subject,
        hash: tokenHash(token),
        purpose: "PAIRING",
        expiresAt: timestamp(context.now() + life * 1000),
      });
      const noun = "OneTimeToken";
      await carryOut(
        context.registry,
        commitOf(context, tenant, actor, "issueOneTimeToken", [step]),
        { noun, id },
      );
      return { token, connectorURL: `${context.addresses.publicURL}/connector/graphql` };
    },

    /** A token of the tenant by the id of its record. */
    find: (tenant: string, id: string): Promise<StoredToken | undefined> =>
      readOne(
        context.registry,
        tenant,
        "oneTimeToken",
        { op: "equals", field: "id", value: { param: "id" } },
        fields,
        { id },
      ),
  };
}

/** See {@link createOneTimeTokenService}. */
export type OneTimeTokenService = ReturnType<typeof createOneTimeTokenService>;
