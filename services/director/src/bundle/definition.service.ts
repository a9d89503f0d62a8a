import { type Answer, checked } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { type Step, update } from "@sextant/registry-client";
import type { z } from "zod";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import {
  checkSpecifications,
  type Spec,
  type SpecificationChecker,
} from "../specification/specification.ts";
import {
  apiDefinitionColumns,
  apiDefinitionInput,
  createAPIDefinition,
  createDocument,
  createEventDefinition,
  documentInput,
  eventDefinitionColumns,
  eventDefinitionInput,
  type Place,
} from "./bundle.ts";
import { removeOwned, requireOwned, staleForApplication } from "./bundle.service.ts";

type Revision = { readonly expectedRevision?: number | null };
type Adding = { readonly bundleID: string; readonly in: unknown };
type Updating = { readonly id: string; readonly in: unknown } & Revision;

/** What can be done with what is in a bundle: APIs, event definitions, documents. */
export function createDefinitionService(context: Context, check: SpecificationChecker) {
  const checkSpec = async (inputType: string, spec: Spec | null | undefined): Promise<void> => {
    if (spec !== null && spec !== undefined)
      await checkSpecifications(inputType, [{ field: "spec", spec }], check);
  };

  const add = async <Schema extends z.ZodType>(
    call: ActingCall,
    args: Adding,
    what: {
      readonly noun: string;
      readonly inputType: string;
      readonly schema: Schema;
      readonly specOf: (values: z.output<Schema>) => Spec | null | undefined;
      readonly steps: (id: string, place: Place, values: z.output<Schema>) => readonly Step[];
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
    const values = checked(what.inputType, what.schema, args.in);
    await checkSpec(what.inputType, what.specOf(values));
    const id = context.newID();
    return act(context, call, {
      tenant,
      noun: what.noun,
      id,
      action: `add${what.noun}ToBundle`,
      steps: [
        ...what.steps(id, { applicationID, bundleID }, values),
        staleForApplication(`${what.noun} added`),
      ],
      params: { applicationID },
      answer: "after",
    });
  };

  const change = async (
    call: ActingCall,
    args: Updating,
    noun: "APIDefinition" | "EventDefinition",
    made: (input: unknown) => {
      spec: Spec | null | undefined;
      columns: { values: object; steps: readonly Step[] };
    },
  ): Promise<Answer> => {
    const { identity } = call.caller;
    const tenant = authorise(identity, "application:write");
    const kind = noun === "APIDefinition" ? "apiDefinition" : "eventDefinition";
    const { id, applicationID } = await requireOwned(context, identity, tenant, kind, args.id);
    const { spec, columns } = made(args.in);
    await checkSpec(`${noun}Input`, spec);
    return act(context, call, {
      tenant,
      noun,
      id,
      action: `update${noun}`,
      steps: [
        ...columns.steps,
        update(kind, id, columns.values, expecting(args.expectedRevision)),
        staleForApplication(`${noun} updated`),
      ],
      params: { applicationID },
      answer: "after",
    });
  };

  return {
    addAPI: (args: Adding, call: ActingCall) =>
      add(call, args, {
        noun: "APIDefinition",
        inputType: "APIDefinitionInput",
        schema: apiDefinitionInput,
        specOf: (values) => values.spec,
        steps: createAPIDefinition,
      }),
    updateAPI: (args: Updating, call: ActingCall) =>
      change(call, args, "APIDefinition", (input) => {
        const values = checked("APIDefinitionInput", apiDefinitionInput, input);
        return { spec: values.spec, columns: apiDefinitionColumns(values) };
      }),
    deleteAPI: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "apiDefinition", args),

    addEvent: (args: Adding, call: ActingCall) =>
      add(call, args, {
        noun: "EventDefinition",
        inputType: "EventDefinitionInput",
        schema: eventDefinitionInput,
        specOf: (values) => values.spec,
        steps: createEventDefinition,
      }),
    updateEvent: (args: Updating, call: ActingCall) =>
      change(call, args, "EventDefinition", (input) => {
        const values = checked("EventDefinitionInput", eventDefinitionInput, input);
        return { spec: values.spec, columns: eventDefinitionColumns(values) };
      }),
    deleteEvent: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "eventDefinition", args),

    addDocument: (args: Adding, call: ActingCall) =>
      add(call, args, {
        noun: "Document",
        inputType: "DocumentInput",
        schema: documentInput,
        specOf: () => undefined,
        steps: createDocument,
      }),
    deleteDocument: (args: { id: string } & Revision, call: ActingCall) =>
      removeOwned(context, call, "document", args),
  };
}

/** See {@link createDefinitionService}. */
export type DefinitionService = ReturnType<typeof createDefinitionService>;
