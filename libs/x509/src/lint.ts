/**
 * Checks a TBSCertificate before it is signed, by reading it back with the strict reader: a second opinion on the
 * builder, by the rules of RFC 5280 and of the profile that the certificate claims to be.
 */
import { TAG } from "./der.ts";
import { keyBitsOf, type Issuer } from "./builder.ts";
import { alternativeNameFaults, isAbsoluteUri } from "./general-name.ts";
import { decodeName, NameError } from "./name.ts";
import { OID } from "./oid.ts";
import { PROFILES, type Profile, type ProfileName } from "./profile.ts";
import { keyIdentifier, PublicKeyError, readPublicKey } from "./public-key.ts";
import { DerError, readDer, readOid, type DerNode } from "./reader.ts";
import { readSignatureAlgorithm } from "./signature.ts";
import { readTbs, type Tbs } from "./tbs.ts";

const DAY_MS = 86_400_000;
const MIN_SERIAL_BYTES = 8;
const MAX_SERIAL_BYTES = 20;

/** What the certificate must agree with. */
export type LintContext = {
  readonly profile: ProfileName;
  readonly issuer: Issuer | undefined;
  /** A SubjectPublicKeyInfo whose key was checked already: only another one is checked again. */
  readonly checkedKey?: Buffer | undefined;
};

/** Every fault of a TBSCertificate, in words; empty when it may be signed. */
export function lintCertificate(tbs: Buffer, context: LintContext): string[] {
  let fields: Tbs;
  try {
    fields = readTbs(tbs);
  } catch (error) {
    if (error instanceof DerError) return [error.message];
    throw error;
  }
  const profile = PROFILES[context.profile];
  return [
    ...serialFaults(fields.serial),
    ...(readSignatureAlgorithm(fields.signatureAlgorithm) === undefined
      ? ["signature algorithm is not accepted"]
      : []),
    ...validityFaults(fields, profile, context.issuer),
    ...nameFaults(fields, context.issuer),
    ...(context.checkedKey?.equals(fields.spki.bytes) === true ? [] : keyFaults(fields.spki)),
    ...extensionFaults(fields, profile, context.issuer),
  ];
}

function serialFaults(serial: Buffer): string[] {
  const faults: string[] = [];
  if ((serial[0] as number) & 0x80) faults.push("serial number is negative");
  if (serial.length < MIN_SERIAL_BYTES) faults.push("serial number has less than 64 bits");
  if (serial.length > MAX_SERIAL_BYTES) faults.push("serial number is longer than 20 octets");
  return faults;
}

function validityFaults(
  { notBefore, notAfter }: Tbs,
  profile: Profile,
  issuer: Issuer | undefined,
): string[] {
  const faults: string[] = [];
  for (const { date, tag } of [notBefore, notAfter]) {
    if ((tag === TAG.utcTime) !== date.getUTCFullYear() < 2050)
      faults.push("time through 2049 is not UTCTime or later is");
  }
  // Both ends belong to the validity (RFC 5280 4.1.2.5), hence the second.
  const life = notAfter.date.getTime() - notBefore.date.getTime() + 1_000;
  if (life <= 1_000) faults.push("validity is empty");
  if (life > profile.maxDays * DAY_MS)
    faults.push(`validity is longer than ${profile.maxDays} days`);
  if (issuer !== undefined && notAfter.date > issuer.notAfter)
    faults.push("validity ends after the issuer's");
  if (issuer !== undefined && notBefore.date < issuer.notBefore)
    faults.push("validity begins before the issuer's");
  return faults;
}

function nameFaults({ issuer, subject }: Tbs, expected: Issuer | undefined): string[] {
  const faults: string[] = [];
  for (const [what, name] of [
    ["issuer", issuer],
    ["subject", subject],
  ] as const) {
    try {
      decodeName(name);
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      faults.push(`${what}: ${error.message}`);
    }
  }
  if (!issuer.bytes.equals(expected?.name ?? subject.bytes))
    faults.push("issuer is not the name of the authority");
  if (expected !== undefined && subject.bytes.equals(expected.name))
    faults.push("subject is the name of the authority");
  return faults;
}

function keyFaults(spki: DerNode): string[] {
  try {
    readPublicKey(spki);
    return [];
  } catch (error) {
    if (error instanceof PublicKeyError) return [`public key ${error.message}`];
    throw error;
  }
}

type Rule = { readonly critical: boolean; readonly check: (value: DerNode) => readonly string[] };

