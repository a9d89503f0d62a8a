/** The chain's hash: of an entry, of its place, and of the hash before. */
import { createHash } from "node:crypto";

/** An audit entry as it is hashed: texts as they are stored. */
export type ChainedEntry = {
  /** UTC, with microseconds. */
  readonly timestamp: string;
  readonly actorType: string;
  readonly actorID: string;
  readonly actorName: string | null;
  readonly address: string | null;
  readonly requestID: string | null;
  readonly action: string;
  /** JSON text. */
  readonly objects: string;
  readonly outcome: string;
  readonly errorCode: string | null;
  readonly times: number;
};

/** Stands before the first entry of a tenant. */
export const BEGINNING = "0".repeat(64);

/** `entry` undefined: it was gone before it was chained, and has left its place. */
export function entryHash(
  previous: string,
  place: { readonly tenant: string; readonly position: number; readonly id: string },
  entry: ChainedEntry | undefined,
): string {
  const said =
    entry === undefined
      ? []
      : [
          entry.timestamp,
          entry.actorType,
          entry.actorID,
          entry.actorName,
          entry.address,
          entry.requestID,
          entry.action,
          entry.objects,
          entry.outcome,
          entry.errorCode,
          entry.times,
        ];
  const text = JSON.stringify([
    "sextant-audit-1",
    previous,
    place.tenant,
    place.position,
    place.id,
    ...said,
  ]);
  return createHash("sha256").update(text).digest("hex");
}
