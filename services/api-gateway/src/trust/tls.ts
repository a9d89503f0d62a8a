/** What the two TLS listeners are made of: files that may change while the gateway runs. */
import { createHash, createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ServerOptions } from "node:https";
import { join } from "node:path";

/** Modern suites only: forward secret and authenticated. TLS 1.3's come first by themselves. */
const ciphers = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** Where the files are. */
export type TlsFiles = {
  /** The server's certificate, and what leads from it to its root. PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Whose client certificates are accepted. PEM. */
  readonly clientAuthorities: string;
  /** 48 bytes that all gateways of a plane share: sessions resume at each of them, and after a restart. */
  readonly ticketKeys: string;
};

/** The files of a key directory; the operator's own server certificate takes the place of the plane's. */
export function tlsFiles(
  keysDirectory: string,
  own: { readonly certificate?: string | undefined; readonly key?: string | undefined } = {},
): TlsFiles {
  const file = (name: string) => join(keysDirectory, name);
  return {
    certificate: own.certificate ?? file("tls-cert.pem"),
    key: own.key ?? file("tls-key.pem"),
    clientAuthorities: file("client-ca.pem"),
    ticketKeys: file("ticket-keys"),
  };
}

/** The name of a listener. */
export type DoorName = "public" | "mtls";

/** What the files hold now. */
export type TlsMaterial = {
  readonly options: Readonly<Record<DoorName, ServerOptions>>;
  /** PEM of the authorities whose client certificates are accepted. */
  readonly trustBundle: string;
  /** Hexadecimal SHA-256 of it, by which agents know which one they have. */
  readonly trustBundleHash: string;
  readonly serverNotAfter: Date;
};

const TICKET_KEYS = 48;

/** The files cannot be used. The message names the file and says what is wrong. */
export class TlsFilesError extends Error {
  override readonly name = "TlsFilesError";
}

function certificatesOf(path: string, pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new TlsFilesError(`${path} holds no certificate in PEM`);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    throw new TlsFilesError(`${path} holds a certificate that cannot be read`);
  }
}

function privateKeyOf(path: string, pem: Buffer): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TlsFilesError(`${path} holds no private key in PEM that can be read`);
  }
}

/** Reads and checks the files. Throws {@link TlsFilesError}. */
export function readTlsMaterial(files: TlsFiles, now: Date): TlsMaterial {
  const read = (path: string): Buffer => {
    try {
      return readFileSync(path);
    } catch (error) {
      throw new TlsFilesError(`${path} cannot be read: ${(error as { code?: string }).code}`);
    }
  };
  const cert = read(files.certificate);
  const key = read(files.key);
  const [server] = certificatesOf(files.certificate, cert.toString());
  if (!server?.checkPrivateKey(privateKeyOf(files.key, key)))
    throw new TlsFilesError(
      `${files.key} is not the key of the certificate in ${files.certificate}`,
    );
  if (server.validToDate <= now)
    throw new TlsFilesError(`the certificate in ${files.certificate} ended at ${server.validTo}`);
  const trustBundle = read(files.clientAuthorities).toString();
  certificatesOf(files.clientAuthorities, trustBundle);
  const ticketKeys = read(files.ticketKeys);
  if (ticketKeys.length !== TICKET_KEYS)
    throw new TlsFilesError(`${files.ticketKeys} must have ${TICKET_KEYS} bytes`);

  const base: ServerOptions = {
    cert,
    key,
    minVersion: "TLSv1.2",
    ciphers: `TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:${ciphers}`,
    // The first is safe from quantum computers too (draft-ietf-tls-ecdhe-mlkem); what has less than 128 bits is left out.
    ecdhCurve: "X25519MLKEM768:X25519:P-256:P-384",
    honorCipherOrder: true,
    handshakeTimeout: 10_000,
  };
  const forDoor = (door: DoorName) => {
    // A session of one door must not resume at the other: only one of them has asked for a certificate.
    const keys = [0, 16, 32].map((from) =>
      createHash("sha256")
        .update(door)
        .update(ticketKeys.subarray(from, from + 16))
        .digest()
        .subarray(0, 16),
    );
    return { ticketKeys: Buffer.concat(keys), sessionIdContext: `sextant-${door}` };
  };
  return {
    trustBundle,
    trustBundleHash: createHash("sha256").update(trustBundle).digest("hex"),
    serverNotAfter: server.validToDate,
    options: {
      public: { ...base, ...forDoor("public") },
      // An unknown certificate is let in as far as an answer that says so; every request is checked (`credential.ts`).
      mtls: {
        ...base,
        ...forDoor("mtls"),
        ca: trustBundle,
        requestCert: true,
        rejectUnauthorized: false,
      },
    },
  };
}
