import type { Resolvers } from "@sextant/graphql";
import type { LabelDefinitionService } from "./label-definition.service.ts";

/** Mutations of label definitions. */
export const labelDefinitionResolvers = (definitions: LabelDefinitionService): Resolvers => ({
  Mutation: {
    createLabelDefinition: definitions.create,
    updateLabelDefinition: definitions.update,
    deleteLabelDefinition: definitions.delete,
  },
});
