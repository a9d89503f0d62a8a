/** The plane's trust bundle: whom the agent is to trust from now on. The plane names it by its hash with each poll. */
import { createHash } from "node:crypto";
import { readCertificateChain } from "@sextant/x509";
import { type Identity, storedIdentity, type StoredIdentity } from "../identity/identity.ts";
import type { ConnectionOptions, PlaneConnection } from "./plane-connection.ts";
import { PlaneError } from "./plane-error.ts";

/** Header in which the plane names its bundle, and the agent the one that it knows: hexadecimal SHA-256 of the PEM text. */
export const TRUST_BUNDLE_HEADER = "sextant-trust-bundle";

const PATH = "/v1/ca/bundle";

/**
 * Gets the bundle over the connection, which the present trust has verified, and answers with the identity that trusts it. Whoever
 * is not in the bundle is trusted no longer once the plane has proven that it can be reached by the bundle alone.
 */
export async function takeTrustBundle(
  hash: string,
  identity: Identity,
  connection: PlaneConnection,
  connect: (options: ConnectionOptions) => PlaneConnection,
  { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
): Promise<StoredIdentity> {
  const { origin } = new URL(identity.connectorUrl);
  const { text } = await connection.send({ method: "GET", url: `${origin}${PATH}`, signal });
  // It may change between the poll and now: then the next poll names the next one.
  if (createHash("sha256").update(text).digest("hex") !== hash)
    throw new PlaneError("unavailable", "the trust bundle is another than the plane has named");
  let bundle: readonly string[];
  try {
    bundle = readCertificateChain(text).map(({ pem }) => pem);
  } catch (error) {
    throw new PlaneError("invalid", `not a trust bundle: ${(error as Error).message}`);
  }
  const alone = bundle.join("");
  const isEnough = await leadsTo(alone, `${origin}${PATH}`, connect, { now, signal });
  const before = readCertificateChain(identity.ca).map(({ pem }) => pem);
  const ca = isEnough ? alone : [...new Set([...before, ...bundle])].join("");
  return storedIdentity.parse({ ...identity, ca, trustBundle: hash });
}

/** Whether the plane's certificate can be checked by this authority alone. */
async function leadsTo(
  ca: string,
  url: string,
  connect: (options: ConnectionOptions) => PlaneConnection,
  { now, signal }: { readonly now: () => Date; readonly signal: AbortSignal },
): Promise<boolean> {
  const connection = connect({ ca, now });
  try {
    await connection.send({ method: "GET", url, signal });
    return true;
  } catch (error) {
    if (error instanceof PlaneError && error.kind === "untrusted") return false;
    throw error;
  } finally {
    await connection.close();
  }
}
