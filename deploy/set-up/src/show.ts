/** What an operator needs of a plane that is set up: to reach it, to trust it and to act as its admin. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readCertificateChain, spkiPin } from "@sextant/x509";
import { z } from "zod";
import { SetUpError } from "./key-files.ts";

/** As a local plane's `plane.json`, with the root's certificate itself in place of its file. */
export type PlaneFacts = {
  readonly publicURL: string | undefined;
  readonly mtlsURL: string | undefined;
  /** External id of the first tenant. */
  readonly tenant: string;
  readonly adminToken: string;
  /** PEM of the roots' certificates, that of the authority that signs first. */
  readonly ca: string;
  /** SHA-256 of the root's certificate, as `openssl x509 -fingerprint -sha256` writes it. */
  readonly caFingerprint: string;
  /** SHA-256 of the root's public key, as curl writes pins. */
  readonly caPin: string;
};

const bootstrap = z.object({ tenant: z.object({ externalID: z.string() }) });

/** Reads what an earlier run has made in `home`; makes nothing. Throws {@link SetUpError} when there is none. */
export async function readPlaneFacts(
  home: string,
  urls: Pick<PlaneFacts, "publicURL" | "mtlsURL">,
): Promise<PlaneFacts> {
  const read = async (name: string): Promise<string> => {
    try {
      return await readFile(join(home, name), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      throw new SetUpError(`there is no ${name} in ${home}: the plane is not set up yet`);
    }
  };
  const ca = await read("ca.pem");
  const [certificate] = readCertificateChain(ca);
  if (certificate === undefined)
    throw new SetUpError(`${join(home, "ca.pem")} holds no certificate: restore it from a backup`);
  return {
    ...urls,
    tenant: bootstrap.parse(JSON.parse(await read("bootstrap.json"))).tenant.externalID,
    adminToken: (await read("admin-token")).trim(),
    ca,
    caFingerprint: certificate.x509.fingerprint256,
    caPin: `sha256//${spkiPin(certificate)}`,
  };
}
