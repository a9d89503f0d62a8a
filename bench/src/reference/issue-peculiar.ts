/** Issues certificates by @peculiar/x509 alone, with WebCrypto: nothing is recorded, stored or checked again. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { steadily, type Steady } from "../measure/steady.ts";

const P256 = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2_048,
};
const newKeys = (algorithm: typeof P256 | typeof RSA) =>
  crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function run(load: Steady & { readonly key: "P-256" | "RSA-2048" }): Promise<void> {
  const algorithm = load.key === "P-256" ? P256 : RSA;
  const pems: string[] = [];
  for (let nr = 0; nr < 20; nr += 1) {
    const keys = await newKeys(algorithm);
    const request = { name: `CN=holder-${nr}`, keys, signingAlgorithm: algorithm };
    pems.push((await x509.Pkcs10CertificateRequestGenerator.create(request)).toString("pem"));
  }
  const authority = await newKeys(P256);
  let next = 0;
  const issue = async (): Promise<number> => {
    const request = new x509.Pkcs10CertificateRequest(pems[(next += 1) % pems.length] as string);
    if (!(await request.verify())) throw new Error("not signed");
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: `4${Buffer.from(crypto.getRandomValues(new Uint8Array(16)))
        .toString("hex")
        .slice(1)}`,
      subject: request.subject,
      issuer: "CN=Reference CA",
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + 86_400_000),
      signingAlgorithm: P256,
      publicKey: request.publicKey,
      signingKey: authority.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
        new x509.SubjectAlternativeNameExtension([{ type: "url", value: "sextant://t/runtime/r" }]),
        await x509.SubjectKeyIdentifierExtension.create(request.publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ],
    });
    return certificate.toString("pem").length;
  };
  await steadily({ ...load, clients: 4 }, issue, true);
}

process.once("message", (load) => void run(load as Parameters<typeof run>[0]));
