import type { Resolvers } from "@sextant/graphql";
import type { ViewerService } from "./viewer.service.ts";

/** The query that says who the caller is. */
export const viewerResolvers = (viewers: ViewerService): Resolvers => ({
  Query: { viewer: viewers.viewer },
});
