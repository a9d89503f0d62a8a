/** What the Registry tells and does, of all tenants at once, for keys that change. */
import { z } from "zod";
import { type Kind, kinds } from "./kinds.ts";

const kind = z.enum(Object.keys(kinds) as [Kind, ...Kind[]]);
const place = { kind, field: z.string(), tenant: z.guid(), id: z.guid() };

/** Asks for sealed values that do not begin with a prefix, behind the last of the page before. */
export const sealedRequestSchema = z.strictObject({
  prefix: z.string().min(1).max(64),
  after: z.strictObject(place).nullable(),
});
export type SealedRequest = z.infer<typeof sealedRequestSchema>;

/** A sealed value, and where it is. */
export type SealedValue = {
  readonly kind: Kind;
  readonly field: string;
  readonly tenant: string;
  readonly id: string;
  readonly value: string;
};

/** Values to put in the place of others; one that was changed meanwhile stays as it is. */
export const resealRequestSchema = z.strictObject({
  values: z.array(z.strictObject({ ...place, value: z.string(), by: z.string() })).max(200),
});
export type ResealRequest = z.infer<typeof resealRequestSchema>;

/** How many trust whom: numbers only. */
export type TrustState = {
  /** Runtimes heard of within a day, by the trust bundle that their agents say they know. */
  readonly runtimes: readonly { readonly trustBundle: string | null; readonly count: number }[];
  /** Client certificates in force, by the key identifier of who signed them. */
  readonly certificates: readonly { readonly issuerKeyID: string | null; readonly count: number }[];
};

/** The part of the Registry's contract that is for changing keys. */
export type RotationVerbs = {
  /** For the Connector alone. */
  trustState(): Promise<TrustState>;
  /** For Director alone, as the next two. */
  countSealed(prefix: string): Promise<number>;
  listSealed(request: SealedRequest): Promise<readonly SealedValue[]>;
  reseal(request: ResealRequest): Promise<void>;
};
