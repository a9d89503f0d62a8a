/** How long a hostile signing request keeps the Connector busy: the bench fails when one does for more than 5 ms. */
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createCertificateRequest, createKeyPair, parseCertificateRequest } from "@sextant/x509";

const LIMIT_MS = 5;
const TIMES = 50;

const tlv = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const value = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(value.length);
  const digits = length.subarray(length.findIndex((octet) => octet !== 0));
  const head = value.length < 0x80 ? [tag, value.length] : [tag, 0x80 | digits.length, ...digits];
  return Buffer.concat([Buffer.from(head), value]);
};
const pem = (der: Buffer): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;

/** A key of RSA with a modulus and an exponent of so many octets, in a request that is not signed. */
function rsaOf(modulus: number, exponent: number): string {
  const number = (size: number) =>
    tlv(0x02, Buffer.concat([Buffer.from([0x41]), randomBytes(size)]));
  const key = tlv(0x30, number(modulus), number(exponent));
  const algorithm = Buffer.from("300d06092a864886f70d0101010500", "hex");
  const spki = tlv(0x30, algorithm, tlv(0x03, Buffer.from([0]), key));
  const name = Buffer.from("300c310a300806035504030c0161", "hex");
  const info = tlv(0x30, Buffer.from("020100", "hex"), name, spki, tlv(0xa0));
  const signed = Buffer.from("300d06092a864886f70d01010b0500", "hex");
  return pem(tlv(0x30, info, signed, tlv(0x03, Buffer.from([0]), randomBytes(256))));
}

function nested(depth: number): Buffer {
  let der: Buffer = Buffer.from("0500", "hex");
  for (let level = 0; level < depth; level += 1) der = tlv(0x30, der);
  return der;
}

/** What is sent, by what is wrong with it; the first ones are fine. */
function corpus(): Readonly<Record<string, string>> {
  const subject = "O=Sextant,OU=Runtimes,L=Plane,ST=Plane,C=ZZ,CN=x";
  const keys = {
    "a P-256 key": createKeyPair(),
    "a P-384 key": generateKeyPairSync("ec", { namedCurve: "P-384" }),
    "an Ed25519 key": generateKeyPairSync("ed25519"),
    "an RSA-4096 key": generateKeyPairSync("rsa", { modulusLength: 4_096 }),
  };
  const fine = Object.entries(keys).map(([what, keyPair]): [string, string] => [
    `${what}, accepted`,
    createCertificateRequest({ subject, keyPair }),
  ]);
  return {
    ...Object.fromEntries(fine),
    "a modulus of 80,000 bits": rsaOf(10_000, 3),
    "an exponent of 80,000 bits": rsaOf(256, 10_000),
    "5,000 levels of DER": pem(nested(2_500)),
    "5,000 elements": pem(
      tlv(0x30, ...Array.from({ length: 5_000 }, () => Buffer.from("0500", "hex"))),
    ),
    "16 KiB of line ends": `-----BEGIN CERTIFICATE REQUEST-----${"\n".repeat(16_000)}`,
    "16 KiB of begin lines": "-----BEGIN CERTIFICATE REQUEST-----\n".repeat(450),
    "16 KiB of noise": pem(randomBytes(12_000)),
    "a mebibyte": "A".repeat(1_048_576),
  };
}

/** Prints how long each takes, and says whether all keep to the limit. */
export async function hostileRequests(): Promise<void> {
  console.log(`\nSigning requests: time until accepted or refused (limit: ${LIMIT_MS} ms)`);
  let slowest = 0;
  for (const [what, text] of Object.entries(corpus())) {
    const times: number[] = [];
    let outcome = "accepted";
    for (let time = 0; time < TIMES; time += 1) {
      const begun = performance.now();
      try {
        parseCertificateRequest(text);
      } catch (error) {
        outcome = (error as Error).message.replace(/^.*csr: /, "").slice(0, 60);
      }
      times.push(performance.now() - begun);
    }
    const median = times.toSorted((a, b) => a - b)[TIMES / 2] ?? 0;
    slowest = Math.max(slowest, median);
    console.log(`  ${what.padEnd(30)}${median.toFixed(3).padStart(8)} ms  ${outcome}`);
  }
  if (slowest > LIMIT_MS) {
    console.log("  FAILED: one takes longer than the limit");
    process.exitCode = 1;
  }
}
