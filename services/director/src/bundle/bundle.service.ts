import { notFound } from "@sextant/errors";
import { type Answer, checkedFully } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import { type Step, update } from "@sextant/registry-client";
import { knownID, requireApplication } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import { runtimesOfApplication } from "../group/group.read.ts";
import { requireObject } from "../read/require-object.ts";
import { bundleColumns, bundleCreateInput, bundleUpdateInput, createBundle } from "./bundle.ts";

type Revision = { readonly expectedRevision?: number | null };

/** The kinds of things that belong to an application, with their nouns. */
const nouns = {
  bundle: "Bundle",
  apiDefinition: "APIDefinition",
  eventDefinition: "EventDefinition",
  document: "Document",
  webhook: "Webhook",
} as const;

/** The plans of all runtimes that see an application are stale. */
export const staleForApplication = (cause: string): Step => ({
  op: "stale",
  runtimes: runtimesOfApplication({ param: "applicationID" }),
  cause,
});

/** The application that owns something; throws NOT_FOUND when the caller may not change it. */
export async function requireOwned(
  context: Context,
  identity: Identity,
  tenant: string,
  kind: keyof typeof nouns,
  given: string,
): Promise<{ readonly id: string; readonly applicationID: string }> {
  const noun = nouns[kind];
  const id = knownID(noun, given);
  const { applicationID } = await requireObject(context, tenant, kind, noun, id, undefined, [
    "applicationID",
  ]);
  if (applicationID === null) throw notFound(noun, id);
  requireApplication(identity, applicationID, noun, id);
  return { id, applicationID };
}

/** Removes one thing that belongs to an application. */
export async function removeOwned(
  context: Context,
  call: ActingCall,
  kind: keyof typeof nouns,
  args: { readonly id: string } & Revision,
): Promise<Answer> {
  const { identity } = call.caller;
  const tenant = authorise(identity, "application:write");
  const { id, applicationID } = await requireOwned(context, identity, tenant, kind, args.id);
  return act(context, call, {
    tenant,
    noun: nouns[kind],
    id,
    action: `delete${nouns[kind]}`,
    steps: [
      { op: "delete", kind, id, ...expecting(args.expectedRevision) },
      staleForApplication(`${nouns[kind]} deleted`),
    ],
    params: { applicationID },
    answer: "before",
  });
}

/** What can be done with bundles. */
export function createBundleService(context: Context) {
  const noun = "Bundle";
  const createInput = bundleCreateInput(context);
  const updateInput = bundleUpdateInput(context);

  return {
    async add(args: { applicationID: string; in: unknown }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const applicationID = knownID("Application", args.applicationID);
      requireApplication(identity, applicationID);
      const values = await checkedFully("BundleCreateInput", createInput, args.in);
      const id = context.newID();
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "addBundle",
        steps: [
          ...createBundle(context, tenant, applicationID, id, values),
          staleForApplication("bundle added"),
        ],
        params: { applicationID },
        explain: (failure) =>
          failure.reason === "REFERENCE" ? notFound("Application", applicationID) : undefined,
        answer: "after",
      });
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const { id, applicationID } = await requireOwned(
        context,
        identity,
        tenant,
        "bundle",
        args.id,
      );
      const values = await checkedFully("BundleUpdateInput", updateInput, args.in);
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "updateBundle",
        steps: [
          update(
            "bundle",
            id,
            bundleColumns(context, tenant, values),
            expecting(args.expectedRevision),
          ),
          staleForApplication("bundle updated"),
        ],
        params: { applicationID },
        answer: "after",
      });
    },

    delete: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "bundle", args),
  };
}

/** See {@link createBundleService}. */
export type BundleService = ReturnType<typeof createBundleService>;
