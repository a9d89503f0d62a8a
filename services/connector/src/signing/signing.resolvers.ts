import type { Resolvers } from "@sextant/graphql";
import type { ConfigurationService } from "../configuration/configuration.service.ts";
import type { SigningService } from "./signing.service.ts";

/** The two steps of pairing, and renewal. */
export const signingResolvers = (
  configurations: ConfigurationService,
  signing: SigningService,
): Resolvers => ({
  Query: { configuration: configurations.configuration },
  Mutation: { signCertificateSigningRequest: signing.sign },
});
