import type { Resolvers } from "@sextant/graphql";
import type { LabelService } from "./label.service.ts";

/** Mutations of labels. */
export const labelResolvers = (labels: LabelService): Resolvers => ({
  Mutation: {
    setApplicationLabel: labels.setForApplication,
    deleteApplicationLabel: labels.deleteForApplication,
    setRuntimeLabel: labels.setForRuntime,
    deleteRuntimeLabel: labels.deleteForRuntime,
  },
});
