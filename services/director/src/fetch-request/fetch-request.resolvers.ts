import type { Resolvers } from "@sextant/graphql";
import type { FetchRequestService } from "./fetch-request.service.ts";

/** Mutations of fetch requests. */
export const fetchRequestResolvers = (requests: FetchRequestService): Resolvers => ({
  Mutation: {
    refetchAPISpec: requests.refetchAPI,
    refetchEventDefinitionSpec: requests.refetchEvent,
  },
});
