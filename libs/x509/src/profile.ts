/** Certificate profiles: what each kind of certificate may do. Builder and lint read the same table. */
import { OID } from "./oid.ts";

/** Name of a profile. `internal` is for services that are server and client of each other. */
export type ProfileName = "root" | "intermediate" | "server" | "client" | "internal";

/** Bits of keyUsage that are used (RFC 5280 4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 0, keyCertSign: 5, cRLSign: 6 } as const;

/** What a profile puts into a certificate. */
export type Profile = {
  readonly authority: boolean;
  /** How many further authorities may follow; undefined: no limit. Only for an authority. */
  readonly pathLength: number | undefined;
  readonly keyUsage: readonly number[];
  readonly extendedKeyUsage: readonly string[];
  /** The longest life in days. */
  readonly maxDays: number;
};

const AUTHORITY_USAGE = [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign];
// TLS 1.3 and the ephemeral suites of TLS 1.2 only sign, so RSA keys need no keyEncipherment.
const LEAF_USAGE = [KEY_USAGE.digitalSignature];

/** Every profile. */
export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  root: {
    authority: true,
    pathLength: undefined,
    keyUsage: AUTHORITY_USAGE,
    extendedKeyUsage: [],
    maxDays: 3_660,
  },
  intermediate: {
    authority: true,
    pathLength: 0,
    keyUsage: AUTHORITY_USAGE,
    extendedKeyUsage: [],
    maxDays: 1_830,
  },
  server: {
    authority: false,
    pathLength: undefined,
    keyUsage: LEAF_USAGE,
    extendedKeyUsage: [OID.serverAuth],
    // Apple's platforms refuse server certificates that live longer.
    maxDays: 397,
  },
  client: {
    authority: false,
    pathLength: undefined,
    keyUsage: LEAF_USAGE,
    extendedKeyUsage: [OID.clientAuth],
    maxDays: 397,
  },
  internal: {
    authority: false,
    pathLength: undefined,
    keyUsage: LEAF_USAGE,
    extendedKeyUsage: [OID.serverAuth, OID.clientAuth],
    maxDays: 397,
  },
};
