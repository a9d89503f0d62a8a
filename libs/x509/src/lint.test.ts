/** Each rule of the linter, by a TBSCertificate that breaks it alone: built by hand, for the builder makes none of them. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createCertificateAuthority, createKeyPair } from "./authority.ts";
import { createSerial, extension } from "./builder.ts";
import {
  contextConstructed,
  contextPrimitive,
  derTrue,
  namedBits,
  octetString,
  oid,
  printableString,
  sequence,
  setOf,
  smallInteger,
  TAG,
  time,
  tlv,
  unsignedInteger,
  utf8String,
} from "./der.ts";
import { lintCertificate } from "./lint.ts";
import { encodeName, parseSubject } from "./name.ts";
import { OID } from "./oid.ts";
import { keyIdentifier } from "./public-key.ts";
import { readDer } from "./reader.ts";
import { algorithmIdentifier } from "./signature.ts";

const from = new Date("2026-01-01T00:00:00Z");
const day = (days: number): Date => new Date(from.getTime() + days * 86_400_000);
const authority = await createCertificateAuthority({
  keyPair: createKeyPair(),
  subject: "O=Sextant,CN=Authority",
  serial: createSerial(randomBytes),
  notBefore: from,
  notAfter: day(3_000),
});
const { issuer } = authority;
const spki = createKeyPair().publicKey.export({ format: "der", type: "spki" });
const keyId = keyIdentifier(readDer(spki).children[1]?.value.subarray(1) ?? Buffer.alloc(0));
const uri = (text: string): Buffer => contextPrimitive(6, Buffer.from(text, "latin1"));
const point = (text: string): Buffer =>
  sequence(sequence(contextConstructed(0, contextConstructed(0, uri(text)))));

const usual: Readonly<Record<string, Buffer>> = {
  basicConstraints: extension(OID.basicConstraints, true, sequence()),
  keyUsage: extension(OID.keyUsage, true, namedBits([0])),
  extKeyUsage: extension(OID.extKeyUsage, false, sequence(oid(OID.clientAuth))),
  names: extension(OID.subjectAltName, false, sequence(uri("sextant://t/runtime/r"))),
  subjectKey: extension(OID.subjectKeyIdentifier, false, octetString(keyId)),
  authorityKey: extension(
    OID.authorityKeyIdentifier,
    false,
    sequence(contextPrimitive(0, issuer.keyId)),
  ),
  point: extension(OID.crlDistributionPoints, false, point("http://plane.example/v1/ca/crl")),
};

type Parts = Partial<
  Record<"version" | "serial" | "algorithm" | "issuer" | "validity" | "subject" | "spki", Buffer>
> & { readonly extensions?: Readonly<Record<string, Buffer | undefined>>; readonly more?: Buffer };

const built = (parts: Parts = {}): Buffer => {
  const extensions = Object.values({ ...usual, ...parts.extensions }).filter(
    (one) => one !== undefined,
  );
  return sequence(
    parts.version ?? contextConstructed(0, smallInteger(2)),
    parts.serial ?? unsignedInteger(createSerial(randomBytes)),
    parts.algorithm ?? algorithmIdentifier("ecdsa-with-SHA256"),
    parts.issuer ?? issuer.name,
    parts.validity ?? sequence(time(from), time(day(1))),
    parts.subject ?? encodeName(parseSubject("O=Org,CN=r")),
    parts.spki ?? spki,
    ...(parts.more === undefined ? [] : [parts.more]),
    contextConstructed(3, sequence(...extensions)),
  );
};
const faults = (parts: Parts): readonly string[] =>
  lintCertificate(built(parts), { profile: "client", issuer });
const name = (...parts: readonly Buffer[]): Buffer => sequence(...parts.map((part) => setOf(part)));
const commonName = (value: Buffer): Buffer => sequence(oid(OID.commonName), value);
const changed = (field: string, value: Buffer | undefined): Parts => ({
  extensions: { [field]: value },
});
const P384 = generateKeyPairSync("ec", { namedCurve: "secp256k1" });
const text = (tag: number, value: string): Buffer => tlv(tag, Buffer.from(value, "latin1"));

it("finds nothing in a certificate that keeps to all rules, with and without a distribution point", () => {
  expect(faults({})).toEqual([]);
  expect(faults(changed("point", undefined))).toEqual([]);
});

const cases: readonly (readonly [string, Parts, RegExp])[] = [
  [
    "a version other than 3",
    { version: contextConstructed(0, smallInteger(1)) },
    /not a version 3/,
  ],
  ["a unique identifier", { more: contextPrimitive(1, Buffer.from([0, 1])) }, /not a version 3/],
  ["a negative serial number", { serial: tlv(TAG.integer, Buffer.alloc(12, 0x81)) }, /is negative/],
  ["a serial number of zero", { serial: smallInteger(0) }, /less than 64 bits/],
  [
    "a short serial number",
    { serial: unsignedInteger(Buffer.alloc(7, 0x41)) },
    /less than 64 bits/,
  ],
  [
    "a long serial number",
    { serial: unsignedInteger(Buffer.alloc(21, 0x41)) },
    /longer than 20 octets/,
  ],
  [
    "a signature by SHA-1",
    { algorithm: sequence(oid("1.2.840.10045.4.1")) },
    /signature algorithm is not accepted/,
  ],
  [
    "a GeneralizedTime before 2050",
    { validity: sequence(time(from), text(TAG.generalizedTime, "20260102000000Z")) },
    /through 2049 is not UTCTime/,
  ],
  [
    "a time without seconds",
    { validity: sequence(time(from), text(TAG.utcTime, "2601020000Z")) },
    /UTCTime is not YYMMDDHHMMSSZ/,
  ],
  [
    "a time with an offset",
    { validity: sequence(time(from), text(TAG.utcTime, "260102000000+0100")) },
    /UTCTime is not YYMMDDHHMMSSZ/,
  ],
  [
    "fractions of a second",
    { validity: sequence(time(from), text(TAG.generalizedTime, "20600102000000.5Z")) },
    /GeneralizedTime is not/,
  ],
  ["an end before the begin", { validity: sequence(time(day(2)), time(day(1))) }, /is empty/],
  ["more days than a client has", { validity: sequence(time(from), time(day(400))) }, /397 days/],
  [
    "an end after the issuer's",
    { validity: sequence(time(day(2_999)), time(day(3_001))) },
    /ends after the issuer's/,
  ],
  [
    "a begin before the issuer's",
    { validity: sequence(time(day(-1)), time(day(1))) },
    /begins before the issuer's/,
  ],
  [
    "another issuer",
    { issuer: encodeName(parseSubject("CN=Other")) },
    /is not the name of the auth/,
  ],
  [
    "the issuer's name as subject",
    { subject: issuer.name },
    /subject is the name of the authority/,
  ],
  ["an empty subject", { subject: sequence() }, /subject: the subject is empty/],
  [
    "an empty part of the subject",
    { subject: name(commonName(utf8String(""))) },
    /subject: CN is empty/,
  ],
  [
    "a part of more than 64 characters",
    { subject: name(commonName(utf8String("x".repeat(65)))) },
    /CN is longer than 64/,
  ],
  [
    "a control character",
    { subject: name(commonName(utf8String("a\0b"))) },
    /CN has control characters/,
  ],
  [
    "a string of another type",
    { subject: name(commonName(text(TAG.ia5String, "x"))) },
    /neither UTF8String nor PrintableString/,
  ],
  [
    "a country of three letters",
    { subject: name(sequence(oid(OID.countryName), printableString("DEU"))) },
    /country code of two letters/,
  ],
  [
    "a part twice",
    { subject: name(commonName(utf8String("a")), commonName(utf8String("b"))) },
    /CN occurs twice/,
  ],
  [
    "a part that is not used",
    { subject: name(sequence(oid("1.2.840.113549.1.9.1"), text(TAG.ia5String, "a@b"))) },
    /has the attribute 1.2.840.113549.1.9.1/,
  ],
  [
    "a key on another curve",
    { spki: P384.publicKey.export({ format: "der", type: "spki" }) },
    /public key is on curve/,
  ],
  [
    "a weak key",
    {
      spki: generateKeyPairSync("rsa", { modulusLength: 1_024 }).publicKey.export({
        format: "der",
        type: "spki",
      }),
    },
    /public key has 1024 bits/,
  ],
  ["an extension twice", changed("again", usual["names"]), /extension 2.5.29.17 occurs twice/],
  [
    "an extension of another profile",
    changed("more", extension("2.5.29.30", true, sequence())),
    /2.5.29.30 does not belong to the profile/,
  ],
  [
    "critical FALSE written out",
    changed(
      "names",
      sequence(oid(OID.subjectAltName), text(TAG.boolean, "\0"), octetString(sequence(uri("a:b")))),
    ),
    /not an extension/,
  ],
  [
    "basic constraints that are not critical",
    changed("basicConstraints", extension(OID.basicConstraints, false, sequence())),
    /2.5.29.19 is not critical/,
  ],
  [
    "an authority",
    changed("basicConstraints", extension(OID.basicConstraints, true, sequence(derTrue))),
    /make a leaf an authority/,
  ],
  ["no basic constraints", changed("basicConstraints", undefined), /2.5.29.19 is missing/],
  [
    "a key usage that is not critical",
    changed("keyUsage", extension(OID.keyUsage, false, namedBits([0]))),
    /2.5.29.15 is not critical/,
  ],
  [
    "the signing of certificates",
    changed("keyUsage", extension(OID.keyUsage, true, namedBits([0, 5]))),
    /key usage is not the profile's/,
  ],
  [
    "a key usage without a bit",
    changed("keyUsage", extension(OID.keyUsage, true, namedBits([]))),
    /key usage is not the profile's/,
  ],
  [
    "zero bits at the end of the key usage",
    changed("keyUsage", extension(OID.keyUsage, true, tlv(TAG.bitString, Buffer.from([0, 0x80])))),
    /zero bits at its end/,
  ],
  [
    "a key usage of another type",
    changed("keyUsage", extension(OID.keyUsage, true, octetString(Buffer.from([0x80])))),
    /key usage is not a BIT STRING/,
  ],
  ["no key usage", changed("keyUsage", undefined), /2.5.29.15 is missing/],
  [
    "a server's usage",
    changed("extKeyUsage", extension(OID.extKeyUsage, false, sequence(oid(OID.serverAuth)))),
    /extended key usage is not the profile's/,
  ],
  [
    "any usage at all",
    changed("extKeyUsage", extension(OID.extKeyUsage, false, sequence(oid("2.5.29.37.0")))),
    /extended key usage is not the profile's/,
  ],
  ["no extended key usage", changed("extKeyUsage", undefined), /2.5.29.37 is missing/],
  [
    "critical names beside a subject",
    changed("names", extension(OID.subjectAltName, true, sequence(uri("sextant://t/a/b")))),
    /2.5.29.17 is critical/,
  ],
  [
    "no name in the names",
    changed("names", extension(OID.subjectAltName, false, sequence())),
    /subject alternative name is empty/,
  ],
  [
    "a relative URI",
    changed("names", extension(OID.subjectAltName, false, sequence(uri("/runtime/r")))),
    /is not an absolute URI/,
  ],
  [
    "a name of another type",
    changed(
      "names",
      extension(OID.subjectAltName, false, sequence(contextPrimitive(1, Buffer.from("a@b")))),
    ),
    /alternative name has the type 0x81/,
  ],
  ["no names", changed("names", undefined), /2.5.29.17 is missing/],
  [
    "another key's identifier",
    changed("subjectKey", extension(OID.subjectKeyIdentifier, false, octetString(issuer.keyId))),
    /subject key identifier is not that of the key/,
  ],
  ["no subject key identifier", changed("subjectKey", undefined), /2.5.29.14 is missing/],
  [
    "another authority's key identifier",
    changed(
      "authorityKey",
      extension(OID.authorityKeyIdentifier, false, sequence(contextPrimitive(0, keyId))),
    ),
    /authority key identifier is not that of the issuer/,
  ],
  [
    "a critical authority key identifier",
    changed(
      "authorityKey",
      extension(OID.authorityKeyIdentifier, true, sequence(contextPrimitive(0, issuer.keyId))),
    ),
    /2.5.29.35 is critical/,
  ],
  ["no authority key identifier", changed("authorityKey", undefined), /2.5.29.35 is missing/],
  [
    "a distribution point that is no URI",
    changed("point", extension(OID.crlDistributionPoints, false, point("crl"))),
    /CRL distribution point is not one URI/,
  ],
  [
    "a critical distribution point",
    changed("point", extension(OID.crlDistributionPoints, true, point("http://a.example/crl"))),
    /2.5.29.31 is critical/,
  ],
  [
    "an extension that is not DER",
    changed("keyUsage", extension(OID.keyUsage, true, Buffer.from([0x03, 0x81, 0x02, 7, 0x80]))),
    /extension 2.5.29.15: length is not minimal/,
  ],
];

it.each(cases)("refuses %s", (_what, parts, fault) => {
  expect(faults(parts).join("; ")).toMatch(fault);
});

it("has no rule that none of these breaks", () => {
  const source = readFileSync(new URL("lint.ts", import.meta.url), "utf8");
  const found = cases.flatMap(([, parts]) => faults(parts)).join("; ");
  const messages = [...source.matchAll(/["`]((?:[a-z]|\$\{)[^"`\n]{12,})["`]/gi)]
    .map(([, message = ""]) => message)
    .filter((message) =>
      / (?:is|are|has|make|ends|begins|occurs|does|without|allows)\b/.test(message),
    );
  // Of authorities, which have a test of their own beside their profile.
  const ofAuthorities = ["authority without cA", "path length", "issuer's path length"];
  const missing = messages
    .filter((message) => !ofAuthorities.some((start) => message.startsWith(start)))
    .filter((message) => {
      const [part = ""] = message.split(/\$\{[^}]*\}?/).toSorted((a, b) => b.length - a.length);
      return !found.includes(part.trim());
    });
  expect(messages.length).toBeGreaterThan(20);
  expect(missing).toEqual([]);
});

it("does not import again a key that was checked already, but any other", () => {
  const weak = generateKeyPairSync("rsa", { modulusLength: 1_024 });
  const key = weak.publicKey.export({ format: "der", type: "spki" });
  const look = (checkedKey: Buffer) =>
    lintCertificate(built({ spki: key }), { profile: "client", issuer, checkedKey }).join();
  expect(look(spki)).toContain("public key has 1024 bits");
  expect(look(key)).not.toContain("public key has");
});
