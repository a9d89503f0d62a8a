/** Issues certificates by node-forge alone, which knows RSA only: nothing is recorded, stored or checked again. */
import forge from "node-forge";
import { steadily, type Steady } from "../measure/steady.ts";

const { pki, md } = forge;

function requests(count: number): readonly string[] {
  return Array.from({ length: count }, (_, nr) => {
    const keys = pki.rsa.generateKeyPair(2_048);
    const request = pki.createCertificationRequest();
    request.publicKey = keys.publicKey;
    request.setSubject([{ name: "commonName", value: `holder-${nr}` }]);
    request.sign(keys.privateKey, md.sha256.create());
    return pki.certificationRequestToPem(request);
  });
}

process.once("message", (load: Steady) => {
  const pems = requests(10);
  const authority = pki.rsa.generateKeyPair(2_048);
  const issuer = [{ name: "commonName", value: "Reference CA" }];
  let next = 0;
  void steadily(
    { ...load, clients: 1 },
    async () => {
      const request = pki.certificationRequestFromPem(pems[(next += 1) % pems.length] as string);
      if (!request.verify() || request.publicKey === null) throw new Error("not signed");
      const certificate = pki.createCertificate();
      certificate.publicKey = request.publicKey;
      certificate.serialNumber = `4${forge.util.bytesToHex(forge.random.getBytesSync(15))}`;
      certificate.validity.notBefore = new Date(Date.now() - 60_000);
      certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
      certificate.setSubject(request.subject.attributes);
      certificate.setIssuer(issuer);
      certificate.setExtensions([
        { name: "basicConstraints", cA: false, critical: true },
        { name: "keyUsage", digitalSignature: true, critical: true },
        { name: "extKeyUsage", clientAuth: true },
        { name: "subjectAltName", altNames: [{ type: 6, value: "sextant://t/runtime/r" }] },
        { name: "subjectKeyIdentifier" },
        { name: "authorityKeyIdentifier", keyIdentifier: true },
      ]);
      certificate.sign(authority.privateKey, md.sha256.create());
      return pki.certificateToPem(certificate).length;
    },
    true,
  );
});
