import { invalidData, notFound } from "@sextant/errors";
import { type Answer, checked, equals } from "@sextant/graphql";
import { authorise } from "@sextant/identity";
import { create, readOne, update } from "@sextant/registry-client";
import type { z } from "zod";
import { knownID, requireAdmin } from "../access/access.ts";
import { act, type ActingCall, type Context, expecting } from "../act/act.ts";
import type { ApplicationService } from "../application/application.service.ts";
import {
  applicationFromTemplateInput,
  applicationTemplateInput,
  filledIn,
  valueFaults,
} from "./application-template.ts";

type Revision = { readonly expectedRevision?: number | null };

/** What can be done with application templates. */
export function createApplicationTemplateService(
  context: Context,
  applications: Pick<ApplicationService, "register">,
) {
  const noun = "ApplicationTemplate";
  const unique = (name: string) => ({ application_template_name_key: `${noun} ${name}` });
  const authorised = (call: ActingCall, what: string): string => {
    const tenant = authorise(call.caller.identity, "application_template:write");
    requireAdmin(call.caller.identity, what);
    return tenant;
  };
  const columns = (tenant: string, values: z.output<typeof applicationTemplateInput>) => ({
    name: values.name,
    description: values.description ?? null,
    applicationInput: context.sealer.seal(tenant, "template", values.applicationInput),
    placeholders: values.placeholders,
    accessLevel: values.accessLevel,
  });

  return {
    async create(args: { in: unknown }, call: ActingCall): Promise<Answer> {
      const tenant = authorised(call, "making an application template");
      const values = checked("ApplicationTemplateInput", applicationTemplateInput, args.in);
      const id = context.newID();
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "createApplicationTemplate",
        unique: unique(values.name),
        steps: [create("applicationTemplate", id, columns(tenant, values))],
        answer: "after",
      });
    },

    async update(args: { id: string; in: unknown } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorised(call, "changing an application template");
      const id = knownID(noun, args.id);
      const values = checked("ApplicationTemplateInput", applicationTemplateInput, args.in);
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "updateApplicationTemplate",
        unique: unique(values.name),
        steps: [
          update(
            "applicationTemplate",
            id,
            columns(tenant, values),
            expecting(args.expectedRevision),
          ),
        ],
        answer: "after",
      });
    },

    async delete(args: { id: string } & Revision, call: ActingCall): Promise<Answer> {
      const tenant = authorised(call, "removing an application template");
      const id = knownID(noun, args.id);
      return act(context, call, {
        tenant,
        noun,
        id,
        action: "deleteApplicationTemplate",
        steps: [
          { op: "delete", kind: "applicationTemplate", id, ...expecting(args.expectedRevision) },
        ],
        answer: "before",
      });
    },

    /** Fills a template in, and registers what comes of it. */
    async register(args: { in: unknown }, call: ActingCall): Promise<Answer> {
      const { identity } = call.caller;
      const tenant = authorise(identity, "application_template:read", "application:write");
      requireAdmin(identity, "registering an application");
      const inputType = "ApplicationFromTemplateInput";
      const { templateName, values } = checked(inputType, applicationFromTemplateInput, args.in);
      const fields = ["applicationInput", "placeholders"] as const;
      const isIt = equals("name", { param: "name" });
      const template = await readOne(
        context.registry,
        tenant,
        "applicationTemplate",
        isIt,
        fields,
        {
          name: templateName,
        },
      );
      if (template === undefined) throw notFound(noun, templateName);
      const given = values ?? [];
      const faults = valueFaults(template.placeholders as { name: string }[], given);
      if (faults.length > 0) throw invalidData(inputType, faults);
      const input: unknown = JSON.parse(
        context.sealer.open(tenant, "template", template.applicationInput),
      );
      const filling = new Map(given.map((one) => [one.placeholder, one.value]));
      return applications.register({ in: filledIn(input, filling) }, call);
    },
  };
}

/** See {@link createApplicationTemplateService}. */
export type ApplicationTemplateService = ReturnType<typeof createApplicationTemplateService>;
