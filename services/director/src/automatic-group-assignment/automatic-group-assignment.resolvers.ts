import type { Resolvers } from "@sextant/graphql";
import type { AutomaticGroupAssignmentService } from "./automatic-group-assignment.service.ts";

/** Mutations of automatic group assignments. */
export const automaticGroupAssignmentResolvers = (
  assignments: AutomaticGroupAssignmentService,
): Resolvers => ({
  Mutation: {
    createAutomaticGroupAssignment: assignments.create,
    deleteAutomaticGroupAssignmentForGroup: assignments.deleteForGroup,
    deleteAutomaticGroupAssignmentsForSelector: assignments.deleteForSelector,
  },
});
