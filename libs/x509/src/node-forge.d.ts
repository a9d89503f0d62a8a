// @types/node-forge describes the package's main module; only its ASN.1 part is loaded here.
declare module "node-forge/lib/asn1.js" {
  const asn1: {
    fromDer(
      bytes: string,
      options: { strict: boolean; parseAllBytes: boolean; decodeBitStrings: boolean },
    ): unknown;
    toDer(tree: unknown): { getBytes(): string };
  };
  export default asn1;
}
