import type { Resolvers } from "@sextant/graphql";
import type { BundleService } from "./bundle.service.ts";
import type { DefinitionService } from "./definition.service.ts";

/** Mutations of bundles and of what is in them. */
export const bundleResolvers = (
  bundles: BundleService,
  definitions: DefinitionService,
): Resolvers => ({
  Mutation: {
    addBundle: bundles.add,
    updateBundle: bundles.update,
    deleteBundle: bundles.delete,
    addAPIDefinitionToBundle: definitions.addAPI,
    updateAPIDefinition: definitions.updateAPI,
    deleteAPIDefinition: definitions.deleteAPI,
    addEventDefinitionToBundle: definitions.addEvent,
    updateEventDefinition: definitions.updateEvent,
    deleteEventDefinition: definitions.deleteEvent,
    addDocumentToBundle: definitions.addDocument,
    deleteDocument: definitions.deleteDocument,
  },
});
