import { invalidOperation, tenantNotFound } from "@sextant/errors";
import { type Answer, checked } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import { create, update } from "@sextant/registry-client";
import { z } from "zod";
import { mayActIn, requireUser } from "../access/access.ts";
import { act, type ActingCall, type Context } from "../act/act.ts";
import { text } from "../input/input.ts";

const tenantInput = z.object({
  externalID: z
    .string()
    .regex(/^[a-zA-Z0-9-._]{1,128}$/, "must have 1 to 128 letters, digits, -, . and _"),
  name: text(1, 256),
});

/** What can be done with tenants. The acts are recorded in the home tenant of the admin. */
export function createTenantService(context: Context) {
  const noun = "Tenant";
  const find = async (identity: Identity, externalID: string) => {
    const tenant = await context.registry.findTenant({ externalID });
    if (tenant === undefined || !mayActIn(identity, tenant.id)) throw tenantNotFound(externalID);
    return tenant;
  };

  return {
    async register({ in: input }: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "tenant:write");
      requireUser(call.caller.identity, "registering a tenant");
      const values = checked("TenantInput", tenantInput, input);
      const id = context.newID();
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "registerTenant",
        unique: { tenant_external_id_key: `Tenant ${values.externalID}` },
        steps: [
          create("tenant", id, values),
          { op: "event", type: "tenant.changed", id, data: { externalID: values.externalID } },
        ],
        answer: "after",
      });
    },

    async update(args: { id: string; name: string }, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "tenant:write");
      requireUser(call.caller.identity, "changing a tenant");
      const { name } = checked("TenantInput", tenantInput.pick({ name: true }), args);
      const { id } = await find(call.caller.identity, args.id);
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "updateTenant",
        steps: [update("tenant", id, { name })],
        answer: "after",
      });
    },

    async delete(args: { id: string }, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "tenant:write");
      requireUser(call.caller.identity, "deleting a tenant");
      const { id, externalID } = await find(call.caller.identity, args.id);
      if (id === tenant)
        throw invalidOperation(
          "a tenant cannot delete itself: act in another tenant, by the header Tenant",
        );
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "deleteTenant",
        steps: [
          { op: "delete", kind: "tenant", id },
          { op: "event", type: "tenant.changed", id, data: { externalID } },
        ],
        explain: (failure) =>
          failure.reason === "REFERENCE"
            ? invalidOperation(
                `Tenant ${externalID} has objects: unregister its applications and runtimes and revoke its tokens first`,
              )
            : undefined,
        answer: "before",
      });
    },
  };
}

/** See {@link createTenantService}. */
export type TenantService = ReturnType<typeof createTenantService>;
