/** The revocation lists of the authorities: made when they are asked for, complete, and of all tenants: serial numbers alone. */
import { notFound } from "@sextant/errors";
import type { RevokedCertificate } from "@sextant/registry-client";
import {
  createRevocationList,
  REVOCATION_CODES,
  type RevocationCode,
  type Revoked,
} from "@sextant/x509";
import type { Context } from "../context.ts";

/** A list: DER, with its times. */
export type RevocationList = {
  readonly der: Buffer;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
};

const isCode = (code: string | null): code is RevocationCode =>
  code !== null && Object.hasOwn(REVOCATION_CODES, code);

const revokedOf = ({ serialNumber, revokedAt, revocationCode }: RevokedCertificate): Revoked => ({
  serial: serialNumber,
  revokedAt: new Date(revokedAt),
  code: isCode(revocationCode) ? revocationCode : "UNSPECIFIED",
});

/** Makes revocation lists. */
export function createRevocationListService(context: Context) {
  /** By key identifier: the list that is being made, and the one after it, for those who came meanwhile. */
  const making = new Map<string, Promise<RevocationList>>();
  const following = new Map<string, Promise<RevocationList>>();

  const make = async (keyId: string): Promise<RevocationList> => {
    const authority = context.authorities.bySubjectKeyId(keyId);
    if (authority === undefined) throw notFound("Authority", keyId);
    const thisUpdate = new Date(Math.floor(context.now() / 1_000) * 1_000);
    const revoked: Revoked[] = [];
    let number: bigint | undefined;
    for (let after: string | null = null; ;) {
      const page = await context.registry.revoked({ issuerKeyID: keyId, after });
      number ??= BigInt(page.number);
      const last = page.revoked.at(-1);
      if (last === undefined) break;
      for (const one of page.revoked) revoked.push(revokedOf(one));
      after = last.serialNumber;
    }
    const nextUpdate = new Date(thisUpdate.getTime() + context.lifetimes.revocationList * 1_000);
    const der = await createRevocationList(authority, { number, thisUpdate, nextUpdate, revoked });
    return { der, thisUpdate, nextUpdate };
  };

  const begin = (keyId: string): Promise<RevocationList> => {
    const made = make(keyId).finally(() => making.delete(keyId));
    making.set(keyId, made);
    return made;
  };

  return {
    /**
     * The list of an authority, by default of the one that signs now. It knows everything that was revoked before it was asked for:
     * one whose making began earlier does not count.
     */
    async list(issuerKeyID?: string): Promise<RevocationList> {
      const keyId = issuerKeyID ?? context.authorities.current().keyId;
      const now = making.get(keyId);
      if (now === undefined) return begin(keyId);
      let next = following.get(keyId);
      if (next === undefined) {
        next = now
          .catch(() => undefined)
          .then(() => {
            following.delete(keyId);
            return begin(keyId);
          });
        following.set(keyId, next);
      }
      return next;
    },
  };
}

/** See {@link createRevocationListService}. */
export type RevocationListService = ReturnType<typeof createRevocationListService>;
