import type { Resolvers } from "@sextant/graphql";
import type { SigningService } from "./signing.service.ts";

/** The two steps of pairing, and renewal. */
export const signingResolvers = (signing: SigningService): Resolvers => ({
  Query: { configuration: signing.configuration },
  Mutation: { signCertificateSigningRequest: signing.sign },
});
