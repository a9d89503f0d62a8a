/**
 * Issues certificates in three steps that each can be the last before a crash: what is to be signed is built, linted and recorded;
 * then it is signed and re-read; then the signature is stored, and only then given out. So there is no certificate without its
 * record, and one that was recorded can be finished by whoever asks for it again.
 */
import type { KeyObject } from "node:crypto";
import { internal, unauthenticated } from "@sextant/errors";
import { equals } from "@sextant/graphql";
import { create, readOne, type Step, update, uuidOf } from "@sextant/registry-client";
import {
  buildCertificate,
  certificateFaults,
  type CertificateRequest,
  createSerial,
  formatClientUri,
  lintCertificate,
  openSigned,
} from "@sextant/x509";
import type { Authority } from "../authority/authorities.ts";
import type { Consumer } from "../caller.ts";
import { commitOf, type Context } from "../context.ts";
import { subjectOf } from "./subject.ts";

/** A certificate is good from so many milliseconds before it was made: clocks differ. */
const BACKDATED = 60_000;

/** A certificate as it is recorded before it is signed. */
export type Recorded = {
  readonly id: string;
  readonly serialNumber: string;
  readonly issuerKeyID: string | null;
  readonly consumerType: string;
  readonly consumerID: string;
  readonly subject: string;
  readonly notBefore: string;
  readonly notAfter: string;
  /** Base64 of the TBSCertificate. */
  readonly tbs: string | null;
};

/** A record with the signature, once it has one. */
export type Stored = Recorded & {
  readonly hash: string | null;
  readonly signature: string | null;
  readonly revokedAt: string | null;
};

/** What is read to finish or repeat an issuing. */
export const storedFields = [
  ...["id", "serialNumber", "issuerKeyID", "consumerType", "consumerID", "subject"],
  ...["notBefore", "notAfter", "tbs", "hash", "signature", "revokedAt"],
] as readonly (keyof Stored)[];

/** What is given out, each PEM. */
export type Issued = {
  readonly certificate: string;
  readonly issuer: string;
  readonly root: string;
};

const uriOf = (tenant: string, { consumerType, consumerID }: Recorded): string =>
  formatClientUri({ tenant, kind: consumerType.toLowerCase(), id: consumerID });

/** Issues certificates. */
export function createIssuing(context: Context) {
  const authorityOf = ({ issuerKeyID }: Recorded): Authority => {
    const authority = context.authorities.bySubjectKeyId(issuerKeyID ?? "");
    if (authority === undefined)
      throw unauthenticated("the authority of this certificate signs no more: pair anew");
    return authority;
  };

  const opened = (record: Recorded, tbs: string, signature: string): Issued => {
    const { signer, certificate, root } = authorityOf(record);
    const bytes = [tbs, signature].map((text) => Buffer.from(text, "base64"));
    const { pem } = openSigned(bytes[0] as Buffer, signer.algorithm, bytes[1] as Buffer);
    return { certificate: pem, issuer: certificate.pem, root };
  };

  /** Builds what is to be signed, and the steps that record it. Throws when it is not fit to be signed. */
  const prepare = (
    { tenant, type, id: consumerID }: Consumer,
    request: CertificateRequest,
    publicKeyHash: string,
  ): { readonly record: Recorded; readonly steps: readonly Step[] } => {
    const authority = context.authorities.current();
    const second = Math.floor(context.now() / 1_000) * 1_000;
    const life = context.lifetimes.certificate[type] * 1_000;
    const notBefore = new Date(Math.max(second - BACKDATED, authority.issuer.notBefore.getTime()));
    const notAfter = new Date(Math.min(second + life, authority.issuer.notAfter.getTime()));
    const serial = createSerial(context.randomBytes);
    const subject = subjectOf(type, consumerID);
    const about = { consumerType: type, consumerID };
    const tbs = buildCertificate({
      profile: "client",
      subject,
      spki: request.spki,
      issuer: authority.issuer,
      serial,
      notBefore,
      notAfter,
      names: { uri: [formatClientUri({ tenant, kind: type.toLowerCase(), id: consumerID })] },
      crlUrl: context.addresses.revocationListURL.replace("{issuer}", authority.keyId),
      signatureAlgorithm: authority.signer.algorithm,
    });
    const rules = {
      profile: "client",
      issuer: authority.issuer,
      checkedKey: request.spki,
    } as const;
    const faults = lintCertificate(tbs, rules);
    if (faults.length > 0)
      throw new TypeError(`the certificate is not fit to be signed: ${faults.join("; ")}`);
    const record = {
      id: context.newID(),
      serialNumber: serial.toString("hex"),
      issuerKeyID: authority.keyId,
      ...about,
      subject,
      notBefore: notBefore.toISOString(),
      notAfter: notAfter.toISOString(),
      tbs: tbs.toString("base64"),
    };
    const { id, ...values } = record;
    const keyID = uuidOf(Buffer.from(publicKeyHash, "hex"));
    return {
      record,
      steps: [
        {
          op: "create",
          kind: "certificateKey",
          id: keyID,
          values: { hash: publicKeyHash, ...about },
          ifAbsent: true,
        },
        create("certificate", id, { ...values, publicKeyHash }),
      ],
    };
  };

  /** Signs what was recorded, re-reads it, stores the signature, and gives it out. */
  const finish = async (
    tenant: string,
    record: Recorded,
    publicKey: KeyObject,
  ): Promise<Issued> => {
    const authority = authorityOf(record);
    const tbs = Buffer.from(record.tbs ?? "", "base64");
    const signature = await authority.signer.sign(tbs);
    const certificate = openSigned(tbs, authority.signer.algorithm, signature);
    const faults = certificateFaults(certificate, {
      profile: "client",
      authority,
      publicKey,
      subject: record.subject,
      uri: uriOf(tenant, record),
      serial: record.serialNumber,
      notBefore: new Date(record.notBefore),
      notAfter: new Date(record.notAfter),
    });
    if (faults.length > 0) {
      const id = crypto.randomUUID();
      throw internal(id, new Error(`a signed certificate is not given out: ${faults.join("; ")}`));
    }
    const step = update(
      "certificate",
      record.id,
      { hash: certificate.fingerprint, signature: signature.toString("base64") },
      {
        where: {
          op: "all",
          of: [
            { op: "isNull", field: "hash" },
            { op: "isNull", field: "revokedAt" },
          ],
        },
      },
    );
    const actor = { type: record.consumerType, id: record.consumerID };
    // Its audit entry is that of the record.
    const commit = {
      ...commitOf(context, tenant, actor, "storeCertificate", [step]),
      observed: true,
    };
    const stored = await context.commits.commit(commit, record.id);
    if (stored.ok) {
      const { root } = authority;
      return { certificate: certificate.pem, issuer: authority.certificate.pem, root };
    }
    // Somebody else was faster: the same request, sent twice, has stored another signature; or it was revoked.
    const now = await readOne(
      context.registry,
      tenant,
      "certificate",
      equals("id", { param: "id" }),
      storedFields,
      { id: record.id },
    );
    const given = now === undefined ? undefined : repeated(now);
    if (given !== undefined) return given;
    throw unauthenticated("the certificate was revoked while it was issued: pair anew");
  };

  /** What was given out for a record; undefined: nothing was, or it was revoked since. */
  const repeated = (stored: Stored): Issued | undefined => {
    const { tbs, signature, revokedAt } = stored;
    if (revokedAt !== null || tbs === null || signature === null) return undefined;
    return opened(stored, tbs, signature);
  };

  return { prepare, finish, repeated };
}
