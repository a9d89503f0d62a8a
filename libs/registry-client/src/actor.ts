import { z } from "zod";

/** Who acts, and from where: for the audit entry. */
export type Actor = {
  readonly type: string;
  readonly id: string;
  /** What a human knows it by, such as a user's name. */
  readonly name?: string | undefined;
  /** Network address of the client, as the gateway saw it. */
  readonly address?: string | undefined;
  /** The `x-request-id` of the request. */
  readonly requestID?: string | undefined;
};

/** See {@link Actor}. */
export const actorSchema = z.strictObject({
  type: z.string(),
  id: z.string().max(512),
  name: z.string().max(512).optional(),
  address: z.string().max(64).optional(),
  requestID: z.string().max(128).optional(),
}) satisfies z.ZodType<Actor>;

/** An act that changes nothing which is stored, or was refused: see `note` of a commit. */
export type Note = {
  /** The code of the error that the caller saw. Absent: the act was carried out. */
  readonly code?: string | undefined;
  /** What the act was about, or would have been. */
  readonly objects: readonly { readonly kind: string; readonly id?: string | undefined }[];
  /** How many acts of the same kind the entry stands for. */
  readonly times: number;
};

/** See {@link Note}. */
export const noteSchema = z.strictObject({
  code: z.string().min(1).max(64).optional(),
  objects: z
    .array(z.strictObject({ kind: z.string().max(64), id: z.string().max(256).optional() }))
    .max(20),
  times: z.int().min(1).max(2_000_000_000),
}) satisfies z.ZodType<Note>;
