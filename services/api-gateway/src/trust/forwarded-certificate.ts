/** The client certificate that a TLS-terminating proxy passes on in a header. No I/O. */
import { X509Certificate } from "node:crypto";

/** The headers in which proxies do so. */
export const certificateHeaders = [
  // RFC 9440: DER as a byte sequence of structured fields.
  "client-cert",
  // Envoy: pairs, of which Cert is PEM with URL escapes.
  "x-forwarded-client-cert",
  // nginx's $ssl_client_escaped_cert, and others after it: PEM with URL escapes.
  "x-ssl-client-cert",
] as const;

/** One of them. */
export type CertificateHeader = (typeof certificateHeaders)[number];

function certificate(bytesOrPem: Buffer | string): Buffer | undefined {
  try {
    return new X509Certificate(bytesOrPem).raw;
  } catch {
    return undefined;
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** DER of the certificate in a header's value; undefined when there is none that can be read. */
export function readForwardedCertificate(
  header: CertificateHeader,
  value: string,
): Buffer | undefined {
  if (header === "client-cert") {
    const base64 = /^\s*:([A-Za-z0-9+/]+={0,2}):\s*$/.exec(value)?.[1];
    return base64 === undefined ? undefined : certificate(Buffer.from(base64, "base64"));
  }
  if (header === "x-ssl-client-cert") return certificate(unescaped(value));
  // The last element is of the proxy nearest to us; those before it were sent to it.
  const nearest = value.split(",").at(-1) ?? "";
  const pem = /(?:^|;)\s*Cert="?([^";]+)"?/i.exec(nearest)?.[1];
  return pem === undefined ? undefined : certificate(unescaped(pem));
}
