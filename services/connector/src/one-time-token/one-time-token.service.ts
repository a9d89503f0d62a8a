import { notFound } from "@sextant/errors";
import { authorise } from "@sextant/identity";
import { actorOf, idParameter } from "@sextant/graphql";
import { type Actor, carryOut, create, readOne, timestamp, update } from "@sextant/registry-client";
import { type ActingCall, commitOf, type Context, type Subject } from "../context.ts";
import {
  publicIDOf,
  type Purpose,
  type StoredToken,
  tokenHash,
  tokenText,
} from "./one-time-token.ts";

const noun = "OneTimeToken";
const fields = [
  "id",
  "purpose",
  "consumerType",
  "consumerID",
  "expiresAt",
  "usedAt",
  "usedBy",
  "revokedAt",
] as const;

/** The step that stores a token. Only its hash is. */
export function storeToken(
  id: string,
  token: {
    readonly text: string;
    readonly purpose: Purpose;
    readonly consumerType: Subject;
    readonly consumerID: string;
    readonly expiresAt: number;
    readonly issuedBy: Pick<Actor, "type" | "id">;
  },
) {
  const { text, expiresAt, issuedBy, ...rest } = token;
  return create("oneTimeToken", id, {
    ...rest,
    hash: tokenHash(text),
    publicID: text.split(".")[0],
    issuedByType: issuedBy.type,
    issuedByID: issuedBy.id,
    expiresAt: timestamp(expiresAt),
  });
}

/** Makes one-time tokens, finds those that were shown, and revokes them. */
export function createOneTimeTokenService(context: Context) {
  return {
    /** A new token with which an application or runtime can pair, and what proves the plane to who pairs. */
    async issue(
      tenant: string,
      subject: { readonly consumerType: Subject; readonly consumerID: string },
      actor: Actor,
    ): Promise<{ readonly token: string; readonly connectorURL: string; readonly caPin: string }> {
      const id = context.newID();
      const token = tokenText(publicIDOf(id), context.randomBytes(32));
      const life = context.lifetimes.pairingToken[subject.consumerType];
      const expiresAt = context.now() + life * 1000;
      const step = storeToken(id, {
        ...subject,
        ...{ text: token, purpose: "PAIRING", expiresAt, issuedBy: actor },
      });
      await carryOut(
        context.commits,
        commitOf(context, tenant, actor, "issueOneTimeToken", [step]),
        {
          ...{ noun, id },
        },
      );
      return {
        token,
        connectorURL: `${context.addresses.publicURL}/connector/graphql`,
        caPin: `sha256//${context.authorities.current().rootPin}`,
      };
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

    /** See the SDL: `revokeOneTimeToken`. */
    async revoke(args: { readonly id: string }, call: ActingCall): Promise<boolean> {
      const tenant = authorise(call.caller.identity, "certificate:write");
      const id = idParameter(args.id);
      const values = { revokedAt: timestamp(context.now()) };
      const isUnused = {
        op: "all",
        of: [
          { op: "isNull", field: "usedAt" },
          { op: "isNull", field: "revokedAt" },
        ],
      } as const;
      const step = update("oneTimeToken", id, values, { where: isUnused });
      const answer = await context.registry.commit(
        commitOf(context, tenant, actorOf(call), "revokeOneTimeToken", [step]),
      );
      if (answer.ok) return true;
      if (answer.failure.reason === "NOT_FOUND") throw notFound(noun, args.id);
      return false;
    },
  };
}

/** See {@link createOneTimeTokenService}. */
export type OneTimeTokenService = ReturnType<typeof createOneTimeTokenService>;
