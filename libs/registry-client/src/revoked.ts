/** What was revoked, of all tenants: for revocation lists. */
import { z } from "zod";

/** Asks for what an authority's certificates were revoked of, of all tenants, by serial number. */
export const revokedRequestSchema = z.strictObject({
  issuerKeyID: z.string().regex(/^[0-9a-f]{40}$/),
  /** The last serial number of the page before. */
  after: z.string().max(64).nullable(),
});
export type RevokedRequest = z.infer<typeof revokedRequestSchema>;

/** A revoked certificate, and nothing that tells whose it was. */
export type RevokedCertificate = {
  readonly serialNumber: string;
  readonly revokedAt: string;
  readonly revocationCode: string | null;
};

/** A page; the last one is empty. `number` is greater with each that is asked: of the first page it is the revocation list's. */
export type RevokedAnswer = {
  readonly number: string;
  readonly revoked: readonly RevokedCertificate[];
};
