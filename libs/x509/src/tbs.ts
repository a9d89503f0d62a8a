/** Reads the structure of a TBSCertificate, without judging it: lint does that. */
import { TAG } from "./der.ts";
import { DerError, readDer, readOid, readTime, type DerNode } from "./reader.ts";

/** One extension. */
export type Extension = { readonly id: string; readonly critical: boolean; readonly value: Buffer };

/** The fields of a TBSCertificate. */
export type Tbs = {
  readonly serial: Buffer;
  readonly signatureAlgorithm: DerNode;
  readonly issuer: DerNode;
  readonly notBefore: TbsTime;
  readonly notAfter: TbsTime;
  readonly subject: DerNode;
  readonly spki: DerNode;
  readonly extensions: readonly Extension[];
};

/** A time and the type that it is written in. */
export type TbsTime = { readonly date: Date; readonly tag: number };

/** Reads a version 3 TBSCertificate without unique identifiers. Throws {@link DerError}. */
export function readTbs(der: Buffer): Tbs {
  const root = readDer(der);
  const [version, serial, signatureAlgorithm, issuer, validity, subject, spki, wrapped, more] =
    root.children;
  const complete =
    root.tag === TAG.sequence &&
    version?.tag === 0xa0 &&
    version.value.equals(Buffer.from([TAG.integer, 1, 2])) &&
    serial?.tag === TAG.integer &&
    signatureAlgorithm?.tag === TAG.sequence &&
    issuer?.tag === TAG.sequence &&
    validity?.tag === TAG.sequence &&
    subject?.tag === TAG.sequence &&
    spki?.tag === TAG.sequence &&
    wrapped?.tag === 0xa3 &&
    more === undefined;
  if (!complete)
    throw new DerError(
      "not a version 3 certificate with extensions and without unique identifiers",
      0,
    );
  const [notBefore, notAfter] = validity.children;
  return {
    serial: serial.value,
    signatureAlgorithm,
    issuer,
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    subject,
    spki,
    extensions: (wrapped.children[0]?.children ?? []).map(extensionOf),
  };
}

function timeOf(node: DerNode | undefined): TbsTime {
  const date = node === undefined ? undefined : readTime(node.tag, node.value);
  if (node === undefined || date === undefined) throw new DerError("not a time", 0);
  return { date, tag: node.tag };
}

function extensionOf(node: DerNode): Extension {
  const [id, second, third] = node.children;
  const value = third ?? second;
  const critical = third !== undefined;
  const isExtension =
    node.children.length === (critical ? 3 : 2) &&
    id?.tag === TAG.oid &&
    value?.tag === TAG.octetString;
  // FALSE is the default, and DER does not write defaults.
  if (!isExtension || (critical && second?.value[0] !== 0xff))
    throw new DerError("not an extension", 0);
  return { id: readOid(id), critical, value: value.value };
}
