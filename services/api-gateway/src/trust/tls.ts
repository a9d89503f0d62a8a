import { createHash } from "node:crypto";
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

/** Options of the two TLS listeners, from the gateway's key directory. */
export function tlsOptions(keysDirectory: string): {
  readonly public: ServerOptions;
  readonly mtls: ServerOptions;
} {
  const read = (name: string) => readFileSync(join(keysDirectory, name));
  const base: ServerOptions = {
    cert: read("tls-cert.pem"),
    key: read("tls-key.pem"),
    minVersion: "TLSv1.2",
    ciphers: `TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:${ciphers}`,
    honorCipherOrder: true,
    handshakeTimeout: 10_000,
  };
  const ticketKeys = read("ticket-keys");
  const forDoor = (door: string) => {
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
    public: { ...base, ...forDoor("public") },
    // An unknown certificate is let in as far as an answer that says so; every request is checked (`credential.ts`).
    mtls: {
      ...base,
      ...forDoor("mtls"),
      ca: read("client-ca.pem"),
      requestCert: true,
      rejectUnauthorized: false,
    },
  };
}
