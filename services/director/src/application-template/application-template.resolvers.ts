import type { Resolvers } from "@sextant/graphql";
import type { ApplicationTemplateService } from "./application-template.service.ts";

/** Mutations of application templates. */
export const applicationTemplateResolvers = (templates: ApplicationTemplateService): Resolvers => ({
  Mutation: {
    createApplicationTemplate: templates.create,
    updateApplicationTemplate: templates.update,
    deleteApplicationTemplate: templates.delete,
    registerApplicationFromTemplate: templates.register,
  },
});
