import { invalidData, invalidOperation, notFound } from "@sextant/errors";
import { all, type Answer, equals, checked } from "@sextant/graphql";
import { authorise, type Identity } from "@sextant/identity";
import {
  type CommitFailure,
  create,
  readOne,
  type Step,
  update,
  timestamp,
} from "@sextant/registry-client";
import { isPaired, knownID, requireApplication, requireRuntime } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting, parametersOf } from "../act/act.ts";
import { sealAuth } from "../auth/auth.ts";
import { applicationsOfRuntime, runtimesOfApplication } from "../group/group.read.ts";
import { requireObject } from "../read/require-object.ts";
import { tellApplication } from "../webhook/notification.ts";
import {
  instanceAuthCreateInput,
  instanceAuthRequestInput,
  instanceAuthSetInput,
  instanceAuthUpdateInput,
  MAX_CREDENTIALS,
  parameterFault,
} from "./instance-auth.ts";

type Revision = { readonly expectedRevision?: number | null };
type Stored = {
  readonly id: string;
  readonly applicationID: string;
  readonly bundleID: string;
  readonly runtimeID: string | null;
};

/** What can be done with the credentials of bundles. */
export function createInstanceAuthService(context: Context) {
  const noun = "BundleInstanceAuth";
  /** Credentials that the runtime has given up stay so: they could be in use no more without anyone noticing. */
  const isUnused = equals("statusCondition", { param: "unused" });
  const noLongerNeeded = (failure: CommitFailure) =>
    failure.reason === "PRECONDITION"
      ? invalidOperation(
          "the runtime no longer needs this credential (UNUSED): delete it with deleteBundleInstanceAuth",
        )
      : undefined;

  const status = (condition: string, message: string, reason: string) => ({
    statusCondition: condition,
    statusTimestamp: timestamp(context.now()),
    statusMessage: message,
    statusReason: reason,
  });

  /** The runtime must share a group with the application when the commit is made, not only when it was asked. */
  const mustShareGroup: Step = {
    op: "check",
    kind: "runtime",
    where: all(
      equals("id", { param: "runtimeID" }),
      runtimesOfApplication({ param: "applicationID" }),
    ),
    expect: "some",
  };
  const staleRuntime = (cause: string): Step => ({
    op: "stale",
    runtimes: equals("id", { param: "runtimeID" }),
    cause,
  });

  const bundleOf = async (tenant: string, given: string) => {
    const id = knownID("Bundle", given);
    const fields = [
      "applicationID",
      "instanceAuthRequestInputSchema",
      "defaultInstanceAuth",
    ] as const;
    return {
      id,
      ...(await requireObject(context, tenant, "bundle", "Bundle", id, undefined, fields)),
    };
  };

  /** A runtime learns nothing of applications outside its groups, not even what a schema says of its parameters. */
  const requireSeenByRuntime = async (
    identity: Identity,
    tenant: string,
    applicationID: string,
    what: string,
    id: string,
  ): Promise<void> => {
    const isSeen = all(
      equals("id", { param: "applicationID" }),
      applicationsOfRuntime({ param: "me" }),
    );
    const params = parametersOf(context, identity, { applicationID });
    const seen = await readOne(context.registry, tenant, "application", isSeen, ["id"], params);
    if (seen === undefined) throw notFound(what, id);
  };

  /** A bundle has at most so many credentials. */
  const roomFor = (bundleID: string): Step => ({
    op: "limit",
    kind: "bundleInstanceAuth",
    owner: { field: "bundleID", id: bundleID },
    max: MAX_CREDENTIALS,
  });
  const tooMany = () =>
    invalidOperation(`the bundle has ${MAX_CREDENTIALS} credentials: delete one first`);

  const checkParameters = async (
    inputType: string,
    schema: unknown,
    inputParams: string | null,
  ): Promise<void> => {
    const fault = await parameterFault(context.schemas, schema, inputParams);
    if (fault !== undefined)
      throw invalidData(inputType, [{ field: "inputParams", message: fault }]);
  };

  const storedFor = async (identity: Identity, tenant: string, given: string): Promise<Stored> => {
    const id = knownID(noun, given);
    const fields = ["applicationID", "bundleID", "runtimeID"] as const;
    const stored = await requireObject(
      context,
      tenant,
      "bundleInstanceAuth",
      noun,
      id,
      undefined,
      fields,
    );
    requireApplication(identity, stored.applicationID, noun, id);
    return { id, ...stored };
  };

  const change = async (
    call: ActingCall,
    tenant: string,
    stored: Stored,
    action: string,
    step: Step,
    further: readonly Step[] = [],
  ): Promise<Answer> => {
    const steps =
      stored.runtimeID === null ? [step, ...further] : [step, ...further, staleRuntime(action)];
    return act(context, call, {
      tenant,
      noun,
      id: stored.id,
      action,
      steps,
      params: {
        unused: "UNUSED",
        applicationID: stored.applicationID,
        ...(stored.runtimeID === null ? {} : { runtimeID: stored.runtimeID }),
      },
      explain: noLongerNeeded,
      answer: step.op === "delete" ? "before" : "after",
    });
  };

  return {
    async create(args: { bundleID: string; in: unknown }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const bundle = await bundleOf(tenant, args.bundleID);
      requireApplication(identity, bundle.applicationID, "Bundle", bundle.id);
      const values = checked("BundleInstanceAuthCreateInput", instanceAuthCreateInput, args.in);
      await checkParameters(
        "BundleInstanceAuthCreateInput",
        bundle.instanceAuthRequestInputSchema,
        values.inputParams,
      );
      const runtimeID = knownID("Runtime", values.runtimeID);
      const id = context.newID();
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "createBundleInstanceAuth",
        steps: [
          mustShareGroup,
          create("bundleInstanceAuth", id, {
            applicationID: bundle.applicationID,
            bundleID: bundle.id,
            runtimeID,
            context: values.context,
            inputParams: values.inputParams,
            auth: sealAuth(context.sealer, tenant, values.auth),
            ...status(
              "SUCCEEDED",
              "Credentials were given by the application.",
              "CredentialsProvided",
            ),
          }),
          roomFor(bundle.id),
          staleRuntime("credentials given"),
        ],
        params: { applicationID: bundle.applicationID, runtimeID },
        // Whether the runtime exists in another group, or not at all, is not for the application to know.
        explain: (failure) => {
          if (failure.reason === "LIMIT") return tooMany();
          return failure.reason === "PRECONDITION" ? notFound("Runtime", runtimeID) : undefined;
        },
        answer: "after",
      });
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const stored = await storedFor(identity, tenant, args.id);
      const values = checked("BundleInstanceAuthUpdateInput", instanceAuthUpdateInput, args.in);
      if (values.inputParams !== null) {
        const bundle = await bundleOf(tenant, stored.bundleID);
        await checkParameters(
          "BundleInstanceAuthUpdateInput",
          bundle.instanceAuthRequestInputSchema,
          values.inputParams,
        );
      }
      const auth = sealAuth(context.sealer, tenant, values.auth);
      const columns = {
        ...(auth === null
          ? {}
          : {
              auth,
              ...status(
                "SUCCEEDED",
                "Credentials were changed by the application.",
                "CredentialsProvided",
              ),
            }),
        ...(values.context === null ? {} : { context: values.context }),
        ...(values.inputParams === null ? {} : { inputParams: values.inputParams }),
      };
      const step = update("bundleInstanceAuth", stored.id, columns, {
        ...expecting(args.expectedRevision),
        where: { op: "not", condition: isUnused },
      });
      return change(call, tenant, stored, "updateBundleInstanceAuth", step);
    },

    async set(args: { authID: string; in: unknown }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const stored = await storedFor(identity, tenant, args.authID);
      const values = checked("BundleInstanceAuthSetInput", instanceAuthSetInput, args.in);
      const said = values.status ?? {
        condition: "SUCCEEDED",
        message: "Credentials were provided.",
        reason: "CredentialsProvided",
      };
      const columns = {
        auth: sealAuth(context.sealer, tenant, values.auth),
        ...status(said.condition, said.message, said.reason),
      };
      const step = update("bundleInstanceAuth", stored.id, columns, {
        where: { op: "not", condition: isUnused },
      });
      return act(context, call, {
        tenant,
        noun,
        id: stored.id,
        action: "setBundleInstanceAuth",
        steps: stored.runtimeID === null ? [step] : [step, staleRuntime("credentials set")],
        params: {
          unused: "UNUSED",
          ...(stored.runtimeID === null ? {} : { runtimeID: stored.runtimeID }),
        },
        explain: noLongerNeeded,
        answer: "after",
      });
    },

    async delete(args: { authID: string }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application:write");
      const stored = await storedFor(identity, tenant, args.authID);
      const step: Step = { op: "delete", kind: "bundleInstanceAuth", id: stored.id };
      return change(call, tenant, stored, "deleteBundleInstanceAuth", step);
    },

    async requestCreation(
      args: { bundleID: string; in: unknown },
      call: ActingCall,
    ): Promise<Answer> {
      const { identity } = call.caller;
      const isRuntime = identity.consumer.type === "RUNTIME";
      const tenant = authorise(identity, isRuntime ? "runtime:write" : "application:write");
      if (isPaired(identity) && !isRuntime) throw notFound("Bundle", args.bundleID);
      const bundle = await bundleOf(tenant, args.bundleID);
      if (isRuntime)
        await requireSeenByRuntime(identity, tenant, bundle.applicationID, "Bundle", bundle.id);
      const values = checked("BundleInstanceAuthRequestInput", instanceAuthRequestInput, args.in);
      await checkParameters(
        "BundleInstanceAuthRequestInput",
        bundle.instanceAuthRequestInputSchema,
        values.inputParams,
      );
      const runtimeID = isRuntime ? identity.consumer.id : (values.runtimeID ?? null);
      if (values.runtimeID !== null && values.runtimeID !== undefined)
        requireRuntime(identity, knownID("Runtime", values.runtimeID));
      const id = values.id?.toLowerCase() ?? context.newID();
      const copied = bundle.defaultInstanceAuth;
      const said =
        copied === null
          ? status("PENDING", "The application has not answered yet.", "CredentialsNotProvided")
          : status(
              "SUCCEEDED",
              "The bundle's default credentials were copied.",
              "CredentialsProvided",
            );
      const told = tellApplication(
        "credentials.requested",
        { bundleID: bundle.id, bundleInstanceAuthID: id },
        context.now(),
      );
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "requestBundleInstanceAuthCreation",
        unique: { bundle_instance_auth_pkey: `${noun} ${id}` },
        steps: [
          ...(runtimeID === null ? [] : [mustShareGroup]),
          create("bundleInstanceAuth", id, {
            applicationID: bundle.applicationID,
            bundleID: bundle.id,
            runtimeID,
            context: values.context,
            inputParams: values.inputParams,
            auth: copied,
            ...said,
          }),
          ...(copied === null ? [told] : []),
          roomFor(bundle.id),
          ...(runtimeID === null ? [] : [staleRuntime("credentials requested")]),
        ],
        params: {
          applicationID: bundle.applicationID,
          ...(runtimeID === null ? {} : { runtimeID }),
        },
        explain: (failure) => {
          if (failure.reason === "LIMIT") return tooMany();
          if (failure.reason !== "PRECONDITION") return undefined;
          // A runtime learns nothing of bundles outside its groups.
          return isRuntime ? notFound("Bundle", bundle.id) : notFound("Runtime", runtimeID ?? "");
        },
        answer: "after",
      });
    },

    async requestDeletion(args: { authID: string }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const isRuntime = identity.consumer.type === "RUNTIME";
      const tenant = authorise(identity, isRuntime ? "runtime:write" : "application:write");
      const id = knownID(noun, args.authID);
      const fields = ["applicationID", "bundleID", "runtimeID"] as const;
      const stored = {
        id,
        ...(await requireObject(
          context,
          tenant,
          "bundleInstanceAuth",
          noun,
          id,
          undefined,
          fields,
        )),
      };
      const isOthers = isRuntime ? stored.runtimeID !== identity.consumer.id : isPaired(identity);
      if (isOthers) throw notFound(noun, id);
      if (isRuntime) await requireSeenByRuntime(identity, tenant, stored.applicationID, noun, id);
      const columns = status(
        "UNUSED",
        "The runtime no longer needs the credential.",
        "PendingDeletion",
      );
      const told = tellApplication(
        "credentials.unused",
        { bundleID: stored.bundleID, bundleInstanceAuthID: id },
        context.now(),
      );
      return change(
        call,
        tenant,
        stored,
        "requestBundleInstanceAuthDeletion",
        update("bundleInstanceAuth", id, columns),
        [told],
      );
    },
  };
}

/** See {@link createInstanceAuthService}. */
export type InstanceAuthService = ReturnType<typeof createInstanceAuthService>;
