import { createHash, randomBytes } from "node:crypto";
import { invalidData, tenantNotFound } from "@sextant/errors";
import { type Answer, checked } from "@sextant/graphql";
import { authorise, type Identity, scopes } from "@sextant/identity";
import { create, timestamp, update } from "@sextant/registry-client";
import { z } from "zod";
import { EVERY_TENANT, knownID, mayActIn, requireUser } from "../access/access.ts";
import { act, actFor, type ActingCall, type Context } from "../act/act.ts";
import { text } from "../input/input.ts";
import { requireObject } from "../read/require-object.ts";

const MAX_TENANTS = 100;

const notYours = "is a scope that you do not have yourself";

const input = (
  identity: Identity,
  { roles, longestToken, now }: Pick<Context, "roles" | "longestToken" | "now">,
) => {
  const longest = longestToken === undefined ? undefined : now() + longestToken * 1000;
  const tooLate = `must be at most ${longestToken} seconds from now: no token lasts longer here`;
  return z
    .object({
      name: text(1, 256),
      scopes: z
        .array(
          z
            .enum(scopes, { error: `must be one of ${scopes.join(", ")}` })
            .refine((scope) => identity.scopes.includes(scope), { error: notYours }),
        )
        .nullish(),
      roles: z
        .array(
          z
            .string()
            .refine((role) => Object.hasOwn(roles, role), {
              error: `must be one of ${Object.keys(roles).join(", ")}`,
            })
            .refine(
              (role) => (roles[role] ?? []).every((scope) => identity.scopes.includes(scope)),
              { error: "has scopes that you do not have yourself" },
            ),
        )
        .nullish(),
      tenants: z
        .array(z.string())
        .min(1, "must have at least one entry")
        .max(MAX_TENANTS, `must have at most ${MAX_TENANTS} entries`)
        .transform((all) => [...new Set(all)])
        .nullish(),
      expiresAt: z
        .string()
        .refine((value) => !Number.isNaN(Date.parse(value)), {
          error: "must be a time such as 2027-01-31T12:00:00Z (RFC 3339)",
        })
        .refine((value) => !(Date.parse(value) <= now()), { error: "must be in the future" })
        .refine((value) => longest === undefined || !(Date.parse(value) > longest), {
          error: tooLate,
        })
        .nullish(),
    })
    .superRefine((given, context) => {
      const fault = (field: string, message: string) =>
        context.addIssue({ code: "custom", path: [field], message });
      if ((given.scopes ?? []).length + (given.roles ?? []).length === 0)
        fault("scopes", "must have at least one entry, or roles must");
      if (longest !== undefined && (given.expiresAt ?? null) === null)
        fault("expiresAt", `is required: no token lasts longer than ${longestToken} seconds here`);
    })
    .transform(({ roles: named, ...given }) => ({
      ...given,
      scopes: [
        ...new Set([
          ...(given.scopes ?? []),
          ...(named ?? []).flatMap((role) => roles[role] ?? []),
        ]),
      ],
    }));
};

/** What can be done with API tokens. */
export function createAPITokenService(context: Context) {
  const noun = "APIToken";

  const tenantsOf = async (
    identity: Identity,
    own: string,
    asked: readonly string[] | null | undefined,
  ): Promise<readonly { readonly id: string; readonly externalID: string }[]> => {
    if (asked === null || asked === undefined) {
      const tenant = await context.registry.findTenant({ id: own });
      return tenant === undefined ? [] : [tenant];
    }
    const found = [];
    for (const externalID of asked) {
      const every = externalID === EVERY_TENANT;
      const tenant = every
        ? { id: EVERY_TENANT, externalID }
        : await context.registry.findTenant({ externalID });
      if (tenant === undefined || !mayActIn(identity, tenant.id)) throw tenantNotFound(externalID);
      found.push(tenant);
    }
    return found;
  };

  return {
    async create(args: { in: unknown }, call: ActingCall): Promise<unknown> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "tenant:write");
      requireUser(identity, "making API tokens");
      const values = checked("APITokenInput", input(identity, context), args.in);
      const tenants = await tenantsOf(identity, tenant, values.tenants);
      const id = context.newID();
      const token = `sxt_${randomBytes(32).toString("base64url")}`;
      const expiresAt =
        values.expiresAt === null || values.expiresAt === undefined
          ? null
          : timestamp(Date.parse(values.expiresAt));
      const shared = { name: values.name, scopes: values.scopes, expiresAt };
      const tenantExternalIDs = tenants.map(({ externalID }) => externalID);
      return actFor(context, call, {
        tenant,
        noun,
        id,
        action: "createAPIToken",
        steps: [
          create("apiToken", id, {
            ...shared,
            hash: createHash("sha256").update(token).digest("hex"),
            tenants: tenants.map((one) => one.id),
            tenantExternalIDs,
          }),
        ],
        value: {
          ...shared,
          id,
          token,
          tenants: tenantExternalIDs,
          createdAt: timestamp(context.now()),
          revokedAt: null,
          lastUsedAt: null,
          revision: 1,
        },
      });
    },

    async revoke(args: { id: string }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "tenant:write");
      requireUser(identity, "revoking API tokens");
      const id = knownID(noun, args.id);
      const fields = ["hash", "revokedAt"] as const;
      const { hash, revokedAt } = await requireObject(
        context,
        tenant,
        "apiToken",
        noun,
        id,
        null,
        fields,
      );
      if (identity.credential?.id === id) {
        const message = "is the token of this very request: revoke it with another one";
        throw invalidData("revokeAPIToken", [{ field: "id", message }]);
      }
      const values = revokedAt === null ? { revokedAt: timestamp(context.now()) } : {};
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "revokeAPIToken",
        steps: [
          update("apiToken", id, values, { quiet: revokedAt !== null }),
          { op: "event", type: "api-token.revoked", id, data: { hash } },
        ],
        answer: "after",
      });
    },
  };
}

/** See {@link createAPITokenService}. */
export type APITokenService = ReturnType<typeof createAPITokenService>;
