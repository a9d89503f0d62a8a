import type { Resolvers } from "@sextant/graphql";
import type { RevocationService } from "./revocation.service.ts";

/** Mutations of certificates. */
export const certificateResolvers = (revocations: RevocationService): Resolvers => ({
  Mutation: {
    revokeCertificate: revocations.revokeOwn,
    revokeCertificates: revocations.revokeMany,
  },
});
