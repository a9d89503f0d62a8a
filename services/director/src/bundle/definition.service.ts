import { all, type Answer, checkedFully, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { type Params, type Step, update } from "@sextant/registry-client";
import type { z } from "zod";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import type { Spec } from "../specification/specification.ts";
import {
  apiDefinitionColumns,
  apiDefinitionInput,
  type APIDefinitionValues,
  createAPIDefinition,
  createDocument,
  createEventDefinition,
  documentInput,
  eventDefinitionColumns,
  eventDefinitionInput,
  type EventDefinitionValues,
  fetchSteps,
  type Place,
} from "./bundle.ts";
import { removeOwned, requireOwned, staleForApplication } from "./bundle.service.ts";

type Revision = { readonly expectedRevision?: number | null };
type Adding = { readonly bundleID: string; readonly in: unknown };
type Updating = { readonly id: string; readonly in: unknown } & Revision;

/**
 * The text that a definition has stays until the first fetch has succeeded, unless it would no longer be what the specification
 * claims to be.
 */
function outdatedText(
  kind: "apiDefinition" | "eventDefinition",
  spec: Spec | null | undefined,
): readonly Step[] {
  if (!spec?.fetchRequest) return [];
  const isSame = all(
    equals("specType", { param: "specType" }),
    equals("specFormat", { param: "specFormat" }),
  );
  const where = all(equals("id", { param: "id" }), { op: "not", condition: isSame });
  return [{ op: "updateAll", kind, where, values: { specContent: null }, quiet: true }];
}

/** What can be done with what is in a bundle: APIs, event definitions, documents. */
export function createDefinitionService(context: Context) {
  const apiInput = apiDefinitionInput(context);
  const eventInput = eventDefinitionInput(context);
  const docInput = documentInput(context);

  const add = async <Schema extends z.ZodType>(
    call: ActingCall,
    args: Adding,
    what: {
      readonly noun: string;
      readonly inputType: string;
      readonly schema: Schema;
      readonly steps: (
        storing: Context,
        id: string,
        place: Place,
        values: z.output<Schema>,
      ) => readonly Step[];
    },
  ): Promise<Answer> => {
    const { identity } = call.caller;
    const tenant = authorise(identity, "application:write");
    const { id: bundleID, applicationID } = await requireOwned(
      context,
      identity,
      tenant,
      "bundle",
      args.bundleID,
    );
    const values = await checkedFully(what.inputType, what.schema, args.in);
    const id = context.newID();
    return act(context, call, {
      tenant,
      noun: what.noun,
      id,
      action: `add${what.noun}ToBundle`,
      steps: [
        ...what.steps(context, id, { tenant, applicationID, bundleID }, values),
        staleForApplication(`${what.noun} added`),
      ],
      params: { applicationID },
      answer: "after",
    });
  };

  const change = async <Values extends { readonly spec?: Spec | null | undefined }>(
    call: ActingCall,
    args: Updating,
    noun: "APIDefinition" | "EventDefinition",
    schema: z.ZodType<Values>,
    columnsOf: (values: Values) => { readonly values: object; readonly steps: readonly Step[] },
  ): Promise<Answer> => {
    const { identity } = call.caller;
    const tenant = authorise(identity, "application:write");
    const kind = noun === "APIDefinition" ? "apiDefinition" : "eventDefinition";
    const owner = noun === "APIDefinition" ? "apiDefinitionID" : "eventDefinitionID";
    const { id, applicationID } = await requireOwned(context, identity, tenant, kind, args.id);
    const input = await checkedFully(`${noun}Input`, schema, args.in);
    const { values, steps } = columnsOf(input);
    const params: Params = { applicationID, id };
    return act(context, call, {
      tenant,
      noun,
      id,
      action: `update${noun}`,
      steps: [
        ...steps,
        ...outdatedText(kind, input.spec),
        update(kind, id, values, expecting(args.expectedRevision)),
        { op: "deleteAll", kind: "fetchRequest", where: equals(owner, { param: "id" }) },
        ...fetchSteps(
          context,
          { tenant, applicationID },
          { [owner]: id },
          input.spec?.fetchRequest,
        ),
        staleForApplication(`${noun} updated`),
      ],
      params: {
        ...params,
        ...(input.spec ? { specType: input.spec.type, specFormat: input.spec.format } : {}),
      },
      answer: "after",
    });
  };

  return {
    addAPI: (args: Adding, call: ActingCall) =>
      add(call, args, {
        noun: "APIDefinition",
        inputType: "APIDefinitionInput",
        schema: apiInput,
        steps: createAPIDefinition,
      }),
    updateAPI: (args: Updating, call: ActingCall) =>
      change<APIDefinitionValues>(call, args, "APIDefinition", apiInput, apiDefinitionColumns),
    deleteAPI: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "apiDefinition", args),

    addEvent: (args: Adding, call: ActingCall) =>
      add(call, args, {
        noun: "EventDefinition",
        inputType: "EventDefinitionInput",
        schema: eventInput,
        steps: createEventDefinition,
      }),
    updateEvent: (args: Updating, call: ActingCall) =>
      change<EventDefinitionValues>(
        call,
        args,
        "EventDefinition",
        eventInput,
        eventDefinitionColumns,
      ),
    deleteEvent: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "eventDefinition", args),

    addDocument: (args: Adding, call: ActingCall) =>
      add(call, args, {
        noun: "Document",
        inputType: "DocumentInput",
        schema: docInput,
        steps: createDocument,
      }),
    deleteDocument: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "document", args),
  };
}

/** See {@link createDefinitionService}. */
export type DefinitionService = ReturnType<typeof createDefinitionService>;
