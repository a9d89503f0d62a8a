/** node-forge, behind one function: a second, independent reader of ASN.1. */
import asn1 from "node-forge/lib/asn1.js";

/**
 * Reads the bytes with node-forge and writes them again. Bytes that come back changed are ones that two readers see
 * differently. Call it only after the strict reader has accepted the input: node-forge alone takes indefinite lengths,
 * and is slow on deep or large input. Undefined when node-forge does not read them at all. Bit strings stay opaque, for node-forge would take EC keys for nested ASN.1.
 */
export function reencode(der: Buffer): Buffer | undefined {
  try {
    const tree = asn1.fromDer(der.toString("latin1"), {
      strict: true,
      parseAllBytes: true,
      decodeBitStrings: false,
    });
    return Buffer.from(asn1.toDer(tree).getBytes(), "latin1");
  } catch {
    return undefined;
  }
}