function extensionFaults(tbs: Tbs, profile: Profile, issuer: Issuer | undefined): string[] {
  const rules = rulesFor(tbs, profile, issuer);
  const seen = new Set<string>();
  const faults: string[] = [];
  for (const { id, critical, value } of tbs.extensions) {
    const rule = rules.get(id);
    if (seen.has(id)) faults.push(`extension ${id} occurs twice`);
    seen.add(id);
    if (rule === undefined) faults.push(`extension ${id} does not belong to the profile`);
    else if (rule.critical !== critical)
      faults.push(`extension ${id} is ${critical ? "critical" : "not critical"}`);
    if (rule !== undefined) faults.push(...checkedValue(id, value, rule));
  }
  for (const id of rules.keys()) {
    if (!seen.has(id) && id !== OID.crlDistributionPoints)
      faults.push(`extension ${id} is missing`);
  }
  return faults;
}

function checkedValue(id: string, value: Buffer, rule: Rule): readonly string[] {
  try {
    return rule.check(readDer(value));
  } catch (error) {
    if (error instanceof DerError) return [`extension ${id}: ${error.message}`];
    throw error;
  }
}

function rulesFor(tbs: Tbs, profile: Profile, issuer: Issuer | undefined): Map<string, Rule> {
  const ownKeyId = keyIdentifier(keyBitsOf(tbs.spki));
  const rules = new Map<string, Rule>([
    [
      OID.basicConstraints,
      { critical: true, check: (value) => basicConstraintsFaults(value, profile, issuer) },
    ],
    [OID.keyUsage, { critical: true, check: (value) => keyUsageFaults(value, profile) }],
    [
      OID.subjectKeyIdentifier,
      {
        critical: false,
        check: ({ tag, value }) =>
          tag === TAG.octetString && value.equals(ownKeyId)
            ? []
            : ["subject key identifier is not that of the key"],
      },
    ],
    [
      OID.authorityKeyIdentifier,
      { critical: false, check: (value) => authorityKeyFaults(value, issuer?.keyId ?? ownKeyId) },
    ],
    [OID.crlDistributionPoints, { critical: false, check: distributionPointFaults }],
  ]);
  if (!profile.authority) {
    rules.set(OID.extKeyUsage, {
      critical: false,
      check: (value) => extendedKeyUsageFaults(value, profile),
    });
    rules.set(OID.subjectAltName, { critical: false, check: alternativeNameFaults });
  }
  return rules;
}

function basicConstraintsFaults(
  { children }: DerNode,
  profile: Profile,
  issuer: Issuer | undefined,
): string[] {
  const [authority, pathLength] = children;
  if (!profile.authority)
    return authority === undefined ? [] : ["basic constraints make a leaf an authority"];
  const faults: string[] = [];
  if (authority?.tag !== TAG.boolean || authority.value[0] !== 0xff)
    faults.push("authority without cA");
  const length =
    pathLength === undefined ? undefined : pathLength.value.readUIntBE(0, pathLength.value.length);
  if (length !== profile.pathLength) faults.push("path length is not the profile's");
  if (issuer?.pathLength === 0) faults.push("issuer's path length allows no further authority");
  return faults;
}

function keyUsageFaults({ tag, value }: DerNode, profile: Profile): string[] {
  if (tag !== TAG.bitString) return ["key usage is not a BIT STRING"];
  const bits = [...value.subarray(1)].flatMap((octet, index) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => octet & (0x80 >> bit)).map((bit) => index * 8 + bit),
  );
  const unused = value[0] ?? 0;
  const trailingZero =
    value.length > 1 && ((value[value.length - 1] as number) & (1 << unused)) === 0;
  return [
    ...(bits.join() === profile.keyUsage.join() ? [] : ["key usage is not the profile's"]),
    ...(trailingZero ? ["key usage has zero bits at its end"] : []),
  ];
}

function extendedKeyUsageFaults({ children }: DerNode, profile: Profile): string[] {
  return children.map(readOid).join() === profile.extendedKeyUsage.join()
    ? []
    : ["extended key usage is not the profile's"];
}

function authorityKeyFaults({ children }: DerNode, keyId: Buffer): string[] {
  const [id, more] = children;
  return id?.tag === 0x80 && more === undefined && id.value.equals(keyId)
    ? []
    : ["authority key identifier is not that of the issuer"];
}

function distributionPointFaults({ children }: DerNode): string[] {
  const [point, more] = children;
  // DistributionPoint > distributionPoint [0] > fullName [0] > uniformResourceIdentifier [6]
  const uri = point?.children[0]?.children[0]?.children[0];
  return more === undefined && uri?.tag === 0x86 && isAbsoluteUri(uri.value.toString("latin1"))
    ? []
    : ["CRL distribution point is not one URI"];
}
