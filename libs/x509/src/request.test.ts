import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { isSextantError } from "@sextant/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bitString,
  contextConstructed,
  derNull,
  octetString,
  oid,
  sequence,
  setOf,
  smallInteger,
  tlv,
  unsignedInteger,
  utf8String,
} from "./der.ts";
import { encodeName, parseSubject } from "./name.ts";
import { readPem, writePem } from "./pem.ts";
import { createCertificateRequest, MAX_REQUEST_BYTES, parseCertificateRequest } from "./request.ts";
import { algorithmIdentifier, signWith } from "./signature.ts";

const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
const subject = "O=Org,OU=Unit,L=Town,ST=State,C=DE,CN=3f0c";
const name = encodeName(parseSubject(subject));
const spkiOf = (key: KeyObject): Buffer => key.export({ format: "der", type: "spki" });

const requestOf = (info: Buffer, algorithm = algorithmIdentifier("ecdsa-with-SHA256")): Buffer =>
  sequence(info, algorithm, bitString(signWith(p256.privateKey, "ecdsa-with-SHA256", info)));
const infoOf = (
  parts: { version?: number; name?: Buffer; spki?: Buffer; attributes?: Buffer } = {},
): Buffer =>
  sequence(
    smallInteger(parts.version ?? 0),
    parts.name ?? name,
    parts.spki ?? spkiOf(p256.publicKey),
    parts.attributes ?? contextConstructed(0),
  );
const faultOf = (input: Buffer | string): string => {
  try {
    parseCertificateRequest(input);
  } catch (error) {
    if (isSextantError(error, "INVALID_DATA")) return error.message;
    throw error;
  }
  return "accepted";
};

