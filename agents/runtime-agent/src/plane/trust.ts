/** Whom the agent trusts to be the plane: a root from a file, or one known by its pin. Never whoever answers first. */
import { X509Certificate } from "node:crypto";
import { lookup } from "node:dns";
import { readFile } from "node:fs/promises";
import { isIP, type LookupFunction } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { readCertificateChain, spkiPin } from "@sextant/x509";
import { connectionFault, PlaneError } from "./plane-error.ts";

/** By what the plane's root is known. */
export type TrustSettings = {
  readonly caFile?: string | undefined;
  readonly caPin?: string | undefined;
  /** Finds the addresses of a host name; by default as the system does. */
  readonly lookup?: LookupFunction | undefined;
};

/** Finds the addresses of one host whatever name is asked for. */
export const alwaysAt =
  (host: string): LookupFunction =>
  (_name, options, callback) =>
    lookup(host, options, callback);

const PROBE_TIMEOUT_MS = 15_000;

/** PEM of the authority to check the plane's certificate by. With file and pin, the one of the file that has the pin. */
export async function findAuthority(
  url: URL,
  { caFile, caPin, lookup: find }: TrustSettings,
  signal: AbortSignal,
): Promise<string> {
  if (caFile !== undefined) return authorityInFile(caFile, caPin);
  if (caPin === undefined)
    throw new PlaneError("untrusted", "neither CA_FILE nor CA_PIN says whom to trust");
  const pinned = withPin(await presentedChain(url, find, signal), caPin);
  if (pinned === undefined) {
    throw new PlaneError(
      "untrusted",
      `${url.host} shows no certificate with the key that CA_PIN names`,
    );
  }
  return pinned.toString();
}

async function authorityInFile(caFile: string, caPin: string | undefined): Promise<string> {
  let certificates: X509Certificate[];
  try {
    certificates = readCertificateChain(await readFile(caFile, "utf8")).map(({ x509 }) => x509);
  } catch (error) {
    throw new PlaneError("untrusted", `CA_FILE cannot be used: ${(error as Error).message}`);
  }
  if (caPin === undefined) return certificates.map(String).join("");
  const pinned = withPin(certificates, caPin);
  if (pinned === undefined)
    throw new PlaneError("untrusted", "no certificate in CA_FILE has the key that CA_PIN names");
  return pinned.toString();
}

const withPin = (
  certificates: readonly X509Certificate[],
  pin: string,
): X509Certificate | undefined => certificates.find((certificate) => spkiPin(certificate) === pin);

/**
 * The certificates that a server shows. Nothing is sent to it and nothing of it is believed: the one with the pin is then
 * what a real connection is checked by, signatures and host name included.
 */
function presentedChain(
  url: URL,
  find: LookupFunction | undefined,
  signal: AbortSignal,
): Promise<X509Certificate[]> {
  return new Promise((resolve, reject) => {
    const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
    const socket = connect({
      host,
      port: Number(url.port === "" ? 443 : url.port),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(find === undefined ? {} : { lookup: find }),
      rejectUnauthorized: false,
    });
    const abort = (): void => void socket.destroy(new Error("aborted"));
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(PROBE_TIMEOUT_MS, () => socket.destroy(new Error("no answer in time")));
    socket.once("secureConnect", () => {
      resolve(chainOf(socket));
      socket.destroy();
    });
    socket.once("error", (error) => reject(connectionFault(error)));
    socket.once("close", () => {
      signal.removeEventListener("abort", abort);
      reject(new PlaneError("unavailable", "the connection was closed"));
    });
  });
}

function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  let next: PeerCertificate | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next.fingerprint256)) {
    seen.add(next.fingerprint256);
    chain.push(new X509Certificate(next.raw));
    next = (next as { issuerCertificate?: PeerCertificate }).issuerCertificate;
  }
  return chain;
}
