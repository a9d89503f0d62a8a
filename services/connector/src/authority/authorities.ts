/** The authorities that the Connector knows: one signs, others may still have certificates in force. They change while it runs. */
import { createPrivateKey } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "@sextant/logging";
import { followFiles } from "@sextant/service";
import {
  type CertificateAuthority,
  openCertificateAuthority,
  readCertificate,
  spkiPin,
} from "@sextant/x509";

/** An authority with its root. */
export type Authority = CertificateAuthority & {
  /** PEM. */
  readonly root: string;
  /** Base64 of the SHA-256 of the root's public key. */
  readonly rootPin: string;
};

/** See {@link createAuthorities}. */
export type Authorities = {
  /** The one that signs new certificates. */
  current(): Authority;
  /** By its subject key identifier: hexadecimal, lower case. */
  bySubjectKeyId(keyId: string): Authority | undefined;
};

/** Authorities of which the first one signs. `known` is asked each time. */
export function createAuthorities(known: () => readonly [Authority, ...Authority[]]): Authorities {
  return {
    current: () => known()[0],
    bySubjectKeyId: (keyId) => known().find((authority) => authority.keyId === keyId),
  };
}

/** An authority below a root: PEM. */
export const withRoot = (authority: CertificateAuthority, root: string): Authority => ({
  ...authority,
  root,
  rootPin: spkiPin(readCertificate(root)),
});

const DIRECTORY = "authorities";
const ACTIVE = "active-authority";

/** Reads what the set-up has made in a key directory: a directory for each authority, and the number of the one that signs. */
export function readAuthorities(keysDirectory: string): readonly [Authority, ...Authority[]] {
  const active = readFileSync(join(keysDirectory, ACTIVE), "utf8").trim();
  const open = (id: string): Authority => {
    const read = (name: string) => readFileSync(join(keysDirectory, DIRECTORY, id, name), "utf8");
    const authority = openCertificateAuthority({
      certificate: read("cert.pem"),
      privateKey: createPrivateKey(read("key.pem")),
    });
    return withRoot(authority, read("root.pem"));
  };
  const others = readdirSync(join(keysDirectory, DIRECTORY)).filter(
    (name) => /^\d+$/.test(name) && name !== active,
  );
  return [open(active), ...others.map(open)];
}

/** The authorities of a key directory, as they are on disk. */
export function followAuthorities(keysDirectory: string, log: Logger): Authorities {
  const followed = followFiles({
    what: "authorities",
    paths: [ACTIVE, DIRECTORY].map((name) => join(keysDirectory, name)),
    read: () => readAuthorities(keysDirectory),
    log,
  });
  return createAuthorities(() => followed.current());
}
