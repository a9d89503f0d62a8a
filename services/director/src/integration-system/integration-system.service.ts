import {
  invalidData,
  invalidOperation,
  notFound,
  type SextantError,
  tenantNotFound,
} from "@sextant/errors";
import { all, type Answer, checked, equals } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import {
  type CommitFailure,
  create,
  readList,
  readOne,
  type Step,
  update,
} from "@sextant/registry-client";
import { z } from "zod";
import { knownID, mayActIn, requireUser } from "../access/access.ts";
import { act, actFor, type ActingCall, type Context, expecting } from "../act/act.ts";
import { asciiName, description } from "../input/input.ts";
import { requireObject } from "../read/require-object.ts";

type Revision = { readonly expectedRevision?: number | null };
type Grant = { readonly integrationSystemID: string; readonly tenantID: string };

const input = z.object({ name: asciiName(100), description });

/** Applications that are named when they are in the way. */
const NAMED = 10;
/** The constraint by which an application names an integration system that may act in its tenant. */
const NAMED_BY = "application_integration_system_fkey";

/** The refusal of an application that names an integration system which may not act in the tenant; undefined: another one. */
export function unknownIntegrationSystem(
  failure: CommitFailure,
  inputType: string,
): SextantError | undefined {
  if (failure.constraint !== NAMED_BY) return undefined;
  const message = "there is no such integration system, or this tenant is not granted to it";
  return invalidData(inputType, [{ field: "integrationSystemID", message }]);
}

/** Tells the gateways that it is gone, or that other tenants are open to it. */
const clientChanged = (id: string): Step => ({
  op: "event",
  type: "client.changed",
  id,
  data: {},
});

/** What can be done with integration systems. Acts on grants are recorded in the tenant that is granted. */
export function createIntegrationSystemService(context: Context) {
  const noun = "IntegrationSystem";
  const unique = (name: string) => ({ integration_system_name_key: `${noun} ${name}` });

  /** Why it cannot go: the applications of the tenant that name it. */
  const named = async (tenant: string, id: string): Promise<string> => {
    const byIt = equals("integrationSystemID", { param: "id" });
    const fields = ["id", "name"] as const;
    const found = await readList(
      context.registry,
      tenant,
      "application",
      byIt,
      fields,
      { id },
      NAMED,
    );
    if (found.length === 0) return "applications of a tenant that is granted to it name it";
    const list = found.map((one) => `${one.name} (${one.id})`).join(", ");
    return `applications name it: ${list}${found.length === NAMED ? ", …" : ""}`;
  };

  /** The tenant of a grant, which has to be open to the caller itself. */
  const openTenant = async (identity: Identity, externalID: string) => {
    const tenant = await context.registry.findTenant({ externalID });
    if (tenant === undefined || !mayActIn(identity, tenant.id)) throw tenantNotFound(externalID);
    return tenant;
  };

  const grantOf = async (call: ActingCall, args: Grant) => {
    const { identity } = call.caller;
    const home = authorise(identity, "tenant:write");
    requireUser(identity, "granting tenants");
    const id = knownID(noun, args.integrationSystemID);
    await requireObject(context, home, "integrationSystem", noun, id);
    const tenant = await openTenant(identity, args.tenantID);
    const shown = {
      id: tenant.externalID,
      internalID: tenant.id,
      name: tenant.name,
      initialized: true,
    };
    // The answer is kept where the caller is at home, which is another tenant than the act's: it is the same again anyway.
    return { home, id, tenant: tenant.id, shown, once: { ...call, repeat: undefined } };
  };

  const isGrant = all(
    equals("integrationSystemID", { param: "integrationSystemID" }),
    equals("homeTenantID", { param: "home" }),
  );
  const grantIn = (tenant: string, home: string, integrationSystemID: string) =>
    readOne(context.registry, tenant, "tenantGrant", isGrant, ["id"], {
      home,
      integrationSystemID,
    });

  return {
    async register(args: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "integration_system:write");
      requireUser(call.caller.identity, "registering an integration system");
      const values = checked("IntegrationSystemInput", input, args.in);
      const id = context.newID();
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "registerIntegrationSystem",
        unique: unique(values.name),
        steps: [
          create("integrationSystem", id, {
            name: values.name,
            description: values.description ?? null,
          }),
          // Its own tenant is granted to it like any other: what names it refers to a grant.
          create("tenantGrant", context.newID(), { homeTenantID: tenant, integrationSystemID: id }),
        ],
        answer: "after",
      });
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "integration_system:write");
      requireUser(call.caller.identity, "changing an integration system");
      const id = knownID(noun, args.id);
      const values = checked("IntegrationSystemInput", input, args.in);
      const columns = { name: values.name, description: values.description ?? null };
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "updateIntegrationSystem",
        unique: unique(values.name),
        steps: [update("integrationSystem", id, columns, expecting(args.expectedRevision))],
        answer: "after",
      });
    },

    async unregister(args: { id: string } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorise(call.caller.identity, "integration_system:write");
      requireUser(call.caller.identity, "unregistering an integration system");
      const id = knownID(noun, args.id);
      const inTheWay = await named(tenant, id);
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "unregisterIntegrationSystem",
        steps: [
          { op: "delete", kind: "integrationSystem", id, ...expecting(args.expectedRevision) },
          clientChanged(id),
        ],
        explain: (failure) =>
          failure.reason === "REFERENCE"
            ? invalidOperation(
                `${noun} ${id} is in use: ${inTheWay}; unregister or change them first`,
              )
            : undefined,
        answer: "before",
      });
    },

    async grant(args: Grant, call: ActingCall): Promise<unknown> {
      const { home, id, tenant, shown, once } = await grantOf(call, args);
      if ((await grantIn(tenant, home, id)) !== undefined) return shown;
      const grant = { homeTenantID: home, integrationSystemID: id };
      return actFor(context, once, {
        tenant,
        noun,
        id,
        action: "grantTenant",
        steps: [create("tenantGrant", context.newID(), grant), clientChanged(id)],
        unique: { tenant_grant_integration_system_key: `Grant of ${args.tenantID}` },
        value: shown,
      });
    },

    async revoke(args: Grant, call: ActingCall): Promise<unknown> {
      const { home, id, tenant, shown, once } = await grantOf(call, args);
      const found = await grantIn(tenant, home, id);
      if (found === undefined) throw notFound("Grant", args.tenantID);
      if (tenant === home)
        throw invalidOperation(
          "an integration system acts in its own tenant: unregister it instead",
        );
      const inTheWay = await named(tenant, id);
      const step: Step = { op: "delete", kind: "tenantGrant", id: found.id };
      return actFor(context, once, {
        tenant,
        noun: "Grant",
        id: args.tenantID,
        action: "revokeTenant",
        steps: [step, clientChanged(id)],
        explain: (failure) =>
          failure.reason === "REFERENCE"
            ? invalidOperation(`the grant is in use: ${inTheWay}; unregister or change them first`)
            : undefined,
        value: shown,
      });
    },
  };
}

/** See {@link createIntegrationSystemService}. */
export type IntegrationSystemService = ReturnType<typeof createIntegrationSystemService>;
