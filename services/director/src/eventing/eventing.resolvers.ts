import type { Resolvers } from "@sextant/graphql";
import type { EventingService } from "./eventing.service.ts";

/** Mutations of where events go. */
export const eventingResolvers = (eventing: EventingService): Resolvers => ({
  Mutation: {
    setDefaultEventingForApplication: eventing.choose,
    deleteDefaultEventingForApplication: eventing.forget,
  },
});