describe("a certificate request", () => {
  it.each([
    ["P-256", p256],
    ["P-384", generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["Ed25519", generateKeyPairSync("ed25519")],
    ["RSA", generateKeyPairSync("rsa", { modulusLength: 2048 })],
  ])("with a %s key is accepted, and its key passes through as it was", (kind, keyPair) => {
    const request = parseCertificateRequest(createCertificateRequest({ subject, keyPair }));
    expect(request).toMatchObject({ subject, keyKind: kind });
    expect(request.spki.equals(spkiOf(keyPair.publicKey))).toBe(true);
  });

  it("gives the subject in one order, whatever order the sender used", () => {
    const pem = createCertificateRequest({
      subject: "CN=3f0c,C=DE,ST=State,L=Town,OU=Unit,O=Org",
      keyPair: p256,
    });
    expect(parseCertificateRequest(pem).subject).toBe(subject);
  });

  it("is accepted as DER, and with the attributes that it asks for unread", () => {
    const wish = sequence(
      oid("1.2.840.113549.1.9.14"),
      setOf(sequence(sequence(oid("2.5.29.19"), octetString(Buffer.from([0x30, 3, 1, 1, 0xff]))))),
    );
    expect(faultOf(requestOf(infoOf({ attributes: contextConstructed(0, wish) })))).toBe(
      "accepted",
    );
  });

  it("with a changed subject is refused, for its signature no longer fits", () => {
    const info = infoOf({ name: encodeName(parseSubject("CN=other")) });
    const signature = signWith(p256.privateKey, "ecdsa-with-SHA256", infoOf());
    expect(
      faultOf(sequence(info, algorithmIdentifier("ecdsa-with-SHA256"), bitString(signature))),
    ).toContain("not signed by the private key");
  });

  it("for a stranger's public key is refused", () => {
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" });
    expect(faultOf(requestOf(infoOf({ spki: spkiOf(stranger.publicKey) })))).toContain(
      "not signed by the private key",
    );
  });

  it("signed with SHA-1 or under another key's algorithm is refused", () => {
    const sha1 = sequence(oid("1.2.840.10045.4.1"));
    expect(faultOf(requestOf(infoOf(), sha1))).toContain("algorithm 1.2.840.10045.4.1");
    expect(faultOf(requestOf(infoOf(), algorithmIdentifier("Ed25519")))).toContain(
      "not signed by the private key",
    );
    expect(faultOf(requestOf(infoOf(), algorithmIdentifier("sha256-with-RSA")))).toContain(
      "not signed by the private key",
    );
  });

  it("with a weak or unusual key is refused, and the message says what is wrong with it", () => {
    const rsa = (modulusLength: number, publicExponent = 65_537): string => {
      const keyPair = generateKeyPairSync("rsa", { modulusLength, publicExponent });
      const info = infoOf({ spki: spkiOf(keyPair.publicKey) });
      const signature = sign("sha256", info, keyPair.privateKey);
      return faultOf(sequence(info, algorithmIdentifier("sha256-with-RSA"), bitString(signature)));
    };
    expect(rsa(1024)).toContain("has 1024 bits");
    expect(rsa(2048, 3)).toContain("public exponent other than 65537");
    const p521 = spkiOf(generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey);
    expect(faultOf(requestOf(infoOf({ spki: p521 })))).toContain("accepted are P-256 and P-384");
    const x25519 = spkiOf(generateKeyPairSync("x25519").publicKey);
    expect(faultOf(requestOf(infoOf({ spki: x25519 })))).toContain(
      "is not RSA, P-256, P-384 or Ed25519",
    );
    const offCurve = Buffer.from(spkiOf(p256.publicKey));
    offCurve[offCurve.length - 1] = (offCurve[offCurve.length - 1] as number) ^ 1;
    expect(faultOf(requestOf(infoOf({ spki: offCurve })))).toContain("is not a valid key");
    const compressed = sequence(
      sequence(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")),
      bitString(Buffer.concat([Buffer.from([2]), Buffer.alloc(64, 1)])),
    );
    expect(faultOf(requestOf(infoOf({ spki: compressed })))).toContain("not an uncompressed point");
  });

  it("with a subject that two readers could see differently is refused", () => {
    const attribute = (id: string, value: Buffer) => sequence(oid(id), value);
    const twoInOne = sequence(
      tlv(0x31, attribute("2.5.4.3", utf8String("a")), attribute("2.5.4.10", utf8String("b"))),
    );
    expect(faultOf(requestOf(infoOf({ name: twoInOne })))).toContain("several attributes in one");
    const email = sequence(setOf(attribute("1.2.840.113549.1.9.1", tlv(0x16, Buffer.from("a@b")))));
    expect(faultOf(requestOf(infoOf({ name: email })))).toContain(
      "has the attribute 1.2.840.113549.1.9.1",
    );
    const t61 = sequence(setOf(attribute("2.5.4.3", tlv(0x14, Buffer.from("a")))));
    expect(faultOf(requestOf(infoOf({ name: t61 })))).toContain(
      "neither UTF8String nor PrintableString",
    );
    expect(faultOf(requestOf(infoOf({ name: sequence() })))).toContain("subject is empty");
  });

  it("of another version, with bytes after its end or in BER is refused", () => {
    expect(faultOf(requestOf(infoOf({ version: 1 })))).toContain("not of version 1");
    const der = requestOf(infoOf());
    expect(faultOf(Buffer.concat([der, Buffer.from([0])]))).toContain("bytes follow the end");
    const long = Buffer.concat([Buffer.from([0x30, 0x83, 0]), der.subarray(2)]);
    expect(faultOf(long)).toContain("not DER");
  });

  it("that is larger than 16 KiB is refused before it is read", () => {
    expect(faultOf(Buffer.alloc(MAX_REQUEST_BYTES + 1))).toContain("larger than 16384");
    expect(faultOf("x".repeat(MAX_REQUEST_BYTES + 1))).toContain("larger than 16384");
  });

  it("is given up at so many elements and levels, whatever the 16 KiB are", () => {
    const wide = sequence(...Array.from({ length: 5_000 }, () => Buffer.from([0x30, 0])));
    expect(faultOf(wide)).toContain("too many elements");
    let deep: Buffer = Buffer.from([0x05, 0]);
    for (let level = 0; level < 3_000; level += 1) deep = sequence(deep);
    expect(faultOf(deep)).toContain("nested too deep");
  });

  it("with an attribute twice, or of another form, is refused", () => {
    const wish = (id: string) => sequence(oid(id), setOf(utf8String("x")));
    const asking = (...wishes: readonly Buffer[]) =>
      faultOf(requestOf(infoOf({ attributes: contextConstructed(0, ...wishes) })));
    expect(asking(wish("1.2.3"), wish("1.2.4"))).toBe("accepted");
    expect(asking(wish("1.2.3"), wish("1.2.4"), wish("1.2.3"))).toContain(
      "has the attribute 1.2.3 twice",
    );
    expect(asking(utf8String("x"))).toContain("an attribute of a wrong form");
    expect(asking(sequence(oid("1.2.3"), utf8String("x")))).toContain("of a wrong form");
  });

  it("with a NUL, a control character or a part twice in its subject is refused", () => {
    const named = (...parts: readonly (readonly [string, string])[]) => {
      const name = sequence(
        ...parts.map(([id, value]) => setOf(sequence(oid(id), utf8String(value)))),
      );
      return faultOf(requestOf(infoOf({ name })));
    };
    const [commonName, organization] = ["2.5.4.3", "2.5.4.10"];
    expect(named([commonName, "a\0.example"])).toContain("CN has control characters");
    expect(named([commonName, "a\nb"])).toContain("CN has control characters");
    expect(named([organization, "a"], [commonName, "b"], [organization, "a"])).toContain(
      "O occurs twice",
    );
  });

  it("with an RSA key of huge, even, negative or smooth numbers is refused before OpenSSL sees it", () => {
    const fine = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey;
    const n = Buffer.from(fine.export({ format: "jwk" }).n ?? "", "base64url");
    const of = (modulus: Buffer, exponent: Buffer, more: readonly Buffer[] = []) => {
      const key = sequence(modulus, exponent, ...more);
      const spki = sequence(sequence(oid("1.2.840.113549.1.1.1"), derNull), bitString(key));
      return faultOf(requestOf(infoOf({ spki })));
    };
    const usual = unsignedInteger(Buffer.from([1, 0, 1]));
    const huge = unsignedInteger(Buffer.alloc(8_000, 0x41));
    expect(of(huge, usual)).toContain("has 63999 bits");
    expect(of(unsignedInteger(n), huge)).toContain("public exponent other than 65537");
    const even = Buffer.from(n);
    even.writeUInt8(even.readUInt8(255) & 0xfe, 255);
    expect(of(unsignedInteger(even), usual)).toContain("small factor");
    expect(of(tlv(0x02, Buffer.concat([Buffer.from([0x80]), n])), usual)).toContain(
      "not a valid key",
    );
    expect(of(unsignedInteger(n), usual, [usual])).toContain("not a valid key");
    const over = unsignedInteger(Buffer.concat([Buffer.from([1]), Buffer.alloc(512, 0xff)]));
    expect(of(over, usual)).toContain("has 4097 bits");
  });

  it("as text is one PEM block of the right label and nothing else", () => {
    const pem = writePem("CERTIFICATE REQUEST", requestOf(infoOf()));
    expect(faultOf(pem)).toBe("accepted");
    expect(faultOf(pem.replaceAll("\n", "\r\n"))).toBe("accepted");
    expect(faultOf(pem.replaceAll("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"))).toBe(
      "accepted",
    );
    expect(faultOf(pem.replaceAll("CERTIFICATE REQUEST", "CERTIFICATE"))).toContain(
      '"CERTIFICATE"',
    );
    expect(faultOf(pem + pem)).toContain("more than one PEM block");
    expect(faultOf(`${pem}x`)).toContain("not PEM");
    expect(faultOf(pem.replace("\n", "\n!"))).toContain("not PEM");
    expect(faultOf("")).toContain("not PEM");
  });

  it("with any octet changed is either refused in words or still well signed", () => {
    const der = requestOf(infoOf());
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(der);
        damaged[at] = (damaged[at] as number) ^ change;
        expect(faultOf(damaged)).not.toBe("accepted");
      }),
    );
  });

  it("with any bytes is refused in words", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        (bytes) => faultOf(Buffer.from(bytes)) !== "accepted",
      ),
    );
    fc.assert(fc.property(fc.string(), (text) => faultOf(text) !== "accepted"));
  });
});

describe("PEM", () => {
  it("comes back as it was written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (bytes) => {
        const der = Buffer.from(bytes);
        expect(readPem(writePem("X", der) + writePem("Y", der))).toEqual([
          { label: "X", der },
          { label: "Y", der },
        ]);
      }),
    );
  });
});
